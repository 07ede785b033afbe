//! Redirects to other sites, and values that end a header line.

use url::Url;

use super::Spot;
use crate::live::call::Answer;
use crate::live::dom;
use crate::live::engine::{Engine, Stop};
use crate::live::finding::LiveFinding;
use crate::live::point::Point;
use crate::scan::Confidence;

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    let host = format!("{}.example", engine.marker());
    if let Point::Header(name) = &spot.point {
        return if matches!(name.as_str(), "Host" | "X-Forwarded-Host") {
            by_host(engine, spot, &host).await
        } else {
            Ok(())
        };
    }
    for text in [
        format!("https://{host}/"),
        format!("//{host}/"),
        format!("/\\{host}/"),
        format!("https:{host}"),
        format!(".{host}"),
    ] {
        let (call, answer) = spot.attack(engine, &text).await?;
        let origin = engine.target().origin();
        if leads_to(&origin, &answer, &host) {
            spot.report(engine, "live-open-redirect", &call, &answer, &host);
            return Ok(());
        }
        // A place that redirects nowhere is asked once.
        if !answer.is_redirect() && !answer.text.contains(&host) && !spot.base.is_redirect() {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether a browser goes to this host.
pub(in crate::live) fn leads_to(origin: &str, answer: &Answer, host: &str) -> bool {
    let Ok(base) = Url::parse(origin) else {
        return false;
    };
    let goes = |address: &str| {
        base.join(address.trim())
            .ok()
            .and_then(|url| url.host_str().map(|to| to.ends_with(host)))
            == Some(true)
    };
    if answer.is_redirect() && goes(answer.header("location")) {
        return true;
    }
    let refresh = dom::refresh_target(answer.header("refresh"));
    if refresh.is_some_and(|address| goes(&address)) {
        return true;
    }
    answer.is_page()
        && answer.text.contains(host)
        && (meta_refresh(&answer.text).is_some_and(|address| goes(&address))
            || by_script(&answer.text, host))
}

fn meta_refresh(html: &str) -> Option<String> {
    let document = scraper::Html::parse_document(html);
    let selector = scraper::Selector::parse("meta[http-equiv=refresh i]").ok()?;
    let content = document.select(&selector).next()?.attr("content")?;
    dom::refresh_target(content)
}

/// `location = "https://…"` in a script of the page.
fn by_script(html: &str, host: &str) -> bool {
    let scripts = dom::read(html).scripts;
    scripts.iter().any(|script| {
        script.split(';').any(|statement| {
            let compact: String = statement.split_whitespace().collect();
            let assigns = [
                "location=",
                "location.href=",
                "location.replace(",
                "location.assign(",
            ]
            .iter()
            .find_map(|start| compact.split_once(start).map(|(_, rest)| rest.to_owned()));
            assigns.is_some_and(|rest| {
                let rest = rest.trim_start_matches(['"', '\'']);
                rest.starts_with(&format!("https://{host}"))
                    || rest.starts_with(&format!("//{host}"))
            })
        })
    })
}

/// The application makes addresses of the host that a visitor names.
async fn by_host(engine: &mut Engine, spot: &Spot, host: &str) -> Result<(), Stop> {
    if engine.findings.has_id("live-host-injection") {
        return Ok(());
    }
    let (call, answer) = spot.attack(engine, host).await?;
    // A server completes a relative redirect by `Host` itself; a proxy's header is believed by the program alone.
    let is_forwarded = matches!(&spot.point, Point::Header(name) if name != "Host");
    let in_location =
        is_forwarded && answer.is_redirect() && answer.header("location").contains(host);
    let in_links = answer.is_page()
        && !answer.is_redirect()
        && dom::read(&answer.text)
            .links
            .iter()
            .any(|link| link.href.contains(host));
    if in_location || in_links {
        let finding = LiveFinding::of("live-host-injection", &call.method, &spot.route.pattern)
            .at("header", &spot.route.parameter(&spot.point))
            .confidence(Confidence::Likely);
        engine.prove(finding, &call, &answer, host);
    }
    Ok(())
}

/// A value that ends the line of a header and writes one of its own.
pub(super) async fn split(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if matches!(spot.point, Point::Cookie(_) | Point::FileContent(_)) {
        return Ok(());
    }
    let marker = engine.marker();
    for line in ["\r\n", "\n"] {
        let (call, answer) = spot
            .attack(
                engine,
                &format!(
                    "{}{line}X-{marker}: yes",
                    spot.value.replace(['\r', '\n'], "")
                ),
            )
            .await?;
        if answer.headers.contains_key(format!("x-{marker}")) {
            spot.report(engine, "live-header-injection", &call, &answer, "");
            return Ok(());
        }
    }
    Ok(())
}
