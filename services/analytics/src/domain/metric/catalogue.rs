//! All metrics, with their definitions.

use super::{
    super::zone::Group::{self, Day, Hour},
    Dimension::{self, Age, Clinic, Family, Payer, Practitioner, Service},
    Formula::{Aging, DaysInReceivables, Level, Median, NinthTenth, OverNinety, Ratio, Sum, Utilisation},
    Measure, Metric, Topic, Unit,
};

const NONE: &[Dimension] = &[];
const BOOKED: &[Dimension] = &[Clinic, Practitioner, Service];
const SEEN: &[Dimension] = &[Clinic, Practitioner];
const DONE: &[Dimension] = &[Clinic, Practitioner, Service, Family];
const PAID: &[Dimension] = &[Clinic, Practitioner, Service, Family, Payer];
const CLAIMED: &[Dimension] = &[Clinic, Practitioner, Payer];

macro_rules! metrics {
    ($($topic:ident: {$(
        $name:literal $title:literal $unit:ident by $dimensions:ident from $finest:ident = $formula:expr, $definition:literal;
    )+})+) => {
        /// All of them, in the order in which pages tell them.
        pub const METRICS: &[Metric] = &[$($(Metric {
            name: $name,
            title: $title,
            definition: $definition,
            unit: Unit::$unit,
            topic: Topic::$topic,
            dimensions: $dimensions,
            finest: $finest as Group,
            formula: $formula,
        },)+)+];
    };
}

metrics! {
    Patients: {
        "patient-load" "Patient load" Count by SEEN from Hour = Sum(&[(Measure::Arrived, 1), (Measure::WalkIns, 1)]),
            "Patients who came: with an appointment at the moment of their arrival, without one at the moment their encounter began. An encounter without an appointment is known when it is finished.";
        "registrations" "Registrations" Count by NONE from Hour = Sum(&[(Measure::Registered, 1)]),
            "Patients, at the moment they were registered.";
        "panel" "Panel" Count by NONE from Day = Level(Measure::Active),
            "Patients who were registered until the end of the period and whose record is in use now.";
        "new-patients" "New patients" Count by SEEN from Day = Sum(&[(Measure::NewPatients, 1)]),
            "Finished encounters of patients who had no finished encounter anywhere in the group in the 36 months before, at the moment they began.";
        "returning-patients" "Returning patients" Count by SEEN from Day = Sum(&[(Measure::ReturningPatients, 1)]),
            "Finished encounters of patients who had a finished encounter in the group in the 36 months before, at the moment they began.";
    }
    Appointments: {
        "bookings" "Bookings" Count by BOOKED from Day = Sum(&[(Measure::Bookings, 1)]),
            "Appointments, at the moment they were booked, whatever became of them.";
        "appointments-booked" "Appointments booked" Count by BOOKED from Day = Sum(&[(Measure::Appointments, 1)]),
            "Appointments that were booked, by their start, whatever became of them; those entered in error are not counted.";
        "appointments-kept" "Appointments kept" Count by BOOKED from Day = Sum(&[(Measure::Kept, 1)]),
            "Appointments that were fulfilled, by their start.";
        "appointments-cancelled" "Appointments cancelled" Count by BOOKED from Day = Sum(&[(Measure::Cancelled, 1)]),
            "Booked appointments that were cancelled, by the start that they had.";
        "appointments-cancelled-late" "Cancelled late" Count by BOOKED from Day = Sum(&[(Measure::CancelledLate, 1)]),
            "Appointments that were cancelled within 24 hours of their start, by that start.";
        "late-cancel-rate" "Late cancellations" Ratio by BOOKED from Day =
            Ratio(&[(Measure::CancelledLate, 1)], &[(Measure::Appointments, 1)]),
            "Appointments cancelled within 24 hours of their start, divided by all that were booked, by start.";
        "no-shows" "No-shows" Count by BOOKED from Day = Sum(&[(Measure::NoShow, 1)]),
            "Appointments that the patient did not come to, by their start.";
        "no-show-rate" "No-show rate" Ratio by BOOKED from Day =
            Ratio(&[(Measure::NoShow, 1)], &[(Measure::NoShow, 1), (Measure::Kept, 1)]),
            "No-shows divided by no-shows and kept appointments together, by start.";
        "no-show-rate-of-booked" "No-show rate of all booked" Ratio by BOOKED from Day =
            Ratio(&[(Measure::NoShow, 1)], &[(Measure::Appointments, 1)]),
            "No-shows divided by all appointments that were booked, cancelled ones included, by start.";
        "reschedules" "Rescheduled" Count by BOOKED from Day = Sum(&[(Measure::Rescheduled, 1)]),
            "Appointments that were moved at least once, by their present start.";
        "lead-time-median" "Lead time" Days by BOOKED from Day = Median(Measure::LeadDays),
            "Whole days from booking to start of booked appointments, by start: half of them had at most so many.";
        "lead-time-p90" "Lead time, 9 in 10" Days by BOOKED from Day = NinthTenth(Measure::LeadDays),
            "Whole days from booking to start of booked appointments, by start: nine in ten had at most so many.";
        "wait-time-median" "Wait" Minutes by BOOKED from Day = Median(Measure::WaitMinutes),
            "Whole minutes from arrival to the beginning of the appointment, by arrival: half of the patients waited at most so many.";
        "wait-time-p90" "Wait, 9 in 10" Minutes by BOOKED from Day = NinthTenth(Measure::WaitMinutes),
            "Whole minutes from arrival to the beginning of the appointment, by arrival: nine in ten patients waited at most so many.";
        "cycle-time-median" "Time in clinic" Minutes by BOOKED from Day = Median(Measure::CycleMinutes),
            "Whole minutes from arrival to the end of the appointment, by arrival: half of the patients were there at most so many.";
        "cycle-time-p90" "Time in clinic, 9 in 10" Minutes by BOOKED from Day = NinthTenth(Measure::CycleMinutes),
            "Whole minutes from arrival to the end of the appointment, by arrival: nine in ten patients were there at most so many.";
        "waitlist-filled" "Filled from the waiting list" Count by BOOKED from Day = Sum(&[(Measure::WaitedAndBooked, 1)]),
            "Requests on the waiting list that got a time, by the moment they were put on it.";
        "waitlist-fill-rate" "Waiting list filled" Ratio by BOOKED from Day =
            Ratio(&[(Measure::WaitedAndBooked, 1)], &[(Measure::Waited, 1)]),
            "Requests on the waiting list that got a time divided by all requests, by the moment they were put on it.";
        "utilisation" "Utilisation" Ratio by SEEN from Day = Utilisation(Measure::BookedMinutes),
            "Minutes of appointments that were not cancelled divided by the minutes that practitioners' hours offer, by start.";
        "utilisation-kept" "Utilisation, kept" Ratio by SEEN from Day = Utilisation(Measure::KeptMinutes),
            "Minutes of kept appointments divided by the minutes that practitioners' hours offer, by start.";
    }
    Services: {
        "encounters" "Encounters" Count by SEEN from Hour = Sum(&[(Measure::Encounters, 1)]),
            "Finished encounters, at the moment they began; those entered in error are not counted.";
        "service-units" "Services" Count by DONE from Day = Sum(&[(Measure::ServiceUnits, 1)]),
            "Units of services of finished encounters, at the moment the encounter began.";
    }
    Revenue: {
        "charged" "Charged" Money by DONE from Day = Sum(&[(Measure::Charged, 1)]),
            "What was charged by the fee schedule before discounts and tax, less what was credited or voided, by the day of the books.";
        "allowed" "Allowed" Money by DONE from Day =
            Sum(&[(Measure::Charged, 1), (Measure::Discounted, -1), (Measure::Adjusted, -1)]),
            "What was charged less discounts and what contracts with payers leave unpaid, by the day of the books.";
        "collected" "Collected" Money by PAID from Day = Sum(&[(Measure::Collected, 1)]),
            "What invoices got of payments of patients and payers, less what was given back, by the day of the books; divided among services in proportion to their totals.";
        "paid-in" "Paid by patients" Money by NONE from Hour = Sum(&[(Measure::PaidIn, 1)]),
            "Payments of patients that were captured, less what was refunded or charged back, at the moment of capture, used for invoices or not.";
        "written-off" "Written off" Money by PAID from Day = Sum(&[(Measure::WrittenOff, 1)]),
            "Small balances, bad debt, courtesy and denials that are not asked for any more, by the day of the books.";
        "outstanding" "Outstanding" Money by PAID from Day = Level(Measure::Receivable),
            "What patients and payers owe at the end of the period.";
        "net-collection-rate" "Net collection rate" Ratio by DONE from Day = Ratio(
            &[(Measure::Collected, 1)],
            &[(Measure::Charged, 1), (Measure::Discounted, -1), (Measure::Adjusted, -1)],
        ),
            "Collected divided by allowed, by the day of the books.";
        "days-in-ar" "Days in receivables" Days by NONE from Day = DaysInReceivables,
            "Outstanding at the end of the period divided by what was charged on a day, of the 90 days before that end.";
        "receivables-by-age" "Receivables by age" Money by OPEN from Day = Aging,
            "What is open of invoices now; by age, by the days since they were issued.";
        "ar-over-90-rate" "Receivables over 90 days" Ratio by NONE from Day = OverNinety,
            "The part of what is open now whose invoice was issued more than 90 days ago.";
    }
    Claims: {
        "claims-submitted" "Claims submitted" Count by CLAIMED from Day = Sum(&[(Measure::ClaimsSubmitted, 1)]),
            "Claims, on the day they were first sent.";
        "claims-charged" "Charged to payers" Money by CLAIMED from Day = Sum(&[(Measure::ClaimsCharged, 1)]),
            "What claims ask for, on the day they were first sent.";
        "claims-allowed" "Allowed by payers" Money by CLAIMED from Day = Sum(&[(Measure::ClaimsAllowed, 1)]),
            "What payers allow of claims by the answer that stands: what they pay and what they leave to the patient; on the day they were first sent.";
        "claims-paid" "Paid by payers" Money by CLAIMED from Day = Sum(&[(Measure::ClaimsPaid, 1)]),
            "What payers pay of claims by the answer that stands, on the day they were first sent.";
        "claims-answered" "Claims answered" Count by CLAIMED from Day = Sum(&[(Measure::ClaimsAnswered, 1)]),
            "Claims, on the day of the books of their first answer.";
        "claims-denied" "Claims denied" Count by CLAIMED from Day = Sum(&[(Measure::ClaimsDenied, 1)]),
            "Claims that their first answer denied wholly or in part, on the day of that answer.";
        "denial-rate" "Denial rate" Ratio by CLAIMED from Day =
            Ratio(&[(Measure::ClaimsDenied, 1)], &[(Measure::ClaimsAnswered, 1)]),
            "Claims that their first answer denied wholly or in part divided by claims answered, on the day of that answer.";
        "first-pass-rate" "First-pass rate" Ratio by CLAIMED from Day =
            Ratio(&[(Measure::ClaimsFirstPass, 1)], &[(Measure::ClaimsAnswered, 1)]),
            "Original claims that were never sent back and whose first answer denies nothing, divided by claims answered.";
        "denied-amount" "Denied" Money by CLAIMED from Day = Sum(&[(Measure::DeniedAmount, 1)]),
            "What first answers denied, on their day.";
        "denied-amount-rate" "Denied by amount" Ratio by CLAIMED from Day =
            Ratio(&[(Measure::DeniedAmount, 1)], &[(Measure::ClaimsBilled, 1)]),
            "What first answers denied divided by what the claims asked for, on their day.";
    }
}

const OPEN: &[Dimension] = &[Clinic, Practitioner, Age];

/// The metric of a name.
pub fn named(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_a_definition() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert!(metric.definition.ends_with('.') && !metric.title.is_empty(), "{}", metric.name);
            assert!(metric.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            assert_eq!(named(metric.name).unwrap().name, metric.name);
        }
        assert!(named("shoe-size").is_none());
    }
}
