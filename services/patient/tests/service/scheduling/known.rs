//! What the service would know and do, past its sidecar.

use jiff::{Span, Timestamp, civil::Weekday};
use patient::domain::{
    appointment::{Situation, Taken},
    calendar::{
        PractitionerId, RoomId,
        clinic::Clinic,
        interval::Interval,
        practitioner::{Piece, Practitioner, Schedule, WeekPiece},
        room::Room,
        service::Service,
        zone::{ClockTime, Zone},
    },
    patient::PatientId,
};
use serde_json::{Value, json};
use testkit::Result;

use super::{
    Book, Kept as Appointed, PUT,
    series::{CLINIC, Kept, SERVICE},
};

impl Book {
    pub(super) fn service(&mut self) -> Service {
        let buffer = 5 * u16::try_from(self.below(2)).unwrap();
        Service {
            clinic: None,
            name: "Visit".to_owned(),
            code: None,
            active: true,
            duration_minutes: 15 + 15 * u16::try_from(self.below(4)).unwrap(),
            buffer_before_minutes: buffer,
            buffer_after_minutes: buffer,
            step_minutes: 15,
            price_code: None,
            needs_room: false,
            min_lead_minutes: 0,
            max_lead_days: None,
        }
    }

    /// What the service would know: somebody with hours day and night, and what the database answers.
    pub(super) async fn situation(
        &mut self,
        practitioner: PractitionerId,
        room: Option<RoomId>,
        patient: PatientId,
        service: &Service,
        starts: &[Timestamp],
    ) -> Result<Situation> {
        let zone = Zone::parse(self.zone).unwrap();
        let piece = Piece { start: ClockTime::MIDNIGHT, end: ClockTime::END_OF_DAY, room: None, services: Vec::new() };
        let days = (1..=7).map(|day| Weekday::from_monday_one_offset(day).unwrap()).collect();
        let from = self.clock[0].date() - Span::new().days(30);
        let schedules = vec![Schedule { clinic: CLINIC, from, to: None, week: vec![WeekPiece { days, piece }] }];
        let name = "Somebody".to_owned();
        let own = Practitioner {
            name,
            active: true,
            user: None,
            specialty: None,
            lanes: 2,
            schedules,
            exceptions: Vec::new(),
        };
        let spans = starts.iter().map(|start| {
            let busy = service.busy(*start);
            format!("tstzrange('{}', '{}')", busy.start, busy.end)
        });
        let spans = format!("tstzmultirange({})", spans.collect::<Vec<_>>().join(", "));
        let rooms = room.map_or_else(|| "{}".to_owned(), |room| format!("{{{room}}}"));
        let period = "coalesce(jsonb_agg(jsonb_build_object('start', lower(period), 'end', upper(period))), '[]')
            from projection.leaves where active";
        let asked = format!(
            "select projection.taken('{practitioner}', '{rooms}', '{patient}', {spans}, null) as taken,
               (select {period} and practitioner_id = '{practitioner}' and period && {spans}) as leave,
               (select {period} and room_id = any ('{rooms}') and period && {spans}) as down"
        );
        let known: Value = self.database.ask(&asked).await?.remove(0);
        let down: Vec<Interval> = serde_json::from_value(known["down"].clone())?;
        let in_room = |id| (id, Room { clinic: CLINIC, name: "1".to_owned(), active: true, lanes: 3 }, down.clone());
        let taken: Vec<Taken> = serde_json::from_value(known["taken"].clone())?;
        Ok(Situation {
            clinic: (CLINIC, Clinic { name: "North".to_owned(), zone, closures: Vec::new() }),
            practitioner: (practitioner, own),
            service: (SERVICE, service.clone()),
            rooms: room.map(in_room).into_iter().collect(),
            leave: serde_json::from_value(known["leave"].clone())?,
            taken,
        })
    }

    /// Writes all of it in one transaction, series first, or nothing; answers what refused it.
    pub(super) async fn write(&mut self, series: &[&Kept], appointments: &[Appointed]) -> Result<Option<String>> {
        let documents = series.iter().map(|own| {
            (
                format!("series/{}", own.id),
                json!({ "schema": 1, "version": own.version, "events": [], "data": own.series }),
            )
        });
        let appointments = appointments.iter().map(|own| {
            let document = json!({ "schema": 1, "version": own.version, "events": [], "data": own.appointment });
            (format!("appointment/{}", own.id), document)
        });
        self.database.change("begin", &[]).await?;
        for (key, document) in documents.chain(appointments) {
            if let Some(refused) = self.database.change(PUT, &[&key, &document.to_string()]).await? {
                self.database.change("rollback", &[]).await?;
                return Ok(Some(refused));
            }
        }
        self.database.change("commit", &[]).await?;
        Ok(None)
    }
}
