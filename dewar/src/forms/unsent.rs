//! What was typed into a form that cannot be taken, as its sender is signed out.

use axum::body::Body;
use http::request::Parts;

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

/// The texts of a form, without passwords, hidden values and files, as far as they can be read within the bounds of every
/// form. No token is asked for: nothing is done with them but to show them to their sender.
pub(crate) async fn unsent(
    parts: &Parts,
    body: Body,
    spec: &FormSpec,
) -> Result<Vec<Typed>, Error> {
    let gate = handle::<Gate>(parts, "Gate")?;
    let intake = handle::<Intake>(parts, "Intake")?;
    let reader = Reader::unsent(gate, intake, &parts.headers, spec);
    Ok(reader.texts(body).await)
}
