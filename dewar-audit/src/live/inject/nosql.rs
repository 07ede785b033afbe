//! Operators of document databases in the place of a text.

use serde_json::json;

use crate::live::call::{Answer, Body, Call};
use crate::live::compare::{Print, print};
use crate::live::engine::{Engine, Stop};
use crate::live::point::{Point, points};
use crate::live::route::Route;

/// `{"$ne": …}` behaves unlike a text, `{"$eq": …}` like it, and an operator that does not exist unlike `$ne`.
pub(super) async fn operators(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    base: &Answer,
    fresh: bool,
) -> Result<(), Stop> {
    if fresh || base.status == 0 {
        return Ok(());
    }
    for point in points(&route.call, &[]) {
        let Some(forms) = forms(&route.call, &point) else {
            continue;
        };
        let mut is_proved = true;
        let mut proof = None;
        for _ in 0..2 {
            let word = engine.marker();
            let plain = point.with(&route.call, &word);
            let no = ask(engine, who, &plain).await?.2;
            let (call, answer, other) = ask(engine, who, &forms(&word, "$ne")).await?;
            let same = ask(engine, who, &forms(&word, "$eq")).await?.2;
            let unknown = ask(engine, who, &forms(&word, "$zq")).await?.2;
            is_proved = answer.status < 400
                && other.is_other(&no)
                && same.is_same(&no)
                && unknown.is_other(&other);
            if !is_proved {
                break;
            }
            proof = Some((call, answer));
        }
        if let (true, Some((call, answer))) = (is_proved, proof) {
            engine.report("live-nosql-injection", route, &point, &call, &answer, "");
        }
    }
    Ok(())
}

async fn ask(engine: &mut Engine, who: usize, call: &Call) -> Result<(Call, Answer, Print), Stop> {
    let answer = engine.send(who, call).await?;
    let seen = print(call, &answer);
    Ok((call.clone(), answer, seen))
}

/// Makes a request with a word and an operator.
type Make<'a> = Box<dyn Fn(&str, &str) -> Call + Send + 'a>;

/// A request with an operator and a word at a place, where one fits.
fn forms<'a>(call: &'a Call, point: &'a Point) -> Option<Make<'a>> {
    match (point, &call.body) {
        (Point::Json(_), _) => Some(Box::new(move |word, operator| {
            point
                .with_json(call, json!({operator: word}))
                .unwrap_or_else(|| call.clone())
        })),
        (Point::Query(index), _) => Some(Box::new(move |word, operator| {
            let mut call = call.clone();
            if let Some((name, value)) = call.query.get_mut(*index) {
                *name = format!("{name}[{operator}]");
                word.clone_into(value);
            }
            call
        })),
        (Point::Form(index), Body::Form(_)) => Some(Box::new(move |word, operator| {
            let mut call = call.clone();
            if let Body::Form(pairs) = &mut call.body
                && let Some((name, value)) = pairs.get_mut(*index)
            {
                *name = format!("{name}[{operator}]");
                word.clone_into(value);
            }
            call
        })),
        _ => None,
    }
}
