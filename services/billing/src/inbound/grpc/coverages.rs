//! `billing.v1.Coverages`

mod given;

use access::Caller;
use contracts::billing::v1::{
    CheckEligibilityRequest, CheckEligibilityResponse, CreateCoverageRequest, CreateCoverageResponse,
    GetAccumulatorsRequest, GetAccumulatorsResponse, GetCoverageRequest, GetCoverageResponse, ListCoveragesRequest,
    ListCoveragesResponse, ReplaceCoverageRequest, ReplaceCoverageResponse, coverages_server,
};
use jiff::{Timestamp, civil::Date};
use problem::{Problem, input::Findings};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{
    admission::{Admission, Shown, keyed},
    invoices::version,
    read,
};
use crate::{
    domain::{coverage::CoverageId, ids::PatientId},
    outbound::{
        coverage_messages::{accumulators, coverage as told, eligibility},
        coverages::WantedCoverages,
        eligibility::answer_id,
        kept::KeepError,
    },
    service::{Books, CoverageError},
};

/// The methods of the service.
pub const METHODS: [&str; 6] = [
    "billing.v1.Coverages/CreateCoverage",
    "billing.v1.Coverages/GetCoverage",
    "billing.v1.Coverages/ListCoverages",
    "billing.v1.Coverages/ReplaceCoverage",
    "billing.v1.Coverages/CheckEligibility",
    "billing.v1.Coverages/GetAccumulators",
];

const KIND: &str = "coverage";

/// How old an answer of a payer may be when nothing is said of it: a day.
const USUAL_AGE: i64 = 24 * 60 * 60;

/// The service `billing.v1.Coverages`.
#[derive(Clone, Debug)]
pub struct Coverages {
    books: Books,
    admission: Admission,
}

impl Coverages {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }

    fn found(&self, caller: &Caller, id: &str) -> Result<CoverageId, Problem> {
        read::id(id).map(CoverageId).ok_or_else(|| self.admission.missed(caller, KIND, None))
    }

    fn refused(&self, caller: &Caller, id: CoverageId, error: CoverageError) -> Problem {
        match error {
            CoverageError::Kept(KeepError::Unknown(_)) => self.admission.missed(caller, KIND, Some(id.0)),
            error => error.into(),
        }
    }

    /// A day that may be given; today without it.
    fn day(&self, given: Option<&str>, findings: &mut Findings) -> Date {
        read::optional_date(given, "date", findings).unwrap_or_else(|| self.books.day(Timestamp::now()))
    }
}

#[tonic::async_trait]
impl coverages_server::Coverages for Coverages {
    async fn create_coverage(
        &self,
        request: Request<CreateCoverageRequest>,
    ) -> Result<Response<CreateCoverageResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Coverages/CreateCoverage")?;
        let key = keyed(&metadata, &caller, "billing.v1.Coverages/CreateCoverage", KIND, &asked)?;
        let coverage = given::coverage(CoverageId(Uuid::nil()), &asked.coverage.unwrap_or_default())?;
        let created = self.books.create_coverage(&caller, coverage, key).await.map_err(Problem::from)?;
        Ok(Response::new(CreateCoverageResponse { coverage: Some(told(&created)) }))
    }

    async fn get_coverage(
        &self,
        request: Request<GetCoverageRequest>,
    ) -> Result<Response<GetCoverageResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Coverages/GetCoverage")?;
        let id = self.found(&caller, &request.into_inner().coverage_id)?;
        let found = self.books.coverage(id).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        let patient = Some(found.item.patient_id.0);
        self.admission.show(&caller, Shown { kind: KIND, id: Some(id.0), version: Some(found.version), patient })?;
        Ok(Response::new(GetCoverageResponse { coverage: Some(told(&found)) }))
    }

    async fn list_coverages(
        &self,
        request: Request<ListCoveragesRequest>,
    ) -> Result<Response<ListCoveragesResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Coverages/ListCoverages")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let patient = read::required_id(&asked.patient_id, "patient_id", &mut findings);
        let date = read::optional_date(asked.date.as_deref(), "date", &mut findings);
        let patient = findings.into_result(patient)?;
        let wanted = WantedCoverages { patient_id: PatientId(patient), date };
        let found = self.books.coverages(&wanted).await.map_err(Problem::from)?;
        self.admission.show(&caller, Shown::list(KIND, Some(patient)))?;
        Ok(Response::new(ListCoveragesResponse { items: found.iter().map(told).collect() }))
    }

    async fn replace_coverage(
        &self,
        request: Request<ReplaceCoverageRequest>,
    ) -> Result<Response<ReplaceCoverageResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Coverages/ReplaceCoverage")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.coverage_id)?;
        let coverage = given::coverage(id, &asked.coverage.unwrap_or_default())?;
        let replaced = self.books.replace_coverage(&caller, version(asked.expected_version), coverage).await;
        let replaced = replaced.map_err(|error| self.refused(&caller, id, error))?;
        Ok(Response::new(ReplaceCoverageResponse { coverage: Some(told(&replaced)) }))
    }

    async fn check_eligibility(
        &self,
        request: Request<CheckEligibilityRequest>,
    ) -> Result<Response<CheckEligibilityResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Coverages/CheckEligibility")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.coverage_id)?;
        let mut findings = Findings::default();
        let date = self.day(asked.date.as_deref(), &mut findings);
        let max_age = asked.max_age_seconds.unwrap_or(USUAL_AGE);
        if max_age < 0 {
            findings.add("max_age_seconds", "must not be below 0");
        }
        let date = findings.into_result(Some(date))?;
        let answer = self.books.check_eligibility(&caller, id, date, max_age).await;
        let answer = answer.map_err(|error| self.refused(&caller, id, error))?;
        // Who has asked the payer is in the audit by what was kept of the answer.
        if answer.is_kept {
            self.admission.show(
                &caller,
                Shown {
                    kind: "eligibility",
                    id: Some(answer_id(id, date)),
                    version: Some(answer.said.version),
                    patient: Some(answer.coverage.patient_id.0),
                },
            )?;
        }
        let told = eligibility(&answer.said.item, Timestamp::now());
        Ok(Response::new(CheckEligibilityResponse { eligibility: Some(told) }))
    }

    async fn get_accumulators(
        &self,
        request: Request<GetAccumulatorsRequest>,
    ) -> Result<Response<GetAccumulatorsResponse>, Status> {
        let caller = self.admission.admit(request.metadata(), "billing.v1.Coverages/GetAccumulators")?;
        let asked = request.into_inner();
        let id = self.found(&caller, &asked.coverage_id)?;
        let mut findings = Findings::default();
        let date = self.day(asked.date.as_deref(), &mut findings);
        let date = findings.into_result(Some(date))?;
        let found = self.books.accumulated(id, date).await.map_err(Problem::from)?;
        let found = found.ok_or_else(|| self.admission.missed(&caller, KIND, Some(id.0)))?;
        let patient = Some(found.coverage.patient_id.0);
        self.admission
            .show(&caller, Shown { kind: "accumulators", id: Some(id.0), version: found.version, patient })?;
        let told = accumulators(&found.coverage, found.year, found.used);
        Ok(Response::new(GetAccumulatorsResponse { accumulators: Some(told) }))
    }
}
