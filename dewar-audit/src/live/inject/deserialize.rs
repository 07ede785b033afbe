//! Python's pickle and YAML: harmless objects that compute a product or wait.

use data_encoding::BASE64;

use super::Spot;
use super::timing::slope;
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

/// A pickle (protocol 0) that evaluates a product.
fn product(left: u64, right: u64) -> String {
    format!("cbuiltins\neval\n(S'{left}*{right}'\ntR.")
}

/// A pickle that waits.
fn wait(seconds: u32) -> String {
    format!("ctime\nsleep\n(I{seconds}\ntR.")
}

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if spot.is_found(engine, "live-unsafe-deserialization") {
        return Ok(());
    }
    let is_cookie = matches!(spot.point, Point::Cookie(_));
    let codings: [fn(&str) -> String; 2] = [
        |text| text.to_owned(),
        |text| BASE64.encode(text.as_bytes()),
    ];
    let usual = if is_cookie { 1 } else { 0 };
    for code in codings.into_iter().skip(usual) {
        let (left, right, result) = engine.factors();
        let (call, answer) = spot.attack(engine, &code(&product(left, right))).await?;
        if answer.text.contains(&result) {
            spot.report(
                engine,
                "live-unsafe-deserialization",
                &call,
                &answer,
                &result,
            );
            return Ok(());
        }
        if let Some((call, answer)) = slope(engine, spot, |seconds| code(&wait(seconds))).await? {
            spot.report(engine, "live-unsafe-deserialization", &call, &answer, "");
            return Ok(());
        }
    }
    if matches!(
        spot.point,
        Point::FileContent(_) | Point::Form(_) | Point::Query(_)
    ) {
        let yaml = |seconds: u32| format!("!!python/object/apply:time.sleep [{seconds}]");
        if let Some((call, answer)) = slope(engine, spot, yaml).await? {
            spot.report(engine, "live-unsafe-deserialization", &call, &answer, "");
        }
    }
    Ok(())
}
