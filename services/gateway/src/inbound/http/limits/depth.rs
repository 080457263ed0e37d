//! How deep JSON is nested, found out without building any of it.

/// How deep it may be; a parser that follows it needs as many calls of itself.
pub(super) const DEEPEST: usize = 64;

/// Whether objects and arrays are nested deeper than allowed; what is no JSON is for others to refuse.
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(open: &str, close: &str, depth: usize) -> String {
        open.repeat(depth) + &close.repeat(depth)
    }

    #[test]
    fn only_real_brackets_count() {
        for (json, too_deep) in [
            (nested("[", "]", DEEPEST), false),
            (nested("[", "]", DEEPEST + 1), true),
            (nested("{\"a\":[", "]}", DEEPEST / 2), false),
            (nested("{\"a\":[", "]}", DEEPEST / 2 + 1), true),
            (format!("[{}]", vec!["{}"; 1000].join(",")), false),
            (format!("\"{}\"", "[".repeat(1000)), false),
            (format!("\"\\\"{}\"", "[".repeat(1000)), false),
            (format!("\"\\\\\"{}", "[".repeat(1000)), true),
            ("]".repeat(1000) + &"[".repeat(DEEPEST), false),
            (String::new(), false),
        ] {
            assert_eq!(is_too_deep(json.as_bytes()), too_deep, "{json:.40}");
        }
    }
}
