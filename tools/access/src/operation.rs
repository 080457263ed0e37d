//! What one service may ask of another.

use std::{fmt, str::FromStr};

/// The HTTP methods that a route of this system can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// As it stands in a request and in Dapr's policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An operation of a callee.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A route; a segment `*` stands for any one segment.
    Http {
        /// Its method.
        verb: Verb,
        /// Its path, which begins with `/`.
        path: String,
    },
    /// A method of a gRPC service.
    Grpc {
        /// With its package: `billing.v1.Accounts`.
        service: String,
        /// `OpenAccounts`.
        method: String,
    },
}

/// Stands for a `*` wherever a real path is needed.
const ANY_SEGMENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

impl Operation {
    /// A route.
    pub fn http(verb: Verb, path: &str) -> Self {
        Self::Http { verb, path: path.to_owned() }
    }

    /// A path that a call of this operation can have, `*` filled in.
    pub fn example_path(&self) -> String {
        match self {
            Self::Http { path, .. } => path.replace('*', ANY_SEGMENT),
            Self::Grpc { service, method } => format!("/{service}/{method}"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { verb, path } => write!(f, "{verb} {path}"),
            Self::Grpc { service, method } => write!(f, "{service}/{method}"),
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            Some((verb, path)) => parse_http(verb, path),
            None => parse_grpc(text),
        }
    }
}

fn parse_http(verb: &str, path: &str) -> Result<Operation, String> {
    let verb = Verb::ALL
        .into_iter()
        .find(|known| known.name() == verb)
        .ok_or_else(|| format!("{verb:?} is not an HTTP method of this system"))?;
    let segments = path.strip_prefix('/').ok_or_else(|| format!("{path:?} does not begin with a slash"))?;
    // Dapr lower-cases routes, so two that differ in case alone would be one.
    let literal = |segment: &str| {
        !segment.is_empty()
            && segment.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    };
    match segments.split('/').find(|segment| *segment != "*" && !literal(segment)) {
        Some(odd) => Err(format!("{odd:?} is neither `*` nor a plain lower-case segment")),
        None => Ok(Operation::http(verb, path)),
    }
}

fn parse_grpc(text: &str) -> Result<Operation, String> {
    let identifier = |word: &str| {
        word.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match text.split_once('/') {
        Some((service, method))
            if service.contains('.') && service.split('.').all(identifier) && identifier(method) =>
        {
            Ok(Operation::Grpc { service: service.to_owned(), method: method.to_owned() })
        }
        _ => Err(format!("{text:?} is neither `VERB /path` nor `package.Service/Method`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_reads_as_it_is_written() {
        for text in ["GET /auth/.well-known/jwks.json", "PATCH /api/patients/*", "billing.v1.Accounts/OpenAccounts"] {
            assert_eq!(text.parse::<Operation>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_dapr_would_read_differently_is_refused() {
        for text in [
            "FETCH /x",
            "GET x",
            "GET /",
            "GET /x/",
            "GET /x//y",
            "GET /X",
            "GET /x*",
            "GET /**",
            "GET /$x",
            "GET /a b",
            "Accounts/Open",
            "billing.v1.Accounts",
            "billing.v1.Accounts/",
            "billing.v1.Accounts/a/b",
            "billing..v1/Open",
            "",
        ] {
            assert!(text.parse::<Operation>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_example_has_no_wildcard() {
        let operation: Operation = "GET /api/patients/*".parse().unwrap();
        assert!(!operation.example_path().contains('*'));
    }
}
