//! What was typed into a form that cannot be taken, as its sender is signed out.

use axum::body::Body;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::reader::Reader;
use super::{FormSpec, Intake};
use crate::csrf::Gate;
use crate::pages::{Error, Typed, handle};

/// A form is sent for nothing but to be shown again: left by the stack in the request that it is made of.
///
/// No handler gets the value of such a form: it comes back with what was typed, to be looked at and sent by whoever is signed
/// in now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShowOnly;

/// The values of a form that its sender may see again.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    /// Without passwords and files.
    pub(crate) typed: Vec<Typed>,
    /// The hidden values, as they came.
    pub(crate) hidden: Vec<SealedField>,
}

/// A hidden value as a page of a session carried it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SealedField {
    pub(super) form: String,
    pub(super) field: String,
    pub(super) sealed: String,
}

impl SealedField {
    /// The name of the field, and the value sealed for the session of this gate, which is of the same person as the session
    /// before; none for anybody else.
    pub(crate) fn reseal(&self, gate: &Gate) -> Option<(&str, String)> {
        let place = [&*self.form, &*self.field];
        let text = gate.open_again(&place, &self.sealed)?;
        let sealed = gate.seal(&place, &text).ok()?;
        Some((&self.field, sealed))
    }
}

/// Reads the values of a form that its sender may see again, within the bounds of every form. It checks no token: Dewar does
/// nothing with the values but show them to their sender.
pub(crate) async fn unsent(parts: &Parts, body: Body, spec: &FormSpec) -> Result<Unsent, Error> {
    let gate = handle::<Gate>(parts, "Gate")?;
    let intake = handle::<Intake>(parts, "Intake")?;
    let reader = Reader::unsent(gate, intake, &parts.headers, spec).of_request(parts);
    Ok(reader.texts(body).await)
}
