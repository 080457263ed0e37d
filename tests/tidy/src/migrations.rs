//! What a trigger and a function of the databases have to be like.

use crate::{Finding, Tree};

/// No trigger runs before its row: the store writes `INSERT .. ON CONFLICT`, for which a BEFORE trigger also
/// runs when the row is then refused, and would leave an event for a write that never happened.
pub fn no_before_triggers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in sql(tree) {
        let words = words(text);
        for at in (0..words.len()).filter(|&at| words[at] == "trigger") {
            let is_created = at > 0 && ["create", "constraint", "replace"].contains(&words[at - 1].as_str());
            if let (true, Some(name), Some("before")) =
                (is_created, words.get(at + 1), words.get(at + 2).map(String::as_str))
            {
                findings.push(format!("{path}: the trigger {name} runs before its row"));
            }
        }
    }
    findings
}

/// A function that runs with its owner's rights looks names up where its owner says.
pub fn definers_have_a_search_path(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in sql(tree) {
        let words = words(&without_bodies(text));
        let starts: Vec<usize> = (1..words.len())
            .filter(|&at| {
                ["function", "procedure"].contains(&words[at].as_str())
                    && ["create", "replace"].contains(&words[at - 1].as_str())
            })
            .chain([words.len()])
            .collect();
        for bounds in starts.windows(2) {
            let function = &words[bounds[0]..bounds[1]];
            let has = |pair: [&str; 2]| function.windows(2).any(|two| two[0] == pair[0] && two[1] == pair[1]);
            if has(["security", "definer"]) && !has(["set", "search_path"]) {
                let name = function.get(1).map(String::as_str).unwrap_or_default();
                findings.push(format!("{path}: {name} is a definer's function without `set search_path`"));
            }
        }
    }
    findings
}

fn sql(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.ending(".sql")
}

/// The words of the statements, in lower case, without comments.
fn words(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .flat_map(|line| line.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '.' | '"'))))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The text without what stands between dollar quotes.
fn without_bodies(text: &str) -> String {
    let mut rest = text;
    let mut outside = String::new();
    while let Some((before, tag, after)) = dollar_quote(rest) {
        outside.push_str(before);
        outside.push(' ');
        rest = after.split_once(tag).map_or("", |(_, after)| after);
    }
    outside + rest
}

/// The text before an opening dollar quote, the quote, and the text after it.
fn dollar_quote(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('$').find_map(|(start, _)| {
        let length = text[start + 1..].find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))?;
        let end = start + 1 + length;
        let is_tag =
            text[end..].starts_with('$') && !text[start + 1..].starts_with(|letter: char| letter.is_ascii_digit());
        is_tag.then(|| (&text[..start], &text[start..=end], &text[end + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        Tree::of([("services/a/migrations/1.sql", text)])
    }

    #[test]
    fn a_before_trigger_is_found_in_each_spelling() {
        for bad in [
            "create trigger t before insert on x",
            "CREATE OR REPLACE TRIGGER t\n  BEFORE UPDATE ON x",
            "create constraint trigger t before insert on x",
        ] {
            assert_eq!(no_before_triggers(&tree(bad)).len(), 1, "{bad}");
        }
        let good = "-- create trigger t before insert\ncreate trigger before_noon after insert on x; drop trigger t";
        assert_eq!(no_before_triggers(&tree(good)), [""; 0]);
    }

    #[test]
    fn a_definer_without_a_search_path_is_found() {
        let bad = "create function a.f() returns void language sql security definer as $$ set search_path = x $$;
                   create function a.g() returns void security definer set search_path = '' as $b$ $$ $b$;";
        assert_eq!(
            definers_have_a_search_path(&tree(bad)),
            ["services/a/migrations/1.sql: a.f is a definer's function without `set search_path`"]
        );
    }

    #[test]
    fn an_invoker_needs_none() {
        let good = "create function a.f(x int) returns int as $$ select $1 $$; -- security definer";
        assert_eq!(definers_have_a_search_path(&tree(good)), [""; 0]);
    }
}
