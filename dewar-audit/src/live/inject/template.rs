//! Templates and `eval`: a product that the answer contains and the request does not.

use super::Spot;
use crate::live::call::Answer;
use crate::live::engine::{Engine, Stop};

pub(super) async fn run(engine: &mut Engine, spot: &Spot, is_echoed: bool) -> Result<(), Stop> {
    if spot.is_found(engine, "live-template-injection")
        || spot.is_found(engine, "live-code-injection")
    {
        return Ok(());
    }
    let engines = [
        "{{A*B}}",
        "${A*B}",
        "#{A*B}",
        "<%= A*B %>",
        "@(A*B)",
        "*{A*B}",
        "}}{{A*B}}{{",
        "{A*B}",
    ];
    let tried = if is_echoed { engines.len() } else { 2 };
    for form in engines.into_iter().take(tried) {
        if product(engine, spot, form, "live-template-injection").await? {
            return Ok(());
        }
    }
    if spot.is_reachable() {
        for form in [
            "A*B",
            "'+str(A*B)+'",
            "\"+str(A*B)+\"",
            "1);print(A*B",
            "';print(A*B);'",
            "print(A*B)",
        ] {
            if product(engine, spot, form, "live-code-injection").await? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the product is in the answer; asked twice, with other numbers.
pub(super) async fn product(
    engine: &mut Engine,
    spot: &Spot,
    form: &str,
    id: &str,
) -> Result<bool, Stop> {
    let mut proof = None;
    for _ in 0..2 {
        let (left, right, result) = engine.factors();
        let text = form
            .replace('A', &left.to_string())
            .replace('B', &right.to_string());
        let (call, answer) = spot.attack(engine, &text).await?;
        if !contains(&answer, &result) || spot.base.text.contains(&result) {
            return Ok(false);
        }
        proof = Some((call, answer, result));
    }
    if let Some((call, answer, result)) = proof {
        spot.report(engine, id, &call, &answer, &result);
        return Ok(true);
    }
    Ok(false)
}

fn contains(answer: &Answer, result: &str) -> bool {
    answer.text.contains(result)
        || answer
            .headers
            .values()
            .any(|value| String::from_utf8_lossy(value.as_bytes()).contains(result))
}
