//! `billing.v1.Days`

use contracts::billing::v1::{
    self as wire, CloseDayRequest, CloseDayResponse, DayStatus, GetDayRequest, GetDayResponse, ListDaysRequest,
    ListDaysResponse, days_server,
};
use jiff::{Span, civil::Date};
use problem::{Kind, Problem, input::Findings};
use tonic::{Request, Response, Status};

use super::{
    admission::{Admission, keyed},
    read,
    refusals::{key_reused, wrong_currency},
};
use crate::{
    domain::{
        day::{Day, Refusal},
        money::{Amount, LARGEST},
    },
    outbound::{
        days::{FoundDay, WantedDays},
        messages,
    },
    service::{
        Books,
        days::{CloseDay, CloseError},
    },
};

/// The methods of the service.
pub const METHODS: [&str; 3] = ["billing.v1.Days/CloseDay", "billing.v1.Days/GetDay", "billing.v1.Days/ListDays"];

const LONGEST_NOTE: usize = 500;

/// The service `billing.v1.Days`. Days tell nothing of anybody, so reads are not in the audit.
#[derive(Clone, Debug)]
pub struct Days {
    books: Books,
    admission: Admission,
}

impl Days {
    /// The service on these books.
    pub fn new(books: Books, admission: Admission) -> Self {
        Self { books, admission }
    }
}

#[tonic::async_trait]
impl days_server::Days for Days {
    async fn close_day(&self, request: Request<CloseDayRequest>) -> Result<Response<CloseDayResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let caller = self.admission.admit(&metadata, "billing.v1.Days/CloseDay")?;
        let key = keyed(&metadata, &caller, "billing.v1.Days/CloseDay", &asked.date, &asked)?;
        let mut findings = Findings::default();
        let date = read::date(&asked.date, "date", &mut findings);
        let counted = counted(asked.cash_counted, &mut findings);
        let currency = read::currency(&asked.currency_code, "currency_code", &mut findings);
        let note = read::optional_text(asked.note.as_deref(), LONGEST_NOTE, "note", &mut findings);
        let whole = (|| Some(CloseDay { date: date?, counted: counted?, currency: currency?, note }))();
        let asked = findings.into_result(whole)?;
        let day = self.books.close_day(&caller, asked, key).await.map_err(Problem::from)?;
        Ok(Response::new(CloseDayResponse { day: Some(closed(&day)) }))
    }

    async fn get_day(&self, request: Request<GetDayRequest>) -> Result<Response<GetDayResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Days/GetDay")?;
        let mut findings = Findings::default();
        let date = read::date(&request.into_inner().date, "date", &mut findings);
        let date = findings.into_result(date)?;
        let found = self.books.how_day_stands(date).await.map_err(Problem::from)?;
        let day = match &found.closing {
            Some(closing) => closed(&closing.day),
            None => self.open(date, &found),
        };
        Ok(Response::new(GetDayResponse { day: Some(day) }))
    }

    async fn list_days(&self, request: Request<ListDaysRequest>) -> Result<Response<ListDaysResponse>, Status> {
        self.admission.admit(request.metadata(), "billing.v1.Days/ListDays")?;
        let asked = request.into_inner();
        let mut findings = Findings::default();
        let limit = read::limit(asked.limit, 20, 100, &mut findings);
        let before: Option<Date> = read::cursor(asked.cursor.as_deref(), &mut findings);
        let limit = findings.into_result(limit)?;
        let found = self.books.closings(&WantedDays { before, limit: limit + 1 }).await.map_err(Problem::from)?;
        let (found, next) = read::page(found, limit, |last| last.date)?;
        Ok(Response::new(ListDaysResponse { items: found.iter().map(closed).collect(), next }))
    }
}

impl Days {
    fn open(&self, date: Date, found: &FoundDay) -> wire::Day {
        let first = found.closed.map(|closed| closed.saturating_add(Span::new().days(1)));
        wire::Day {
            date: date.to_string(),
            status: DayStatus::Open.into(),
            first_date: first.map(|first| first.to_string()),
            currency_code: self.books.settings.currency.code().to_owned(),
            cash_expected: found.expected.0,
            ..wire::Day::default()
        }
    }
}

fn closed(day: &Day) -> wire::Day {
    wire::Day {
        date: day.date.to_string(),
        status: DayStatus::Closed.into(),
        first_date: day.first().map(|first| first.to_string()),
        currency_code: day.currency.code().to_owned(),
        cash_expected: day.expected.0,
        cash_counted: Some(day.counted.0),
        cash_difference: Some(day.difference().0),
        note: day.note.clone(),
        closed_time: Some(messages::time(day.closed_at)),
        closed_by: Some(day.closed_by.to_string()),
    }
}

fn counted(given: Option<i64>, findings: &mut Findings) -> Option<Amount> {
    let range = -LARGEST.0..=LARGEST.0;
    let read = given.filter(|counted| range.contains(counted)).map(Amount);
    if read.is_none() {
        let detail = format!("must be from {} to {} minor units", range.start(), range.end());
        findings.add("cash_counted", if given.is_none() { "is required".to_owned() } else { detail });
    }
    read
}

impl From<CloseError> for Problem {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::Currency(currency) => wrong_currency("currency_code", currency),
            CloseError::KeyReused => key_reused(),
            CloseError::Store(failure) => failure.into(),
            CloseError::Refused(Refusal::Closed) => {
                Self::new(Kind::Conflict, "The day is closed.").with_slug("day-closed")
            }
            CloseError::Refused(Refusal::Ahead { today }) => Self::new(Kind::Conflict, "The day has not begun.")
                .with_slug("day-ahead")
                .with("today", today.to_string()),
            CloseError::Refused(Refusal::NoNote { expected }) => {
                Self::new(Kind::Conflict, "What was counted is not what the books say.")
                    .with_slug("day-difference")
                    .with("expected", expected.0)
                    .with_error("note", "is required where there is a difference")
            }
        }
    }
}
