//! The topics, named for what happened; `dapr/access.yaml` says who publishes and who subscribes.

/// [`PatientRegistered`](crate::patient::v1::PatientRegistered)
pub const PATIENT_REGISTERED: &str = "patient.registered";
/// [`PatientUpdated`](crate::patient::v1::PatientUpdated)
pub const PATIENT_UPDATED: &str = "patient.updated";
/// [`EncounterFinished`](crate::patient::v1::EncounterFinished)
pub const ENCOUNTER_FINISHED: &str = "encounter.finished";
/// [`AccountOpened`](crate::billing::v1::AccountOpened)
pub const BILLING_ACCOUNT_OPENED: &str = "billing.account.opened";
/// [`AppointmentBooked`](crate::patient::v1::AppointmentBooked)
pub const APPOINTMENT_BOOKED: &str = "appointment.booked";
/// [`AppointmentChanged`](crate::patient::v1::AppointmentChanged)
pub const APPOINTMENT_CHANGED: &str = "appointment.changed";
/// [`InvoiceCreated`](crate::billing::v1::InvoiceCreated)
pub const BILLING_INVOICE_CREATED: &str = "billing.invoice.created";
/// [`InvoiceChanged`](crate::billing::v1::InvoiceChanged)
pub const BILLING_INVOICE_CHANGED: &str = "billing.invoice.changed";
/// [`PaymentRecorded`](crate::billing::v1::PaymentRecorded)
pub const BILLING_PAYMENT_RECORDED: &str = "billing.payment.recorded";
/// [`ClaimChanged`](crate::billing::v1::ClaimChanged)
pub const BILLING_CLAIM_CHANGED: &str = "billing.claim.changed";
/// [`JournalPosted`](crate::billing::v1::JournalPosted)
pub const BILLING_JOURNAL_POSTED: &str = "billing.journal.posted";
