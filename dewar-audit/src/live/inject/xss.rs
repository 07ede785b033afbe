//! Scripts in pages: the page is parsed as a browser does, and the marker stands where it runs.

use dewar::audit::Severity;

use super::Spot;
use crate::live::call::Answer;
use crate::live::dom::{Place, executes, places};
use crate::live::engine::{Engine, Stop};
use crate::live::finding::LiveFinding;
use crate::live::point::Point;

pub(super) async fn reflected(
    engine: &mut Engine,
    spot: &Spot,
    marker: &str,
    echo: &Answer,
) -> Result<(), Stop> {
    if !echo.is_page() || echo.is_attachment() || spot.is_found(engine, "live-xss-reflected") {
        return Ok(());
    }
    let mut tried: Vec<&str> = Vec::new();
    for place in places(&echo.text, marker) {
        for form in attacks(place) {
            if tried.contains(form) || matches!(spot.point, Point::Cookie(_)) && form.contains(';')
            {
                continue;
            }
            tried.push(form);
            let word = engine.marker();
            let (call, answer) = spot.attack(engine, &form.replace("M", &word)).await?;
            if answer.is_page()
                && !answer.is_attachment()
                && let Some(how) = executes(&answer.text, &word)
            {
                let mut finding =
                    LiveFinding::of("live-xss-reflected", &call.method, &spot.route.pattern)
                        .at(spot.point.place(), &spot.route.parameter(&spot.point))
                        .note(format!("the marker runs {how}"));
                if !spot.is_reachable() {
                    // No site can set this header or cookie in somebody else's browser.
                    finding = finding.severity(Severity::Low);
                }
                engine.prove(finding, &call, &answer, &word);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// `M` stands for the marker.
const fn attacks(place: Place) -> &'static [&'static str] {
    match place {
        Place::Text => &["<M x=1>", "</textarea></title></style></noscript><M x=1>"],
        Place::Attribute => &[
            "\"><M x=1>",
            "'><M x=1>",
            "\" M=1 y=\"",
            "' M=1 y='",
            "zq M=1 ",
        ],
        Place::Address => &[
            "javascript:M",
            "\"><M x=1>",
            "'><M x=1>",
            "\" M=1 y=\"",
            "zq M=1 ",
        ],
        Place::Script => &[
            "';M;'",
            "\";M;\"",
            "'-M-'",
            "\"-M-\"",
            "</script><M x=1>",
            ";M;",
            "`;M;`",
            "\\';M;//",
        ],
        Place::Comment => &["--><M x=1>"],
    }
}
