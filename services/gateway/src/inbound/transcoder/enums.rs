//! The names of enum values as the public reads them: `ACCOUNT_STATUS_ON_HOLD` of `AccountStatus` is `on-hold`.

use prost_reflect::{EnumDescriptor, EnumValueDescriptor};

/// The public name of a value.
pub(super) fn name(value: &EnumValueDescriptor) -> String {
    let prefix = prefix(value.parent_enum().name());
    let name = value.name().strip_prefix(&prefix).filter(|name| !name.is_empty()).unwrap_or(value.name());
    name.to_lowercase().replace('_', "-")
}

/// The number of the value that the public calls so.
pub(super) fn number(values: &EnumDescriptor, text: &str) -> Option<i32> {
    values.values().find(|value| name(value) == text).map(|value| value.number())
}

/// What the value is called that nobody means: that of a field which was not told.
const NOTHING: &str = "unspecified";

/// Every public name that somebody can mean, for whoever has sent another.
pub(super) fn names(values: &EnumDescriptor) -> String {
    values.values().map(|value| name(&value)).filter(|name| name != NOTHING).collect::<Vec<_>>().join(", ")
}

/// `AccountStatus` is `ACCOUNT_STATUS_`, `HTTPState` is `HTTP_STATE_`.
fn prefix(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut prefix = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase();
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            prefix.push('_');
        }
        prefix.push(letter.to_ascii_uppercase());
    }
    prefix + "_"
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn a_value_is_called_without_its_enum() {
        let colour = sample::contracts().get_enum_by_name("sample.v1.PaintColour").unwrap();
        assert_eq!(names(&colour), "dark-red, other-blue");
        assert_eq!(number(&colour, "dark-red"), Some(1));
        for unknown in ["PAINT_COLOUR_DARK_RED", "DARK_RED", "dark_red", "1", ""] {
            assert_eq!(number(&colour, unknown), None, "{unknown}");
        }
    }

    #[test]
    fn capitals_in_a_row_are_one_word() {
        for (name, expected) in [("AccountStatus", "ACCOUNT_STATUS_"), ("HTTPState", "HTTP_STATE_"), ("X", "X_")] {
            assert_eq!(prefix(name), expected);
        }
    }
}
