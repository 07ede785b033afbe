//! Addresses that the server opens: a listener of the audit hears it.

use super::Spot;
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if engine.listener.is_none() || matches!(spot.point, Point::FileContent(_) | Point::FileName(_))
    {
        return Ok(());
    }
    let token = engine.marker();
    let (left, right, result) = engine.factors();
    let Some(listener) = &engine.listener else {
        return Ok(());
    };
    listener.say(&format!("print({left}*{right})"));
    let address = listener.address(&token);
    let (call, answer) = spot.attack(engine, &address).await?;
    let heard = engine
        .listener
        .as_ref()
        .and_then(|listener| listener.heard(&token));
    if let Some(listener) = &engine.listener {
        listener.say("");
    }
    let Some(head) = heard else { return Ok(()) };
    let id = if answer.text.contains(&result) {
        "live-remote-inclusion"
    } else {
        "live-ssrf"
    };
    spot.report(engine, id, &call, &answer, &result);
    if let Some(last) = engine.findings.all.last_mut().filter(|last| last.id == id) {
        last.evidence.push(format!("the listener heard: {head}"));
    }
    if id == "live-remote-inclusion" {
        spot.report(engine, "live-ssrf", &call, &answer, &result);
    }
    Ok(())
}
