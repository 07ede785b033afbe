//! **https** (in the making).

mod address;
mod nonce;
mod random;
mod request_id;

pub use address::ClientAddress;
pub use nonce::Nonce;
pub use request_id::RequestId;
