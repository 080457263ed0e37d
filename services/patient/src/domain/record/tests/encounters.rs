//! How an encounter goes.

use proptest::prelude::*;

use super::*;
use crate::domain::record::encounter::{Encounter, EncounterStatus as S};

fn visit(status: &str) -> Value {
    json!({
        "status": status,
        "class": { "system": encounter::CLASS, "code": "AMB" },
        "clinicId": Uuid::from_u128(1),
        "practitionerId": Uuid::from_u128(2),
    })
}

fn charged() -> Value {
    json!({
        "diagnosis": [{ "code": { "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9" } }],
        "services": [{ "code": { "system": "urn:cpt", "code": "99213" }, "modifiers": ["25"], "units": 1, "diagnoses": [1] }],
    })
}

fn json_of(encounter: &Encounter) -> Value {
    Value::Object(crate::fhir::exact::fields(encounter).unwrap())
}

/// The encounter at a later second, as a clerk's patch makes it.
fn step(record: &Record<Encounter>, changes: Value, second: i64) -> Result<Revision<Encounter>, Refusal> {
    let wanted = Wanted { encounter: None, resource: read(with(json_of(&record.resource), changes)) };
    record.amend(wanted, None, ME, Timestamp::from_second(second).unwrap())
}

fn stepped(record: &Record<Encounter>, changes: Value, second: i64) -> Record<Encounter> {
    match step(record, changes, second) {
        Ok(Revision::Changed(record)) => *record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_encounter_goes_from_planned_to_finished_and_every_time_is_kept() {
    let planned = created::<Encounter>(visit("planned")).unwrap();
    assert_eq!(planned.resource.period, None);
    let arrived = stepped(&planned, json!({ "status": "arrived" }), 10);
    let begun = stepped(&arrived, json!({ "status": "in-progress" }), 20);
    let finished = stepped(&begun, with(json!({ "status": "finished" }), charged()), 30);
    let history: Vec<_> = finished
        .resource
        .status_history
        .iter()
        .map(|past| (past.status, past.period.start.clone(), past.period.end.clone()))
        .collect();
    let at = |second| Some(Moment::at(Timestamp::from_second(second).unwrap()));
    let expected = [(S::Planned, at(0), at(10)), (S::Arrived, at(10), at(20)), (S::InProgress, at(20), at(30))];
    for ((status, start, end), (told, from, to)) in history.iter().zip(expected) {
        let text = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.as_str().to_owned());
        assert_eq!((*status, text(start), text(end)), (told, text(&from), text(&to)));
    }
    assert_eq!((history.len(), finished.resource.since()), (3, Some(Timestamp::from_second(30).unwrap())));
    let period = finished.resource.period.clone().unwrap();
    assert_eq!(period.start.unwrap().from().as_second(), 20, "the period begins when the patient is seen");
    assert_eq!(period.end.unwrap().from().as_second(), 30);
}

#[test]
fn every_step_is_allowed_or_refused_as_the_table_has_it() {
    for from in S::ALL {
        for to in S::ALL.into_iter().filter(|to| *to != from) {
            let mut record = created::<Encounter>(visit("planned")).unwrap();
            record.resource.status = from;
            record.resource.period = Some(
                read::<Encounter>(with(visit("planned"), json!({ "period": { "start": "2026" } }))).period.unwrap(),
            );
            let answer = step(&record, json!({ "status": to.code() }), 10);
            let fine = from.next().contains(&to);
            assert_eq!(answer.is_ok(), fine, "{from:?} to {to:?}: {answer:?}");
        }
    }
}

#[test]
fn an_encounter_begins_at_its_beginning() {
    for status in S::ALL {
        let fine = S::FIRST.contains(&status);
        assert_eq!(created::<Encounter>(visit(status.code())).is_ok(), fine, "{status:?}");
    }
}

#[test]
fn a_step_needs_no_reason_and_whatever_else_changes_does() {
    let planned = created::<Encounter>(visit("planned")).unwrap();
    assert_eq!(refused(step(&planned, json!({ "reasonCode": [{ "text": "cough" }] }), 10)), ["/amendment"]);
    let both = json!({ "status": "arrived", "reasonCode": [{ "text": "cough" }] });
    assert_eq!(refused(step(&planned, both.clone(), 10)), ["/amendment"]);
    let reasoned = changed(&planned, with(json_of(&planned.resource), both), Some("corrected"));
    assert_eq!(reasoned.resource.status, S::Arrived);
}

#[test]
fn what_is_charged_is_said_when_it_is_finished() {
    let begun = created::<Encounter>(visit("in-progress")).unwrap();
    let early = with(json_of(&begun.resource), charged());
    assert_eq!(refused(amended(&begun, early, Some("amended"))), ["/services"]);
    let finished = stepped(&begun, with(json!({ "status": "finished" }), charged()), 30);
    let more = with(json_of(&finished.resource), json!({ "services": null }));
    assert_eq!(refused(amended(&finished, more.clone(), None)), ["/amendment"]);
    assert!(changed(&finished, more, Some("corrected")).resource.services.is_empty());
}

#[test]
fn a_line_of_services_fits_on_a_claim() {
    let begun = created::<Encounter>(visit("in-progress")).unwrap();
    let line = |changes: Value| {
        let mut all = with(json!({ "status": "finished" }), charged());
        all["services"][0] = with(all["services"][0].clone(), changes);
        step(&begun, all, 30)
    };
    assert!(line(json!({ "modifiers": ["25", "59", "GT", "95"], "units": 999 })).is_ok());
    for (changes, pointer) in [
        (json!({ "diagnoses": [2] }), "/services/0/diagnoses"),
        (json!({ "diagnoses": [0] }), "/services/0/diagnoses"),
        (json!({ "diagnoses": [1, 1, 1, 1, 1] }), "/services/0/diagnoses"),
        (json!({ "modifiers": ["25", "59", "GT", "95", "76"] }), "/services/0/modifiers"),
        (json!({ "modifiers": ["255"] }), "/services/0/modifiers"),
        (json!({ "units": 1000 }), "/services/0/units"),
    ] {
        assert_eq!(refused(line(changes)), [pointer]);
    }
    let nobody = with(json!({ "status": "finished", "practitionerId": null }), charged());
    assert_eq!(refused(step(&begun, nobody, 30)), ["/practitionerId"]);
}

#[test]
fn a_finished_encounter_has_its_times() {
    let begun = created::<Encounter>(visit("in-progress")).unwrap();
    let finished = stepped(&begun, json!({ "status": "finished" }), 30);
    let timeless = with(json_of(&finished.resource), json!({ "period": null }));
    assert_eq!(refused(amended(&finished, timeless, Some("corrected"))), ["/period"]);
}

#[test]
fn a_class_is_one_of_fhirs() {
    let of = |code: &str| {
        broken::<Encounter>(with(visit("planned"), json!({ "class": { "system": encounter::CLASS, "code": code } })))
    };
    assert_eq!((of("EMER"), of("HUH")), (Vec::new(), vec!["/class/code".to_owned()]));
}

proptest! {
    /// Whatever clerks try, an encounter is never where the table does not lead, and forgets nothing.
    #[test]
    fn however_it_goes_the_history_is_a_path_of_the_table(tries in proptest::collection::vec(0_usize..8, 0..40)) {
        let mut record = created::<Encounter>(visit("planned")).unwrap();
        for (second, to) in tries.into_iter().enumerate() {
            let to = S::ALL[to];
            let answer = step(&record, json!({ "status": to.code() }), i64::try_from(second).unwrap() + 1);
            if let Ok(Revision::Changed(next)) = answer {
                record = *next;
            }
        }
        let encounter = &record.resource;
        let path: Vec<_> = encounter.status_history.iter().map(|past| past.status).chain([encounter.status]).collect();
        prop_assert_eq!(path[0], S::Planned);
        prop_assert!(path.windows(2).all(|pair| pair[0].next().contains(&pair[1])), "{:?}", path);
        for pair in encounter.status_history.windows(2) {
            prop_assert_eq!(&pair[0].period.end, &pair[1].period.start, "no time is lost");
        }
    }
}
