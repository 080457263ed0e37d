//! What others are told of an appointment: ids, codes and times.

use contracts::patient::v1::AppointmentSnapshot;
use jiff::Timestamp;

use crate::domain::appointment::{Appointment, AppointmentId, Stamps};

pub(super) fn snapshot(id: AppointmentId, appointment: &Appointment, version: u64) -> AppointmentSnapshot {
    let time = |time: Timestamp| contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() };
    let Stamps {
        created,
        changed,
        booked,
        rescheduled,
        confirmed,
        arrived,
        checked_in,
        started,
        finished,
        cancelled,
        no_show,
        corrected,
    } = appointment.stamps;
    let (placement, place) = (appointment.placement.as_ref(), appointment.place());
    let waiting = appointment.waiting;
    let practitioner = place.map(|place| place.practitioner).or_else(|| waiting?.practitioner);
    AppointmentSnapshot {
        appointment_id: id.to_string(),
        version: i64::try_from(version).unwrap_or(i64::MAX),
        status: appointment.status.code().to_owned(),
        patient_id: appointment.patient_id.to_string(),
        practitioner_id: practitioner.map(|practitioner| practitioner.to_string()).unwrap_or_default(),
        room_id: place.and_then(|place| place.room).map(|room| room.to_string()).unwrap_or_default(),
        service_id: appointment.service_id.to_string(),
        clinic_id: appointment.clinic_id.to_string(),
        time_zone: appointment.time_zone.clone(),
        series_id: appointment.series.map(|series| series.id.to_string()).unwrap_or_default(),
        start_time: place.map(|place| time(place.time.start)),
        end_time: place.map(|place| time(place.time.end)),
        lane: placement.map_or(0, |placement| placement.lane.into()),
        overbooked: placement.is_some_and(|placement| placement.overbooking.is_some()),
        requested_start_time: waiting.map(|waiting| time(waiting.requested_period.start)),
        requested_end_time: waiting.map(|waiting| time(waiting.requested_period.end)),
        reschedules: i32::try_from(appointment.reschedules).unwrap_or(i32::MAX),
        created_time: Some(time(created)),
        changed_time: Some(time(changed)),
        booked_time: booked.map(time),
        rescheduled_time: rescheduled.map(time),
        confirmed_time: confirmed.map(time),
        arrived_time: arrived.map(time),
        checked_in_time: checked_in.map(time),
        started_time: started.map(time),
        finished_time: finished.map(time),
        cancelled_time: cancelled.map(time),
        no_show_time: no_show.map(time),
        corrected_time: corrected.map(time),
        cancellation_reason: appointment.cancellation.map(|done| done.reason.code().to_owned()).unwrap_or_default(),
        cancelled_late: appointment.cancellation.is_some_and(|done| done.late),
    }
}
