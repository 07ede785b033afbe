//! Shells: a product that `echo` wrote, or a delay that follows the number.

use super::Spot;
use super::template::product;
use super::timing::slope;
use crate::live::engine::{Engine, Stop};

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    let value: String = spot.value.chars().take(60).collect();
    for form in [
        ";echo $((A*B))",
        "|echo $((A*B))",
        "\necho $((A*B))\n",
        "&&echo $((A*B))",
        "$(echo $((A*B)))",
        "';echo $((A*B));'",
        "\";echo $((A*B));\"",
        "||echo $((A*B))",
    ] {
        if product(
            engine,
            spot,
            &format!("{}{form}", lower(&value)),
            "live-command-injection",
        )
        .await?
        {
            return Ok(());
        }
    }
    for (before, after) in [
        (";sleep ", ";"),
        ("$(sleep ", ")"),
        ("';sleep ", ";'"),
        ("|sleep ", ""),
    ] {
        let text = |seconds: u32| format!("{value}{before}{seconds}{after}");
        if let Some((call, answer)) = slope(engine, spot, text).await? {
            spot.report(engine, "live-command-injection", &call, &answer, "");
            return Ok(());
        }
    }
    Ok(())
}

/// The two letters stand for the factors.
fn lower(text: &str) -> String {
    text.replace('A', "a").replace('B', "b")
}
