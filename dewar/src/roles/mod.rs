//! **roles: who may enter.**

mod role;

pub use dewar_macros::Role;
pub use role::Role;
