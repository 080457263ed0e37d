//! How large a request's head may be.

use axum::extract::Request;
use problem::{Kind, Problem};

/// Path and query.
pub(super) const LONGEST_URL: usize = 8 << 10;

/// All names and values, with what separates them.
pub(super) const LARGEST_HEADERS: usize = 16 << 10;

/// `: ` and the end of the line.
const SEPARATORS: usize = 4;

/// Refuses a head that is over a limit.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let url = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    if url > LONGEST_URL {
        return Err(Problem::new(Kind::UriTooLong, format!("A URL may have at most {LONGEST_URL} bytes.")));
    }
    let headers = request.headers().iter();
    let headers: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum();
    if headers > LARGEST_HEADERS {
        let detail = format!("All headers together may have at most {LARGEST_HEADERS} bytes.");
        return Err(Problem::new(Kind::HeadersTooLarge, detail));
    }
    Ok(())
}
