//! Every route of a door under watch: what is read there, and what a role is refused.

use access::{Admit, Caller, Name, matrix::Operation};
use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use runtime::step::{Next, Step};
use uuid::Uuid;

use crate::{Action, Agent, Entry, Outcome, Recorder};

/// The collection whose members' ids in a path say whose record it is.
const PATIENTS: &str = "patients";

/// What the collections of a service hold, by their names in its paths.
#[derive(Clone, Copy, Debug)]
pub struct Collections {
    /// What one of each is called: `observations`, `observation`. The last part of a path that is not here, such as
    /// `history`, is taken for what is done to what comes before it.
    pub kinds: &'static [(&'static str, &'static str)],
    /// What tells nothing of anybody, or records itself who reads it.
    pub unwatched: &'static [&'static str],
}

/// An extension of an answer that says whose record it shows, where the path does not.
#[derive(Clone, Copy, Debug)]
pub struct OfPatient(pub Uuid);

/// What is done by an operation, and to what: read of its path once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Deed {
    action: Action,
    subtype: &'static str,
    kind: &'static str,
    /// Where in a path the id stands.
    id: Option<usize>,
    /// Where the patient's does.
    patient: Option<usize>,
    /// What a list is narrowed to, and where its id stands, when that is no patient.
    within: Option<(&'static str, usize)>,
    /// Whether it is recorded although nobody was refused.
    watched: bool,
}

/// The step before the rule of a route that records each read before it is answered, and each refusal of a role.
#[derive(Debug)]
pub struct Watch(Option<(Recorder, Deed)>);

/// Puts the rules of a door under watch; for [`Door::behind`](access::Door::behind).
///
/// A read that cannot be recorded is answered 503. An operation that has no path is not watched.
pub fn watch(
    recorder: Recorder,
    collections: Collections,
) -> impl Fn(&'static Operation, Admit) -> (Watch, Admit) + Send + Sync + 'static {
    move |operation, admit| {
        let deed = Deed::of(&operation.name, &collections);
        (Watch(deed.map(|deed| (recorder.clone(), deed))), admit)
    }
}

impl Step for Watch {
    async fn take(&self, request: Request, next: impl Next) -> Response {
        let Some((recorder, deed)) = &self.0 else { return next.run(request).await };
        let uri = request.uri().clone();
        let seen = version(request.headers(), &header::IF_MATCH);
        let response = next.run(request).await;
        // Without a caller nobody has proved who they are, and nobody was shown anything.
        let Some(agent) = response.extensions().get::<Caller>().map(Agent::from) else { return response };
        let Some(entry) = deed.as_it_came_out(seen, &response).entry(agent, uri.path(), uri.query(), &response) else {
            return response;
        };
        match recorder.record(&entry) {
            Ok(()) => response,
            Err(problem) if response.status() == StatusCode::FORBIDDEN => {
                tracing::error!(%problem, "a refusal is not in the audit");
                response
            }
            // Nobody is shown anything without a trace.
            Err(problem) => problem.into_response(),
        }
    }
}

impl Deed {
    fn of(name: &'static Name, collections: &Collections) -> Option<Self> {
        let Name::Http { verb, path } = name else { return None };
        let segments: Vec<&'static str> = path.split('/').collect();
        let is_variable = |at: usize| segments.get(at).is_some_and(|segment| segment.starts_with('{'));
        let kind = |at: usize| collections.kinds.iter().find(|(name, _)| *name == segments[at]).map(|(_, kind)| *kind);
        let last = segments.len() - 1;
        let by_verb = |get, post| match verb.as_str() {
            "GET" => (Action::Read, get),
            "PUT" | "PATCH" => (Action::Update, "update"),
            "DELETE" => (Action::Delete, "delete"),
            _ => post,
        };
        let ((action, subtype), collection, id) = if is_variable(last) {
            (by_verb("read", (Action::Execute, "update")), last - 1, Some(last))
        } else if kind(last).is_some() {
            (by_verb("search", (Action::Create, "create")), last, None)
        } else {
            let (action, _) = by_verb("read", (Action::Execute, "execute"));
            let id = Some(last - 1).filter(|at| is_variable(*at));
            ((action, segments[last]), last - 1 - usize::from(id.is_some()), id)
        };
        let patient = segments.iter().position(|segment| *segment == PATIENTS).map(|at| at + 1);
        let patient = patient.filter(|at| is_variable(*at));
        let within = Some(last - 1).filter(|at| id.is_none() && is_variable(*at) && patient != Some(*at));
        Some(Self {
            action,
            subtype,
            kind: kind(collection).unwrap_or(segments[collection]),
            id,
            patient,
            within: within.map(|at| (kind(at - 1).unwrap_or(segments[at - 1]), at)),
            watched: action == Action::Read
                && ![last, collection].iter().any(|at| collections.unwatched.contains(&segments[*at])),
        })
    }

    /// A change that changed nothing shows what is there: whoever sends an empty one has read.
    fn as_it_came_out(self, seen: Option<u64>, response: &Response) -> Self {
        let shown = version(response.headers(), &header::ETAG).filter(|_| response.status().is_success());
        if self.action == Action::Update && seen.is_some() && seen == shown {
            return Self { action: Action::Read, subtype: "read", watched: true, ..self };
        }
        self
    }

    /// What is to be recorded of a request and its answer.
    fn entry(&self, agent: Agent, path: &str, query: Option<&str>, response: &Response) -> Option<Entry> {
        let outcome = match response.status() {
            StatusCode::FORBIDDEN => Outcome::SeriousFailure,
            _ if !self.watched => return None,
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => Outcome::Success,
            status if status.is_client_error() => Outcome::MinorFailure,
            // That we failed shows nobody anything, either.
            _ => return None,
        };
        // What is no id may be anything, a name too, and would stand in the chain for ever.
        let id = |at: Option<usize>| Uuid::parse_str(path.split('/').nth(at?)?).ok();
        let entry = Entry::new(self.action, self.subtype).by(agent).ended(outcome);
        let entry = match id(self.id) {
            Some(id) => entry.about(self.kind, id),
            None => entry.about_all(self.kind),
        };
        let entry = match self.within.and_then(|(kind, at)| Some(format!("{kind}/{}", id(Some(at))?))) {
            Some(within) => entry.detail("within", within),
            None => entry,
        };
        let entry = version(response.headers(), &header::ETAG)
            .filter(|_| id(self.id).is_some())
            .into_iter()
            .fold(entry, Entry::version);
        let shown = response.extensions().get::<OfPatient>().map(|OfPatient(patient)| *patient);
        let entry = id(self.patient).or(shown).into_iter().fold(entry, Entry::of_patient);
        // What was asked for is personal; that it was asked by is not. What was refused may have any name.
        match names(query).filter(|_| outcome == Outcome::Success) {
            Some(names) => Some(entry.detail("parameters", names)),
            None => Some(entry),
        }
    }
}

/// A strong tag is a version.
fn version(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

fn names(query: Option<&str>) -> Option<String> {
    let names: Vec<_> = query?.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    Some(names.join(" "))
}

#[cfg(test)]
mod tests;
