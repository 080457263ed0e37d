//! Who may call whom, and who may publish and subscribe what: `dapr/access.yaml`, read and put to work.
//!
//! [`Matrix`] is the file after its parse. [`Policy`] is what Dapr makes of a caller's operations, which
//! is sometimes more than was meant: Dapr's patterns cannot say everything, and the difference is named
//! instead of hidden ([`Verdict::Tolerated`]). [`generated`] writes everything that follows from the
//! matrix, and [`generated::stale`] says which of it is not up to date.
//!
//! The matrix knows its refused cells too, so that a test can try each of them.
#![expect(clippy::similar_names, reason = "caller and callee are what one says")]

pub mod cells;
pub mod generated;
pub mod matrix;
pub mod operation;
pub mod policy;

pub use cells::{Call, TopicUse, Use, Verdict};
pub use matrix::{App, Matrix, Topic};
pub use operation::{Operation, Verb};
pub use policy::Policy;
