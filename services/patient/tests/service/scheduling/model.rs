//! The model: who is where, minute by minute.

use jiff::civil::DateTime;
use patient::domain::{
    appointment::{Appointment, AppointmentId, Capacity, Place},
    calendar::{RoomId, interval::Interval},
    patient::PatientId,
};
use serde_json::{Value, json};
use testkit::Result;

use super::{Book, Kept, placed, takes_time};

impl Book {
    /// The first minute in which the clock shows a time, if it does.
    pub(super) fn first(&self, local: DateTime) -> Option<i64> {
        self.clock.iter().position(|shown| *shown == local).map(|minute| i64::try_from(minute).unwrap())
    }

    /// Those who take time, but for some.
    pub(super) fn active(&self, but: &[AppointmentId]) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(move |kept| !but.contains(&kept.id) && takes_time(kept.appointment.status))
    }

    /// Whether somebody may be put there; `but` are in nobody's way.
    pub(super) fn allows(
        &self,
        but: &[AppointmentId],
        patient: PatientId,
        place: &Place,
        declared: Option<Capacity>,
    ) -> bool {
        let on_leave = self.leaves.iter().any(|away| {
            let (start, end) = (self.minute(place.busy.start), self.minute(place.busy.end));
            let concerned = [Some(place.practitioner.as_uuid()), place.room.map(RoomId::as_uuid)];
            concerned.contains(&Some(away.whose)) && (start..end).any(|minute| (away.from..away.to).contains(&minute))
        });
        !on_leave && self.has_room(but, patient, place, declared)
    }

    pub(super) fn has_room(
        &self,
        but: &[AppointmentId],
        patient: PatientId,
        place: &Place,
        declared: Option<Capacity>,
    ) -> bool {
        let declared = declared.unwrap_or(Capacity { practitioner: 1, room: 1 });
        let minutes = |interval: Interval| self.minute(interval.start)..self.minute(interval.end);
        let is_near = |other: Interval| {
            minutes(other).start < minutes(place.busy).end && minutes(place.busy).start < minutes(other).end
        };
        // Who is nowhere near need not be counted in each minute.
        let near: Vec<_> = self.active(but).filter(|kept| is_near(placed(&kept.appointment).place.busy)).collect();
        let at = |minute: i64, own_kind: &dyn Fn(&Appointment) -> bool| {
            let there = near.iter().filter(|kept| own_kind(&kept.appointment));
            u16::try_from(there.filter(|kept| minutes(placed(&kept.appointment).place.busy).contains(&minute)).count())
                .unwrap()
        };
        let practitioner = |other: &Appointment| placed(other).place.practitioner == place.practitioner;
        let room = |other: &Appointment| place.room.is_some() && placed(other).place.room == place.room;
        let free = minutes(place.busy).all(|minute| {
            at(minute, &practitioner) < declared.practitioner.max(1) && at(minute, &room) < declared.room.max(1)
        });
        let alone = near.iter().filter(|kept| kept.appointment.patient_id == patient).all(|kept| {
            let other = minutes(placed(&kept.appointment).place.time);
            minutes(place.time).all(|minute| !other.contains(&minute))
        });
        free && alone
    }

    /// The projection has what the model has.
    pub(super) async fn agrees(&mut self) -> Result<()> {
        let ids: Vec<_> = self.kept.iter().map(|kept| format!("'{}'", kept.id)).collect();
        let asked = format!(
            "select appointment_id, status, lane, extract(epoch from starts)::bigint as starts
             from projection.appointments where appointment_id in ({})",
            ids.join(", ")
        );
        let mut rows: Vec<Value> = self.database.ask(&asked).await?;
        let mut own: Vec<Value> = self
            .kept
            .iter()
            .map(|Kept { id, appointment, .. }| {
                json!({
                    "appointment_id": id, "status": appointment.status, "lane": placed(appointment).lane,
                    "starts": placed(appointment).place.time.start.as_second(),
                })
            })
            .collect();
        rows.sort_by_key(|row| row["appointment_id"].to_string());
        own.sort_by_key(|row| row["appointment_id"].to_string());
        assert_eq!(rows, own);
        Ok(())
    }
}
