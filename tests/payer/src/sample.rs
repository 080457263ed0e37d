//! A claim for tests, as a clinic sends it.

use serde_json::{Value, json};

/// Two lines of 10,000 and 5,000 for a subscriber with this number.
pub(crate) fn claim(member_id: &str) -> Value {
    json!({
        "claimId": "01981d5e-0000-7000-8000-000000000001",
        "submission": 1,
        "frequencyCode": "1",
        "payer": {
            "id": "01981d5e-0000-7000-8000-0000000000aa",
            "name": "Some Health", "electronicId": "60054", "filingIndicator": "CI",
        },
        "subscriber": { "memberId": member_id, "group": "G1", "relationship": "self" },
        "patient": {
            "name": "Ada Doe", "birthDate": "1980-02-01", "line": ["1 High Street"], "city": "Springfield",
            "state": "NY", "postalCode": "12345", "country": "US",
        },
        "billingProvider": "1234567893",
        "renderingProvider": "1234567893",
        "currency": "USD",
        "total": 15_000,
        "diagnoses": ["I10"],
        "lines": [line(1, 10_000), line(2, 5_000)],
    })
}

fn line(line: u32, charge: i64) -> Value {
    json!({
        "line": line, "procedure": "99213", "modifiers": [], "units": 1, "date": "2026-11-30",
        "placeOfService": "11", "charge": charge, "diagnosisPointers": [1],
    })
}
