//! What a clinic tells in a day: visits with all that follows of them, as `patient` and `billing` tell it.

use anyhow::Result;
use contracts::{
    billing::v1::{
        ClaimChanged, ClaimFirstAnswer, ClaimOutcome, ClaimSnapshot, InvoiceBalance, InvoiceChanged, InvoiceCreated,
        InvoiceSnapshot, JournalEntrySnapshot, JournalPosted, LedgerAccount, PaymentMethod, PaymentRecorded,
        PaymentSnapshot, PaymentStatus, PostedMove, ServiceShare,
    },
    patient::v1::{
        AppointmentBooked, AppointmentChanged, AppointmentSnapshot, Code, EncounterFinished, EncounterSnapshot,
        EncounterStatus, ServiceLine,
    },
    topic,
};
use jiff::{SignedDuration, Timestamp};
use sidecar::event::Event;
use uuid::Uuid;

use crate::growth::loading::{self, moment, registered};

/// Where it happens.
const ZONE: &str = "America/New_York";
/// One visit in so many is of a new patient.
const NEW: u64 = 4;
const CODES: [&str; 4] = ["99213", "99214", "85025", "36415"];
const PRICE: i64 = 12_000;

/// What there is of each, as in the year that is loaded.
pub(super) const CLINICS: u64 = 4;
/// Ten at each clinic.
pub(super) const PRACTITIONERS: u64 = 40;
/// Offered everywhere.
pub(super) const SERVICES: u64 = 12;

/// The `n`-th of its kind.
pub(super) fn nth(kind: &str, n: u64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind} {n}").as_bytes())
}

/// Events of one visit.
pub(super) struct Visit {
    /// What `patient` tells.
    pub(super) patient: Vec<Event>,
    /// What `billing` tells.
    pub(super) billing: Vec<Event>,
}

struct Place {
    n: u64,
    patient: Uuid,
    clinic: String,
    practitioner: String,
    start: Timestamp,
    now: Timestamp,
}

/// The events of the `n`-th visit, within a fortnight before now: 12 or 13 of them, and one more of a new patient.
pub(super) fn visit(n: u64, now: Timestamp) -> Result<Visit> {
    let ago = SignedDuration::from_mins(i64::try_from(n * 7919 % (14 * 24 * 60))? + 60);
    let place = Place {
        n,
        patient: loading::id(n / NEW),
        clinic: nth("clinic", n % CLINICS).to_string(),
        practitioner: nth("practitioner", n % PRACTITIONERS).to_string(),
        start: now.checked_sub(ago)?,
        now,
    };
    let mut patient = Vec::new();
    if n.is_multiple_of(NEW) {
        patient.push(registered(place.patient, place.start)?);
    }
    for version in 1..=4 {
        patient.push(place.appointment(version)?);
    }
    patient.push(place.encounter()?);
    let mut billing = Vec::new();
    for version in 1..=3 {
        billing.push(place.invoice(version)?);
    }
    billing.push(place.payment()?);
    for version in 1..=2 {
        billing.push(place.claim(version)?);
    }
    for act in 0..3 {
        billing.push(place.entry(act)?);
    }
    Ok(Visit { patient, billing })
}

impl Place {
    fn id(&self, kind: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("visit {kind} {}", self.n).as_bytes())
    }

    fn after(&self, minutes: i64) -> Option<contracts::Timestamp> {
        self.start.checked_add(SignedDuration::from_mins(minutes)).ok().map(moment)
    }

    fn code(&self) -> &'static str {
        CODES[usize::try_from(self.n).unwrap_or_default() % CODES.len()]
    }

    /// Booked, arrived, seen, done.
    fn appointment(&self, version: i64) -> Result<Event> {
        let lead = i64::try_from(self.n % 60).unwrap_or_default() * 24 * 60;
        let wait = i64::try_from(self.n % 30).unwrap_or_default();
        let snapshot = AppointmentSnapshot {
            appointment_id: self.id("appointment").to_string(),
            version,
            status: ["booked", "arrived", "checked-in", "fulfilled"][usize::try_from(version - 1)?].to_owned(),
            patient_id: self.patient.to_string(),
            practitioner_id: self.practitioner.clone(),
            service_id: nth("service", self.n / PRACTITIONERS % SERVICES).to_string(),
            clinic_id: self.clinic.clone(),
            time_zone: ZONE.to_owned(),
            start_time: self.after(0),
            end_time: self.after(20),
            created_time: self.after(-lead - 30),
            changed_time: Some(moment(self.now)),
            booked_time: self.after(-lead - 30),
            arrived_time: self.after(-wait).filter(|_| version > 1),
            started_time: self.after(0).filter(|_| version > 2),
            finished_time: self.after(20).filter(|_| version > 3),
            ..AppointmentSnapshot::default()
        };
        let appointment = Some(snapshot);
        let (id, event, time) = (self.id("appointment"), Uuid::now_v7(), self.now);
        let made = if version == 1 {
            let told = AppointmentBooked { appointment };
            Event::new(topic::APPOINTMENT_BOOKED, "patient", id, event, time, None, &told)
        } else {
            let told = AppointmentChanged { appointment };
            Event::new(topic::APPOINTMENT_CHANGED, "patient", id, event, time, None, &told)
        };
        Ok(made?)
    }

    fn encounter(&self) -> Result<Event> {
        let line = |code: &str| ServiceLine {
            code: Some(Code { code: code.to_owned(), ..Code::default() }),
            units: 1,
            ..ServiceLine::default()
        };
        let snapshot = EncounterSnapshot {
            encounter_id: self.id("encounter").to_string(),
            version: 1,
            patient_id: self.patient.to_string(),
            clinic_id: self.clinic.clone(),
            practitioner_id: self.practitioner.clone(),
            appointment_id: self.id("appointment").to_string(),
            status: EncounterStatus::Finished.into(),
            recorded_time: self.after(0),
            changed_time: self.after(20),
            period_start: self.after(0),
            period_end: self.after(20),
            services: vec![line(self.code()), line("36416")],
            time_zone: ZONE.to_owned(),
            ..EncounterSnapshot::default()
        };
        let told = EncounterFinished { encounter: Some(snapshot) };
        let id = self.id("encounter");
        Ok(Event::new(topic::ENCOUNTER_FINISHED, "patient", id, Uuid::now_v7(), self.now, None, &told)?)
    }

    /// A draft, issued, paid by the patient as far as it is theirs.
    fn invoice(&self, version: i64) -> Result<Event> {
        let patient_open = if version == 3 { 0 } else { PRICE / 4 };
        let snapshot = InvoiceSnapshot {
            invoice_id: self.id("invoice").to_string(),
            version,
            patient_id: self.patient.to_string(),
            clinic_id: self.clinic.clone(),
            practitioner_id: self.practitioner.clone(),
            currency_code: "USD".to_owned(),
            gross: PRICE,
            total: PRICE,
            balance: Some(InvoiceBalance {
                patient_open,
                insurance_open: PRICE - PRICE / 4,
                ..InvoiceBalance::default()
            }),
            created_time: self.after(30),
            issued_time: self.after(40).filter(|_| version > 1),
            changed_time: Some(moment(self.now)),
            ..InvoiceSnapshot::default()
        };
        let invoice = Some(snapshot);
        let (id, event, time) = (self.id("invoice"), Uuid::now_v7(), self.now);
        let made = if version == 1 {
            let told = InvoiceCreated { invoice };
            Event::new(topic::BILLING_INVOICE_CREATED, "billing", id, event, time, None, &told)
        } else {
            let told = InvoiceChanged { invoice };
            Event::new(topic::BILLING_INVOICE_CHANGED, "billing", id, event, time, None, &told)
        };
        Ok(made?)
    }

    fn payment(&self) -> Result<Event> {
        let snapshot = PaymentSnapshot {
            payment_id: self.id("payment").to_string(),
            version: 1,
            patient_id: self.patient.to_string(),
            method: PaymentMethod::Card.into(),
            status: PaymentStatus::Captured.into(),
            currency_code: "USD".to_owned(),
            amount: PRICE / 4,
            recorded_time: self.after(50),
            captured_time: self.after(50),
            changed_time: self.after(50),
            ..PaymentSnapshot::default()
        };
        let told = PaymentRecorded { payment: Some(snapshot) };
        let id = self.id("payment");
        Ok(Event::new(topic::BILLING_PAYMENT_RECORDED, "billing", id, Uuid::now_v7(), self.now, None, &told)?)
    }

    /// Sent, answered.
    fn claim(&self, version: i64) -> Result<Event> {
        let answer = ClaimFirstAnswer {
            date: self.date(),
            outcome: ClaimOutcome::Paid.into(),
            first_pass: true,
            billed: PRICE,
            paid: PRICE / 2,
            denied: Some(0),
        };
        let snapshot = ClaimSnapshot {
            claim_id: self.id("claim").to_string(),
            version,
            patient_id: self.patient.to_string(),
            invoice_id: self.id("invoice").to_string(),
            payer_id: self.payer(),
            currency_code: "USD".to_owned(),
            total: PRICE,
            paid: if version == 1 { 0 } else { PRICE / 2 },
            patient: if version == 1 { 0 } else { PRICE / 4 },
            created_time: self.after(60),
            submitted_time: self.after(90),
            changed_time: Some(moment(self.now)),
            first_answer: (version > 1).then_some(answer),
            clinic_id: self.clinic.clone(),
            practitioner_id: self.practitioner.clone(),
            ..ClaimSnapshot::default()
        };
        let told = ClaimChanged { claim: Some(snapshot) };
        let id = self.id("claim");
        Ok(Event::new(topic::BILLING_CLAIM_CHANGED, "billing", id, Uuid::now_v7(), self.now, None, &told)?)
    }

    /// What the visit is worth, what the payer is asked for, what the patient has paid.
    fn entry(&self, act: usize) -> Result<Event> {
        let (debit, credit, amount) = [
            (LedgerAccount::PatientReceivable, LedgerAccount::Revenue, PRICE),
            (LedgerAccount::InsuranceReceivable, LedgerAccount::PatientReceivable, PRICE - PRICE / 4),
            (LedgerAccount::Clearing, LedgerAccount::PatientReceivable, PRICE / 4),
        ][act];
        let share = |code: &str, amount| ServiceShare { service_code: code.to_owned(), amount };
        let moved = PostedMove {
            debit: debit.into(),
            credit: credit.into(),
            amount,
            payer_id: if act == 1 { self.payer() } else { String::new() },
            clinic_id: self.clinic.clone(),
            practitioner_id: self.practitioner.clone(),
            services: vec![share(self.code(), amount - 1_000), share("36416", 1_000)],
            ..PostedMove::default()
        };
        let id = self.id(&format!("journal {act}"));
        let snapshot = JournalEntrySnapshot {
            journal_id: id.to_string(),
            version: 1,
            date: self.date(),
            recorded_time: Some(moment(self.now)),
            patient_id: self.patient.to_string(),
            clinic_id: self.clinic.clone(),
            currency_code: "USD".to_owned(),
            moves: vec![moved],
            ..JournalEntrySnapshot::default()
        };
        let told = JournalPosted { entry: Some(snapshot) };
        Ok(Event::new(topic::BILLING_JOURNAL_POSTED, "billing", id, Uuid::now_v7(), self.now, None, &told)?)
    }

    fn payer(&self) -> String {
        nth("payer", self.n % 5).to_string()
    }

    fn date(&self) -> String {
        self.start.strftime("%Y-%m-%d").to_string()
    }
}
