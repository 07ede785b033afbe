//! Second factors: what a user has, beside the password that the user knows.
//!
//! `dewar_factors` has a row for each factor of a user, with its kind. Today the kinds are an authenticator app (TOTP) and, in a
//! table of their own, recovery codes. Another kind is a value of [`FactorKind`], a proof in [`FactorProof`] and its check in
//! [`verify`]; the pending sign-in, the limits and the pages stay.

mod enrolment;
mod one_time_code;
mod pending;
mod qr;
mod recovery_code;
mod rows;
mod totp;
mod verify;

pub use one_time_code::OneTimeCode;
pub use pending::{PendingSignIn, SignInStep};
pub use verify::{FactorKind, FactorProof, VerifiedFactor, VerifiedSignIn};

pub(super) use enrolment::NewTotp;
pub(super) use pending::Waiting;
pub(super) use recovery_code::RecoveryCode;
pub(crate) use rows::SECRET;
