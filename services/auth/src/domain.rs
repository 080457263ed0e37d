//! Who a user is and what proves it: pure, synchronous, without clock, store, protocol or chance.

pub mod access_token;
pub mod email_address;
pub mod password;
pub mod sealing_key;
pub mod second_factor;
pub mod session;
pub mod signing_key;
pub mod signing_keys;
pub mod user;
