//! A problem as a gRPC status and back, in the details of [google.rpc](https://google.aip.dev/193): what is wrong with
//! which field (`BadRequest`), which failure it is (`ErrorInfo`), when to come back (`RetryInfo`).

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value};
use tonic_types::{ErrorDetails, ErrorInfo, FieldViolation, StatusExt as _};

use crate::{FieldError, Kind, Problem};

/// Whose reasons these are: `ErrorInfo.domain`.
const DOMAIN: &str = "patient-management";

/// `ErrorInfo.reason` has to be there; this stands for a problem that has further members and no slug.
const NO_REASON: &str = "UNSPECIFIED";

/// The longest `ErrorInfo.reason`.
const LONGEST_REASON: usize = 63;

/// What every status that an app answers carries, and none that a sidecar makes: the HTTP status of the problem, since
/// several kinds have one code.
const ANSWER: &str = "problem";

/// As many wrong fields as a trailer has room for.
const MOST_VIOLATIONS: usize = 32;

/// As many bytes of further members as a trailer has room for; with more none of them goes along, since half of them
/// may say something else than all.
const MOST_EXTENSIONS: usize = 2048;

/// Whether this status is an app's answer, and not what a sidecar says because there is none.
pub fn is_answer(status: &tonic::Status) -> bool {
    status.metadata().contains_key(ANSWER)
}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        let details = details(&problem);
        let nothing =
            details.bad_request().is_none() && details.error_info().is_none() && details.retry_info().is_none();
        let mut status = if nothing {
            Self::new(problem.kind.code(), problem.detail)
        } else {
            Self::with_error_details(problem.kind.code(), problem.detail, details)
        };
        status.metadata_mut().insert(ANSWER, problem.kind.status().as_u16().into());
        if let Some(cause) = problem.cause {
            status.set_source(cause);
        }
        status
    }
}

/// Another service's refusal, passed on with the words that it chose for a caller.
impl From<tonic::Status> for Problem {
    fn from(status: tonic::Status) -> Self {
        let details = status.get_error_details();
        let problem = match kind(&status) {
            Kind::Internal => return Self::internal(status),
            Kind::Unavailable => Self::unavailable(status),
            kind => Self::new(kind, status.message().to_owned()),
        };
        let wrong = details.bad_request().into_iter().flat_map(|found| &found.field_violations);
        let error =
            |found: &FieldViolation| FieldError { pointer: found.field.clone(), detail: found.description.clone() };
        let ours = details.error_info().filter(|info| info.domain == DOMAIN);
        let told = details.retry_info().and_then(|info| info.retry_delay).filter(|_| problem.kind.retryable());
        Self {
            slug: ours.and_then(|info| slug(&info.reason)).map(Cow::Owned),
            errors: wrong.map(error).collect(),
            extensions: ours.map(extensions).unwrap_or_default(),
            retry_after: told.or(problem.retry_after),
            ..problem
        }
    }
}

fn kind(status: &tonic::Status) -> Kind {
    let told: Option<u16> = status.metadata().get(ANSWER).and_then(|told| told.to_str().ok()?.parse().ok());
    let of_both = |kind: &Kind| kind.code() == status.code() && Some(kind.status().as_u16()) == told;
    Kind::ALL.into_iter().find(of_both).unwrap_or_else(|| Kind::of_code(status.code()))
}

fn details(problem: &Problem) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    if !problem.errors.is_empty() {
        let wrong = problem.errors.iter().take(MOST_VIOLATIONS);
        let wrong = wrong.map(|error| FieldViolation::new(error.pointer.as_str(), error.detail.as_str()));
        details.set_bad_request(wrong.collect::<Vec<_>>());
    }
    let metadata = metadata(&problem.extensions);
    if problem.slug.is_some() || !metadata.is_empty() {
        details.set_error_info(problem.slug.as_deref().map_or_else(|| NO_REASON.to_owned(), reason), DOMAIN, metadata);
    }
    if let Some(after) = problem.retry_after.filter(|_| problem.kind.retryable()) {
        details.set_retry_info(Some(after));
    }
    details
}

/// `invoice-issued` is `INVOICE_ISSUED`.
fn reason(slug: &str) -> String {
    slug.replace('-', "_").to_ascii_uppercase()
}

/// The slug of a reason, if one of ours can have become it.
fn slug(reason: &str) -> Option<String> {
    let fits = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'_';
    let readable = (1..=LONGEST_REASON).contains(&reason.len()) && reason.bytes().all(fits) && reason != NO_REASON;
    readable.then(|| reason.replace('_', "-").to_ascii_lowercase())
}

/// `ErrorInfo.metadata` has texts alone, so each member is its JSON.
fn metadata(extensions: &Map<String, Value>) -> HashMap<String, String> {
    let texts: HashMap<_, _> = extensions.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let size: usize = texts.iter().map(|(name, text)| name.len() + text.len()).sum();
    if size <= MOST_EXTENSIONS { texts } else { HashMap::new() }
}

fn extensions(info: &ErrorInfo) -> Map<String, Value> {
    let member = |(name, text): (&String, &String)| {
        // Another language's service may not know that it is JSON.
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
        (name.clone(), value)
    };
    info.metadata.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tonic::{Code, Status};

    use super::*;

    fn passed_on(problem: &Problem) -> Problem {
        Problem::from(Status::from(problem.clone()))
    }

    #[test]
    fn wrong_fields_survive_the_way_between_services() {
        let problem = Problem::invalid_field("a.b", "must be text").with_error("c", "is required");
        let told = passed_on(&problem);
        assert_eq!((told.kind, told.detail, told.errors), (Kind::Invalid, problem.detail, problem.errors));
        let plain = passed_on(&Problem::new(Kind::NotFound, "There is none."));
        assert_eq!((plain.kind, plain.errors.len(), plain.slug), (Kind::NotFound, 0, None));
    }

    #[test]
    fn kinds_that_share_a_code_stay_apart() {
        for kind in Kind::ALL {
            assert_eq!(passed_on(&Problem::new(kind, "No.")).kind, kind);
        }
        // What another implementation answers has no word of ours.
        assert_eq!(Problem::from(Status::invalid_argument("no")).kind, Kind::Invalid);
        let mut odd = Status::invalid_argument("no");
        odd.metadata_mut().insert(ANSWER, 503_u16.into());
        assert_eq!(Problem::from(odd).kind, Kind::Invalid);
    }

    #[test]
    fn a_refusal_by_a_rule_is_the_same_after_the_way() {
        let problem = Problem::new(Kind::Conflict, "An issued invoice cannot change.")
            .with_slug("invoice-issued")
            .with("invoice", "INV-7")
            .with("issued", json!({ "by": ["a"], "minor": -5 }))
            .with_error("lines", "cannot change");
        let status = Status::from(problem.clone());
        assert_eq!(status.code(), Code::AlreadyExists);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVOICE_ISSUED", "patient-management"));
        assert_eq!(info.metadata["invoice"], r#""INV-7""#);
        assert_eq!(passed_on(&problem).to_json(), problem.to_json());
    }

    #[test]
    fn members_without_a_slug_go_along_without_one() {
        let problem = Problem::new(Kind::Conflict, "Two of them.").with("of", 2);
        let info = Status::from(problem.clone()).get_details_error_info().unwrap();
        assert_eq!(info.reason, NO_REASON, "google.rpc wants one");
        assert_eq!(passed_on(&problem).to_json(), problem.to_json());
    }

    #[test]
    fn members_that_do_not_fit_stay_behind_together() {
        let problem = Problem::new(Kind::Conflict, "Many.").with_slug("many").with("few", 1);
        let fits = problem.clone().with("most", "x".repeat(MOST_EXTENSIONS - "few1most".len() - 2));
        assert_eq!(passed_on(&fits).to_json(), fits.to_json());
        let told = passed_on(&fits.with("z", 1));
        assert_eq!((told.slug.as_deref(), told.extensions), (Some("many"), Map::new()));
    }

    #[test]
    fn when_to_come_back_is_told_where_coming_back_helps() {
        let after =
            |kind, seconds| Problem { retry_after: Some(Duration::from_secs(seconds)), ..Problem::new(kind, "Later.") };
        for kind in [Kind::RateLimited, Kind::Unavailable, Kind::TimedOut] {
            assert_eq!(passed_on(&after(kind, 7)).retry_after, Some(Duration::from_secs(7)), "{kind:?}");
        }
        assert_eq!(passed_on(&after(Kind::Conflict, 7)).retry_after, None);
        let told = passed_on(&after(Kind::Unavailable, 7).with_slug("books-closed").with("until", "18:00"));
        assert_eq!((told.slug.as_deref(), &told.extensions["until"]), (Some("books-closed"), &json!("18:00")));
        let silent = Problem::from(Status::unavailable("no route"));
        assert_eq!(silent.retry_after, Some(Duration::from_secs(1)), "of a sidecar, which names no time");
    }

    #[test]
    fn reasons_of_others_are_no_slugs() {
        for (reason, domain) in
            [("INVOICE_ISSUED", "googleapis.com"), ("invoice issued", DOMAIN), ("", DOMAIN), (&"A".repeat(64), DOMAIN)]
        {
            let details = ErrorDetails::with_error_info(reason, domain, HashMap::new());
            let told = Problem::from(Status::with_error_details(Code::AlreadyExists, "no", details));
            assert_eq!(told.slug, None, "{reason} of {domain}");
        }
    }

    #[test]
    fn a_member_that_is_no_json_is_text() {
        let metadata = HashMap::from([("ward".to_owned(), "B 2".to_owned())]);
        let details = ErrorDetails::with_error_info("FULL", DOMAIN, metadata);
        let told = Problem::from(Status::with_error_details(Code::AlreadyExists, "no", details));
        assert_eq!(told.extensions["ward"], "B 2");
    }

    #[test]
    fn our_own_fault_tells_nothing() {
        let told = passed_on(&Problem::internal("disk").with_slug("disk-full").with("disk", "sda"));
        assert_eq!((told.kind, told.slug, told.extensions.len()), (Kind::Internal, None, 0));
    }

    #[test]
    fn details_that_do_not_read_are_none() {
        let status = Status::with_details(Code::InvalidArgument, "no", vec![0xff, 1].into());
        assert_eq!(Problem::from(status).errors, []);
    }
}
