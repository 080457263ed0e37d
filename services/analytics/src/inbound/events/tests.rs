#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, data: &Value) -> CloudEvent {
        serde_json::from_value(
            json!({ "specversion": "1.0", "id": "1", "source": "patient", "type": kind, "data": data }),
        )
        .unwrap()
    }

    fn snapshot(member: &str, value: Value) -> Value {
        let mut data = json!({ "patient": {
            "patientId": "0190cafe-0000-7000-8000-000000000001",
            "version": "2",
            "registeredTime": "2026-11-23T12:00:00.1234567Z",
            "changedTime": "2026-11-24T12:00:00Z",
            "gender": "ADMINISTRATIVE_GENDER_FEMALE",
            "ageBand": "40-49",
            "active": true,
        }});
        if !member.is_empty() {
            data["patient"][member] = value;
        }
        data
    }

    #[test]
    fn every_event_of_a_patient_tells_the_same_fact() {
        let data = snapshot("", Value::Null);
        let told = registered(&event("patient.v1.PatientRegistered", &data)).unwrap();
        assert_eq!(updated(&event("patient.v1.PatientUpdated", &data)).unwrap(), told);
        let Fact::Patient(patient) = told else { panic!("another fact") };
        assert_eq!(patient.registered_at.time().to_string(), "2026-11-23T12:00:00.123456Z");
        assert_eq!((patient.gender, patient.version.number()), (Some(Gender::Female), 2));
        assert!(patient.active && patient.age_band.is_some());
    }

    #[test]
    fn what_is_not_known_is_none() {
        let data = snapshot("ageBand", "".into());
        let Ok(Fact::Patient(patient)) = registered(&event("patient.v1.PatientRegistered", &data)) else {
            panic!("no fact")
        };
        assert_eq!(patient.age_band, None);
        let data = snapshot("gender", "ADMINISTRATIVE_GENDER_UNSPECIFIED".into());
        let Ok(Fact::Patient(patient)) = registered(&event("patient.v1.PatientRegistered", &data)) else {
            panic!("no fact")
        };
        assert_eq!(patient.gender, None);
    }

    #[test]
    fn an_event_that_can_never_be_counted_is_told_apart() {
        let kind = "patient.v1.PatientRegistered";
        for (member, value) in [
            ("patientId", "Ada".into()),
            ("patientId", Value::Null),
            ("version", "0".into()),
            ("version", "one".into()),
            ("registeredTime", Value::Null),
            ("registeredTime", "0001-01-01T00:00:00Z".into()),
            ("changedTime", "tomorrow".into()),
            ("gender", "F".into()),
            ("ageBand", "1984-02-11".into()),
            ("active", "yes".into()),
        ] {
            let told = registered(&event(kind, &snapshot(member, value.clone())));
            assert!(told.is_err(), "{member} {value} {told:?}");
        }
        assert!(registered(&event(kind, &json!({}))).is_err());
        assert!(registered(&event(kind, &json!("text"))).is_err());
        assert!(matches!(
            registered(&event("patient.v1.PatientUpdated", &snapshot("", Value::Null))),
            Err(Useless::Undecodable(_))
        ));
    }

    #[test]
    fn an_account_is_a_fact() {
        let account = json!({
            "accountId": "0190cafe-0000-7000-8000-00000000000a",
            "patientId": "0190cafe-0000-7000-8000-000000000001",
            "version": "1",
            "status": "ACCOUNT_STATUS_ACTIVE",
            "openedTime": "2026-11-23T12:00:00Z",
        });
        let told = opened(&event("billing.v1.AccountOpened", &json!({ "account": account }))).unwrap();
        let Fact::Account(account) = told else { panic!("another fact") };
        assert_eq!(account.opened_at.time().to_string(), "2026-11-23T12:00:00Z");
        assert!(opened(&event("billing.v1.AccountOpened", &json!({ "account": { "version": "1" } }))).is_err());
    }
}
