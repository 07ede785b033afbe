//! Requests with and without headers that name their origin.

use super::everywhere::{Forged, Stage, Stolen};
use super::routes;
use crate::company::{Portal, document};

/// Old browsers send no `Sec-Fetch-Site`; sandboxed frames and `data:` pages send `Origin: null`; another application on
/// another port or subdomain is the same site, and not this one.
///
/// ASVS: V3.5.1, V3.5.3, V3.7.5
#[tokio::test]
async fn no_unsafe_route_takes_a_request_of_another_site() {
    const SITE: &str = "sec-fetch-site";
    const EVIL: (&str, &str) = ("origin", "https://evil.example");
    let stage = Stage::open().await;
    for (what, headers) in [
        ("cross-site", &[(SITE, "cross-site")] as &[_]),
        ("the same site", &[(SITE, "same-site")]),
        ("a word of the future", &[(SITE, "")]),
        ("an old browser elsewhere", &[EVIL]),
        ("a sandboxed frame", &[("origin", "null")]),
        ("nothing is said", &[]),
        ("two words", &[(SITE, "same-origin"), (SITE, "cross-site")]),
        ("the two disagree", &[(SITE, "same-origin"), EVIL]),
    ] {
        let says = |forged: &mut Forged<'_>, _: &Stolen| forged.says(headers);
        stage.refuses(what, says).await;
    }
    let from_here =
        |forged: &mut Forged<'_>, _: &Stolen| forged.headers[0].1 = "cross-site".to_owned();
    stage
        .refuses("elsewhere, and our own origin", from_here)
        .await;
}

/// A page of another site frames a page of the portal, loads it as a picture or a script, or fetches it. What it learns (does the
/// document exist? does it load?) is a leak, even if it cannot read the page (XS-Leaks).
///
/// ASVS: V3.5.8, V3.2.1, V3.5.7
#[tokio::test]
async fn another_site_may_link_to_a_page_but_not_frame_or_fetch_it() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let document = document(&ada, "Plan").await;
    let paths = [
        "/".to_owned(),
        "/documents".to_owned(),
        document.clone(),
        format!("{document}/file"),
        "/account/picture".to_owned(),
        "/no-such-page".to_owned(),
    ];
    for path in &paths {
        for site in ["cross-site", "same-site"] {
            let loads = [
                ("navigate", "iframe"),
                ("navigate", "object"),
                ("no-cors", "image"),
                ("no-cors", "script"),
                ("no-cors", "style"),
                ("cors", "empty"),
            ];
            for (mode, destination) in loads {
                let answer = ada
                    .raw("GET", path)
                    .header("sec-fetch-site", site)
                    .header("sec-fetch-mode", mode)
                    .header("sec-fetch-dest", destination)
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 403, "{path} {site} {mode} {destination}");
                assert!(answer.header("access-control-allow-origin").is_none());
                assert_eq!(
                    answer.header("cross-origin-resource-policy"),
                    Some("same-origin")
                );
            }
        }
    }
    // A link on another site's page still works.
    let link = ada.as_cross_site("https://elsewhere.example");
    assert_eq!(link.get(&paths[2]).await.status(), 200);
}

/// ASVS: V3.4.2, V3.5.2
#[tokio::test]
async fn no_other_origin_is_let_in_by_cors() {
    let portal = Portal::open().await;
    let cases = routes::all_but_set_up(&portal).await;
    for case in &cases {
        let asked = case
            .browser
            .raw("OPTIONS", &case.path)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "x-csrf-token, content-type",
            );
        let read = case
            .browser
            .raw("GET", &case.path)
            .header("origin", "https://evil.example");
        for request in [asked, read] {
            let answer = request.send().await.unwrap();
            let allows = answer
                .headers()
                .keys()
                .find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(allows, None, "{}", case.route);
        }
    }
}
