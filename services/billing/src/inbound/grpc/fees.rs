//! `billing.v1.FeeSchedules`

use contracts::billing::v1::{
    self as wire, CreateFeeScheduleRequest, CreateFeeScheduleResponse, FindFeeRequest, FindFeeResponse,
    GetFeeScheduleRequest, GetFeeScheduleResponse, ListFeeSchedulesRequest, ListFeeSchedulesResponse,
    ReplaceFeeScheduleRequest, ReplaceFeeScheduleResponse, fee_schedules_server,
};
use jiff::Timestamp;
use problem::{Kind, Problem, input::Findings};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    admission::{Admission, keyed},
    invoices::version,
    lines, read,
};
use crate::{
    domain::{
        fees::FeeSchedule,
        ids::{FeeScheduleId, PayerId},
    },
    outbound::{
        journal::Versioned,
        lists::{Page, Position},
        messages,
    },
    service::Books,
};

/// The methods of the service.
pub const METHODS: [&str; 5] = [
    "billing.v1.FeeSchedules/CreateFeeSchedule",
    "billing.v1.FeeSchedules/GetFeeSchedule",
    "billing.v1.FeeSchedules/ListFeeSchedules",
    "billing.v1.FeeSchedules/ReplaceFeeSchedule",
    "billing.v1.FeeSchedules/FindFee",
];

const LONGEST_NAME: usize = 100;

/// The service `billing.v1.FeeSchedules`. What services cost tells nothing of anybody, so reads are not in the audit.
#[derive(Clone, Debug)]
pub struct FeeSchedules {
    books: Books,
    admission: Admission,
}

impl FeeSchedules {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }
}

#[tonic::async_trait]
impl fee_schedules_server::FeeSchedules for FeeSchedules {
    async fn create_fee_schedule(
        &self,
        request: Request<CreateFeeScheduleRequest>,
    ) -> Result<Response<CreateFeeScheduleResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.FeeSchedules/CreateFeeSchedule")?;
        let key = keyed(&metadata, &caller, "billing.v1.FeeSchedules/CreateFeeSchedule", "fee schedule", &asked)?;
        let schedule = schedule(&asked.fee_schedule.unwrap_or_default())?;
        let put_up = self.books.put_up(&caller, schedule, key).await.map_err(Problem::from)?;
        Ok(Response::new(CreateFeeScheduleResponse { fee_schedule: Some(told(&put_up)) }))
    }

    async fn get_fee_schedule(
        &self,
        request: Request<GetFeeScheduleRequest>,
    ) -> Result<Response<GetFeeScheduleResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.FeeSchedules/GetFeeSchedule")?;
        let id = read::id(&request.into_inner().fee_schedule_id).map(FeeScheduleId).ok_or_else(none)?;
        let found = self.books.schedule(id).await.map_err(Problem::from)?.ok_or_else(none)?;
        Ok(Response::new(GetFeeScheduleResponse { fee_schedule: Some(told(&found)) }))
    }

    async fn list_fee_schedules(
        &self,
        request: Request<ListFeeSchedulesRequest>,
    ) -> Result<Response<ListFeeSchedulesResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.FeeSchedules/ListFeeSchedules")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let after: Option<Position> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = findings.into_result(limit)?;
        let found = self.books.schedules(&Page { after, limit: limit + 1 }).await.map_err(Problem::from)?;
        let (found, next) = read::page(found, limit, |last| last.item.position())?;
        Ok(Response::new(ListFeeSchedulesResponse { items: found.iter().map(told).collect(), next }))
    }

    async fn replace_fee_schedule(
        &self,
        request: Request<ReplaceFeeScheduleRequest>,
    ) -> Result<Response<ReplaceFeeScheduleResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.FeeSchedules/ReplaceFeeSchedule")?;
        let asked = request.into_inner();
        let id = read::id(&asked.fee_schedule_id).map(FeeScheduleId).ok_or_else(none)?;
        let schedule = schedule(&asked.fee_schedule.unwrap_or_default())?;
        let expected = version(asked.expected_version);
        let replaced = self.books.replace_schedule(&caller, id, expected, schedule).await.map_err(Problem::from)?;
        Ok(Response::new(ReplaceFeeScheduleResponse { fee_schedule: Some(told(&replaced)) }))
    }

    async fn find_fee(&self, request: Request<FindFeeRequest>) -> Result<Response<FindFeeResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.FeeSchedules/FindFee")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let code = read::code(&asked.system, &asked.code, "", &mut findings);
        let modifiers = read::modifiers(&asked.modifiers, "", &mut findings);
        let payer = read::optional_id(asked.payer_id.as_deref(), "payer_id", &mut findings).map(PayerId);
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings);
        let (code, modifiers) = findings.into_result(code.zip(modifiers))?;
        let date = date.unwrap_or_else(|| self.books.settings.day(Timestamp::now()));
        let found = self.books.fee(code, modifiers, payer, date).await.map_err(Problem::from)?;
        let found =
            found.ok_or_else(|| Problem::new(Kind::NotFound, "No fee schedule has this service on that day."))?;
        Ok(Response::new(FindFeeResponse { fee: Some(messages::fee(&found.fee)) }))
    }
}

fn none() -> Problem {
    Problem::new(Kind::NotFound, "There is no such fee schedule.")
}

fn told(found: &Versioned<FeeSchedule>) -> wire::FeeSchedule {
    messages::fee_schedule(&found.item, found.version)
}

fn schedule(given: &wire::FeeSchedule) -> Result<FeeSchedule, Problem> {
    let mut findings = Findings::default();
    for (name, is_given) in [
        ("fee_schedule_id", !given.fee_schedule_id.is_empty()),
        ("version", given.version != 0),
        ("created_time", given.created_time.is_some()),
    ] {
        if is_given {
            findings.add(format!("fee_schedule.{name}"), "is not given by who puts it up");
        }
    }
    let name = read::text(&given.name, LONGEST_NAME, "fee_schedule.name", &mut findings);
    let payer = read::optional_id(given.payer_id.as_deref(), "fee_schedule.payer_id", &mut findings);
    let from = read::date(&given.effective_from, "fee_schedule.effective_from", &mut findings);
    let to = read::optional_date(given.effective_to.as_deref(), "fee_schedule.effective_to", &mut findings);
    let currency = read::currency(&given.currency_code, "fee_schedule.currency_code", &mut findings);
    let fees = lines::fees(&given.fees, &mut findings);
    let whole = (|| {
        Some(FeeSchedule {
            id: FeeScheduleId(Uuid::nil()),
            name: name?,
            payer_id: payer.map(PayerId),
            effective_from: from?,
            effective_to: to,
            currency: currency?,
            fees: fees?,
            created_at: Timestamp::now(),
        })
    })();
    findings.into_result(whole)
}
