//! A form that is only a button: its token, and nothing else.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::BodyExt;

use super::error::FormRejection;
use super::form::turn_away;
use super::reader::FormReader;
use super::slow_body::check_again;
use super::{Config, Intake};
use crate::csrf::CsrfChecked;
use crate::pages::{Error, RequestContext};

/// A button sends only its token, whose length is known. The rejection names a second field.
const fn bounds(config: Config) -> Config {
    Config {
        body: 4 * 1024,
        fields: 2,
        files: 0,
        ..config
    }
}

/// Verifies the CSRF token of a request to a handler without a form. The same rules as for any form apply, here without
/// fields. A script may send the token in the header, without a body.
pub(crate) async fn button(parts: &Parts, body: Body) -> Result<CsrfChecked, Error> {
    let context = RequestContext::of(parts)?;
    let (tokens, intake) = (context.tokens()?, context.service::<Intake>()?);
    // Before the body, as for every form.
    if let Err(refusal) = context.admission.count().await {
        return Err(refusal.error().public(refusal.message()));
    }
    let reader = FormReader::button(tokens, intake, bounds(intake.config()), &parts.headers);
    let read = if parts.headers.contains_key(CONTENT_TYPE) {
        reader.read(body).await.map(|(_, checked)| checked)
    } else {
        alone(reader, body).await
    };
    let checked = read.map_err(|refused| turn_away(context, refused))?;
    check_again(context).await?;
    Ok(checked)
}

/// Verifies the CSRF token of a request to a router that reads the body itself: in the header, or as a field of a urlencoded
/// form. Returns the whole body, within the limit of every form.
pub(crate) async fn passed_on(parts: &Parts, body: Body) -> Result<Body, Error> {
    let context = RequestContext::of(parts)?;
    let (tokens, intake) = (context.tokens()?, context.service::<Intake>()?);
    if let Err(refusal) = context.admission.count().await {
        return Err(refusal.error().public(refusal.message()));
    }
    let reader = FormReader::button(tokens, intake, intake.config(), &parts.headers);
    let read = reader.passed_on(body).await;
    let (text, _checked) = read.map_err(|refused| turn_away(context, refused))?;
    check_again(context).await?;
    Ok(Body::from(text))
}

/// A body without a type must be empty.
async fn alone(reader: FormReader<'_>, mut body: Body) -> Result<CsrfChecked, FormRejection> {
    let checked = reader.header_alone()?;
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(FormRejection::Body)?.into_data();
        if data.is_ok_and(|data| !data.is_empty()) {
            return Err(FormRejection::ContentType);
        }
    }
    Ok(checked)
}
