//! The one table.

use axum::http::StatusCode;
use tonic::Code;

/// What sort of failure it is, whatever the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Not readable at all: broken JSON, a missing header.
    Malformed,
    /// No access token, or not one of ours.
    Unauthenticated,
    /// The token is good, its holder may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The request did not arrive in the time that it has.
    TooSlow,
    /// It contradicts what is there.
    Conflict,
    /// The caller's `If-Match` is not the current version.
    PreconditionFailed,
    /// The body is over the limit.
    TooLarge,
    /// The address of the request is over the limit.
    UriTooLong,
    /// The headers of the request are over the limit.
    HeadersTooLarge,
    /// The body is of a type that the route does not read.
    UnsupportedMediaType,
    /// Readable, with wrong fields.
    Invalid,
    /// The route wants `If-Match`.
    PreconditionRequired,
    /// Too many requests of this sort at once.
    RateLimited,
    /// Our own fault.
    Internal,
    /// A part is away; the outcome is unknown or nothing was done.
    Unavailable,
    /// It took longer than anybody may wait; the outcome is unknown.
    TimedOut,
}

/// What a consumer of events answers to its sidecar.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Applied, or applied already.
    Success,
    /// Not now; deliver it again, for ever.
    Retry,
    /// Provably never: to the dead letters.
    Drop,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UriTooLong,
        Self::HeadersTooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::PreconditionRequired,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::TimedOut,
    ];

    /// HTTP status, gRPC code, verdict and title.
    const fn row(self) -> (StatusCode, Code, Verdict, &'static str) {
        use StatusCode as S;
        use Verdict::{Drop, Retry};
        match self {
            Self::Malformed => (S::BAD_REQUEST, Code::InvalidArgument, Drop, "Malformed request"),
            Self::Unauthenticated => (S::UNAUTHORIZED, Code::Unauthenticated, Retry, "Not signed in"),
            Self::Forbidden => (S::FORBIDDEN, Code::PermissionDenied, Drop, "Not allowed"),
            Self::NotFound => (S::NOT_FOUND, Code::NotFound, Retry, "Not found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, Code::Unimplemented, Drop, "Method not allowed"),
            Self::TooSlow => (S::REQUEST_TIMEOUT, Code::DeadlineExceeded, Retry, "Too slow"),
            Self::Conflict => (S::CONFLICT, Code::AlreadyExists, Drop, "Conflict"),
            Self::PreconditionFailed => (S::PRECONDITION_FAILED, Code::Aborted, Retry, "Precondition failed"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, Code::OutOfRange, Drop, "Body too large"),
            Self::UriTooLong => (S::URI_TOO_LONG, Code::OutOfRange, Drop, "Address too long"),
            Self::HeadersTooLarge => (S::REQUEST_HEADER_FIELDS_TOO_LARGE, Code::OutOfRange, Drop, "Headers too large"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, Drop, "Unsupported media type")
            }
            Self::Invalid => (S::UNPROCESSABLE_ENTITY, Code::InvalidArgument, Drop, "Invalid request"),
            Self::PreconditionRequired => {
                (S::PRECONDITION_REQUIRED, Code::FailedPrecondition, Drop, "Precondition required")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, Code::ResourceExhausted, Retry, "Too many requests"),
            // Our bug may be mended by the next release, so the event waits for it.
            Self::Internal => (S::INTERNAL_SERVER_ERROR, Code::Internal, Retry, "Internal error"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, Code::Unavailable, Retry, "Temporarily unavailable"),
            Self::TimedOut => (S::GATEWAY_TIMEOUT, Code::DeadlineExceeded, Retry, "Timed out"),
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.row().0
    }

    /// The gRPC code.
    pub const fn code(self) -> Code {
        self.row().1
    }

    /// The verdict on an event whose handling failed so.
    pub const fn verdict(self) -> Verdict {
        self.row().2
    }

    /// `title` of the problem object: the same words for every failure of the kind.
    pub const fn title(self) -> &'static str {
        self.row().3
    }

    /// Whether the same request may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::TooSlow | Self::RateLimited | Self::Unavailable | Self::TimedOut)
    }

    /// The kind of another service's gRPC answer.
    pub fn of_code(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Self::Invalid,
            Code::Unauthenticated => Self::Unauthenticated,
            Code::PermissionDenied => Self::Forbidden,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists => Self::Conflict,
            Code::Aborted => Self::PreconditionFailed,
            Code::FailedPrecondition => Self::PreconditionRequired,
            Code::ResourceExhausted => Self::RateLimited,
            Code::Unimplemented => Self::MethodNotAllowed,
            Code::Internal | Code::DataLoss | Code::Ok => Self::Internal,
            // A sidecar answers UNKNOWN for an app that it cannot reach.
            Code::Unavailable | Code::Unknown | Code::DeadlineExceeded | Code::Cancelled => Self::Unavailable,
        }
    }
}
