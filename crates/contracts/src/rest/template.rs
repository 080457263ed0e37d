//! The path templates of `google.api.http`.

/// A template, read: `/api/billing/{name=accounts/*}:close`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    segments: Vec<Segment>,
    variables: Vec<Variable>,
    verb: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    Literal(String),
    /// `*`
    One,
    /// `**`
    Rest,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Variable {
    /// The path of the field, in the names of the proto file.
    field: Vec<String>,
    /// The segments that are its value.
    first: usize,
    end: usize,
}

impl Template {
    /// Reads a template; the failure says what it cannot have.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut rest = text.strip_prefix('/').ok_or("it begins with no /")?;
        let mut template = Self { segments: Vec::new(), variables: Vec::new(), verb: None };
        loop {
            rest = match rest.strip_prefix('{') {
                Some(inner) => {
                    let (variable, after) = inner.split_once('}').ok_or("a variable has no end")?;
                    template.add_variable(variable)?;
                    after
                }
                None => {
                    let end = rest.find(['/', ':']).unwrap_or(rest.len());
                    let segment = segment(&rest[..end])?;
                    if segment != Segment::Literal(rest[..end].to_owned()) {
                        return Err("a wildcard belongs to no variable");
                    }
                    template.segments.push(segment);
                    &rest[end..]
                }
            };
            if let Some(verb) = rest.strip_prefix(':') {
                literal(verb)?;
                template.verb = Some(verb.to_owned());
                rest = "";
            }
            match rest.strip_prefix('/') {
                Some(next) => rest = next,
                None if rest.is_empty() => return template.checked(),
                None => return Err("a segment is followed by something else"),
            }
        }
    }

    fn add_variable(&mut self, text: &str) -> Result<(), &'static str> {
        let (field, segments) = text.split_once('=').unwrap_or((text, "*"));
        let field: Vec<_> = field.split('.').map(str::to_owned).collect();
        if !field.iter().all(|name| is_name(name)) {
            return Err("a variable is called by no field");
        }
        if self.variables.iter().any(|variable| variable.field == field) {
            return Err("a variable is there twice");
        }
        let first = self.segments.len();
        for part in segments.split('/') {
            self.segments.push(segment(part)?);
        }
        self.variables.push(Variable { field, first, end: self.segments.len() });
        Ok(())
    }

    fn checked(self) -> Result<Self, &'static str> {
        let rest = self.segments.iter().position(|segment| *segment == Segment::Rest);
        if rest.is_some_and(|at| at + 1 != self.segments.len()) {
            return Err("something stands after **");
        }
        // The router has no such pattern.
        if self.verb.is_some() && !matches!(self.segments.last(), Some(Segment::Literal(_))) {
            return Err("a verb stands after a variable");
        }
        Ok(self)
    }

    /// The fields that the path gives, in its order.
    pub fn fields(&self) -> impl Iterator<Item = &[String]> {
        self.variables.iter().map(|variable| variable.field.as_slice())
    }

    /// The pattern that a router takes, each variable called by its name in `names`: `/api/accounts/{patientId}`.
    ///
    /// A variable of several wildcards has them numbered.
    pub fn pattern(&self, names: &[String]) -> String {
        let mut pattern = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            pattern.push('/');
            match segment {
                Segment::Literal(text) => pattern.push_str(text),
                wild => {
                    let star = if *wild == Segment::Rest { "*" } else { "" };
                    pattern.push_str(&format!("{{{star}{}}}", self.name_of_wildcard(at, names)));
                }
            }
        }
        self.verb.iter().fold(pattern, |pattern, verb| pattern + ":" + verb)
    }

    fn name_of_wildcard(&self, at: usize, names: &[String]) -> String {
        let holder =
            self.variables.iter().zip(names).find(|(variable, _)| (variable.first..variable.end).contains(&at));
        let Some((variable, name)) = holder else { return String::new() };
        let wild = |range: std::ops::Range<usize>| {
            self.segments[range].iter().filter(|segment| !matches!(segment, Segment::Literal(_))).count()
        };
        match wild(variable.first..variable.end) {
            1 => name.clone(),
            _ => format!("{name}{}", wild(variable.first..at) + 1),
        }
    }

    /// The values of the fields, in the order of [`fields`](Self::fields), of what a router found for the wildcards.
    pub fn values<'a>(&self, found: impl IntoIterator<Item = &'a str>) -> Option<Vec<String>> {
        let mut found = found.into_iter();
        let mut parts = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            parts.push(match segment {
                Segment::Literal(text) => text.as_str(),
                _ => found.next()?,
            });
        }
        Some(self.variables.iter().map(|variable| parts[variable.first..variable.end].join("/")).collect())
    }
}

fn segment(text: &str) -> Result<Segment, &'static str> {
    match text {
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        _ => literal(text).map(|()| Segment::Literal(text.to_owned())),
    }
}

fn literal(text: &str) -> Result<(), &'static str> {
    let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if text.is_empty() {
        return Err("a segment is empty");
    }
    if text.chars().all(unreserved) { Ok(()) } else { Err("a segment has a character that means something else") }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str, names: &[&str]) -> String {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Template::parse(text).unwrap().pattern(&names)
    }

    #[test]
    fn a_template_is_a_pattern_of_the_router() {
        assert_eq!(pattern("/api/a", &[]), "/api/a");
        assert_eq!(pattern("/api/a/{patient_id}", &["patientId"]), "/api/a/{patientId}");
        assert_eq!(pattern("/api/{name=a/*}/b", &["name"]), "/api/a/{name}/b");
        assert_eq!(pattern("/api/{name=a/*/b/*}", &["name"]), "/api/a/{name1}/b/{name2}");
        assert_eq!(pattern("/api/{file.name=a/**}", &["file.name"]), "/api/a/{*file.name}");
        assert_eq!(pattern("/api/accounts:search", &[]), "/api/accounts:search");
    }

    #[test]
    fn a_variable_is_all_of_its_segments() {
        let template = Template::parse("/api/{name=a/*/b/*}/{id}").unwrap();
        let fields: Vec<_> = template.fields().map(<[_]>::to_vec).collect();
        assert_eq!(fields, [["name"], ["id"]]);
        assert_eq!(template.values(["x", "y", "z"]).unwrap(), ["a/x/b/y", "z"]);
        assert_eq!(template.values(["x", "y"]), None);
    }

    #[test]
    fn what_cannot_be_served_does_not_read() {
        for text in [
            "",
            "a",
            "/",
            "//a",
            "/a/",
            "/{}",
            "/{a",
            "/{a}}",
            "/{a}b",
            "/{1a}",
            "/{a.}",
            "/{a}/{a}",
            "/*",
            "/a/**",
            "/{a=**}/b",
            "/{a=**/b}",
            "/{a}:b",
            "/a:",
            "/a:b:c",
            "/a b",
            "/a?b",
            "/{a={b}}",
            "/é",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much_for_the_reader(text in "[/{}=*:.a-z_]{0,24}") {
            if let Ok(template) = Template::parse(&text) {
                let names: Vec<_> = template.fields().map(|field| field.join(".")).collect();
                let pattern = template.pattern(&names);
                prop_assert!(pattern.starts_with('/'));
                prop_assert_eq!(template.values(std::iter::repeat("x")).unwrap().len(), names.len());
            }
        }

        #[test]
        fn what_stands_in_the_path_is_what_the_fields_get(
            parts in proptest::collection::vec(("[a-z]{1,8}", "[ -~]{1,12}"), 1..6),
        ) {
            let text: String = parts.iter().enumerate().map(|(at, (literal, _))| format!("/{literal}/{{f{at}}}")).collect();
            let template = Template::parse(&text).unwrap();
            let values = template.values(parts.iter().map(|(_, value)| value.as_str())).unwrap();
            let sent: Vec<_> = parts.iter().map(|(_, value)| value.clone()).collect();
            prop_assert_eq!(values, sent);
            let names: Vec<_> = template.fields().map(|field| field.join(".")).collect();
            prop_assert_eq!(template.pattern(&names), text);
        }
    }
}
