//! `patient.v1.Availability`

use std::sync::Arc;

use contracts::patient::v1::{
    AvailableDay, AvailableTime, ListAvailableMinutesRequest, ListAvailableMinutesResponse, availability_server,
};
use jiff::civil::Date;
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};

use crate::{
    domain::calendar::{ClinicId, PractitionerId, zone::parse_date},
    fhir::calendar::parse_id,
    outbound::calendar::WorkingQuestion,
    service::calendar::{Calendar, WorkingTime},
};

const USUAL: i32 = 50;
const MOST: i32 = 100;
/// A year, and what it is compared with begins a month before.
const LONGEST: i32 = 400;

/// The service `patient.v1.Availability`. It tells nothing of patients, and is asked by apps alone, so that nothing of it
/// is in the audit.
#[derive(Debug)]
pub struct Availability(Arc<Calendar>);

impl Availability {
    /// The service on this calendar.
    pub fn new(calendar: Arc<Calendar>) -> Self {
        Self(calendar)
    }
}

#[tonic::async_trait]
impl availability_server::Availability for Availability {
    async fn list_available_minutes(
        &self,
        request: Request<ListAvailableMinutesRequest>,
    ) -> Result<Response<ListAvailableMinutesResponse>, Status> {
        let question = read(&request.into_inner())?;
        let page = self.0.working_time(&question).await.map_err(Problem::from)?;
        let items = page.items.iter().map(told).collect();
        Ok(Response::new(ListAvailableMinutesResponse { items, next: page.next.map(|next| next.to_string()) }))
    }
}

fn told(time: &WorkingTime) -> AvailableTime {
    let day = |(date, minutes): &(Date, i64)| AvailableDay {
        date: date.to_string(),
        minutes: i32::try_from(*minutes).unwrap_or(i32::MAX),
    };
    AvailableTime {
        practitioner_id: time.practitioner.to_string(),
        clinic_id: time.clinic.to_string(),
        days: time.days.iter().map(day).collect(),
    }
}

fn read(asked: &ListAvailableMinutesRequest) -> Result<WorkingQuestion, Problem> {
    let mut findings = Findings::default();
    let mut date = |text: &str, name: &str| match parse_date(text) {
        Ok(date) => Some(date),
        Err(detail) => {
            findings.add(name, detail);
            None
        }
    };
    let (from, to) = (date(&asked.from, "from"), date(&asked.to, "to"));
    let mut id = |text: Option<&str>, name: &str| match text.map(parse_id).transpose() {
        Ok(id) => id,
        Err(detail) => {
            findings.add(name, detail);
            None
        }
    };
    let practitioner = id(asked.practitioner_id.as_deref(), "practitioner_id").map(PractitionerId::new);
    let clinic = id(asked.clinic_id.as_deref(), "clinic_id").map(ClinicId::new);
    let after = id(asked.cursor.as_deref(), "cursor").map(PractitionerId::new);
    let limit = asked.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        findings.add("limit", format!("must be from 1 to {MOST}"));
    }
    if let (Some(from), Some(to)) = (from, to) {
        let days = (to - from).get_days() + 1;
        if days < 1 {
            findings.add("to", "must not be before `from`");
        } else if days > LONGEST {
            findings.add("to", format!("must be at most {LONGEST} days from `from`"));
        }
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let whole = from.zip(to).map(|(from, to)| WorkingQuestion { practitioner, clinic, from, to, after, limit });
    findings.into_result(whole)
}
