//! Families of codes: the sections of CPT by their ranges, and the first letters of HCPCS level II.

/// The family of a code, as far as its form tells it.
pub fn of(code: &str) -> &'static str {
    let digits: Option<u32> = (code.len() == 5).then(|| code.parse().ok()).flatten();
    match (digits, code.as_bytes()) {
        (Some(99_202..=99_499), _) => "evaluation-and-management",
        (Some(100..=1_999), _) => "anesthesia",
        (Some(10_004..=69_990), _) => "surgery",
        (Some(70_010..=79_999), _) => "radiology",
        (Some(80_047..=89_398), _) => "pathology-and-laboratory",
        (Some(90_281..=99_199 | 99_500..=99_607), _) => "medicine",
        // Categories II and III: four digits and a letter.
        (None, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'F']) => "performance-measurement",
        (None, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'T']) => "emerging-technology",
        (None, [letter @ b'A'..=b'V', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9']) => match letter {
            b'A' => "transport-and-supplies",
            b'D' => "dental",
            b'E' => "durable-medical-equipment",
            b'J' => "drugs",
            b'L' => "orthotics-and-prosthetics",
            b'V' => "vision-and-hearing",
            _ => "other-hcpcs",
        },
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_of_the_family_of_its_range() {
        for (code, family) in [
            ("99213", "evaluation-and-management"),
            ("99202", "evaluation-and-management"),
            ("99500", "medicine"),
            ("00100", "anesthesia"),
            ("01999", "anesthesia"),
            ("10004", "surgery"),
            ("71046", "radiology"),
            ("80053", "pathology-and-laboratory"),
            ("90471", "medicine"),
            ("0001F", "performance-measurement"),
            ("0042T", "emerging-technology"),
            ("J1100", "drugs"),
            ("D0120", "dental"),
            ("G0438", "other-hcpcs"),
            ("99201", "other"),
            ("9921", "other"),
            ("", "other"),
            ("MASSAGE", "other"),
        ] {
            assert_eq!(of(code), family, "{code}");
        }
    }
}
