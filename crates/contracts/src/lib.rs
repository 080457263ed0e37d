#![doc = include_str!("../README.md")]
#![expect(
    missing_docs,
    clippy::pedantic,
    clippy::allow_attributes,
    reason = "generated code; the proto files hold the documentation"
)]

pub mod rest;
pub mod topic;

/// All of `proto/` with what it imports: an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// `patient.v1`: the events of `patient`, and who a patient is.
pub mod patient {
    pub mod v1 {
        tonic::include_proto!("patient.v1");
        include!(concat!(env!("OUT_DIR"), "/patient.v1.serde.rs"));
    }
}

/// `billing.v1`: the accounts service and the events of `billing`.
pub mod billing {
    /// The id of a patient's account, as `proto/billing/v1/accounts.proto` defines it.
    pub fn account_id(patient_id: uuid::Uuid) -> uuid::Uuid {
        const ACCOUNTS: uuid::Uuid = uuid::uuid!("6f1c2a84-9d3b-4e57-8a10-5c7e42d9b3f6");
        uuid::Uuid::new_v5(&ACCOUNTS, patient_id.as_bytes())
    }

    pub mod v1 {
        tonic::include_proto!("billing.v1");
        include!(concat!(env!("OUT_DIR"), "/billing.v1.serde.rs"));
    }
}

/// `analytics.v1`: figures.
pub mod analytics {
    pub mod v1 {
        tonic::include_proto!("analytics.v1");
        include!(concat!(env!("OUT_DIR"), "/analytics.v1.serde.rs"));
    }
}

/// `google.protobuf.Timestamp`.
pub use pbjson_types::Timestamp;

#[cfg(test)]
mod tests {
    use crate::patient::v1::{AdministrativeGender, PatientRegistered, PatientSnapshot};

    /// Event data is proto JSON, so that a service in any language reads it.
    #[test]
    fn an_event_is_proto_json() {
        let event = PatientRegistered {
            patient: Some(PatientSnapshot {
                patient_id: "0197".to_owned(),
                version: 9_007_199_254_740_993,
                registered_time: Some(crate::Timestamp { seconds: 0, nanos: 5_000_000 }),
                changed_time: None,
                gender: AdministrativeGender::Female.into(),
                age_band: String::new(),
                active: false,
            }),
        };
        let json = serde_json::to_value(&event).unwrap();
        let patient = &json["patient"];
        assert_eq!(patient["patientId"], "0197");
        assert_eq!(patient["version"], "9007199254740993", "64-bit integers are strings in proto JSON");
        assert_eq!(patient["gender"], "ADMINISTRATIVE_GENDER_FEMALE");
        assert_eq!(patient["active"], false, "defaults are written: their absence would be a guess");
        assert_eq!(patient["registeredTime"], "1970-01-01T00:00:00.005+00:00");
        assert_eq!(serde_json::from_value::<PatientRegistered>(json).unwrap(), event);
    }

    #[test]
    fn a_consumer_ignores_what_it_does_not_know() {
        let event: PatientRegistered =
            serde_json::from_str(r#"{"patient":{"version":"1","later":true},"too":1}"#).unwrap();
        assert_eq!(event.patient.unwrap().version, 1);
    }
}
