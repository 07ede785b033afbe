//! Hostile values in every place of a template, in a real browser without a content security policy, so that only escaping
//! protects.

use std::collections::HashMap;

use dewar::audit::Mode;
use dewar::pages::{self, Assets, Bundle, Templates};
use rust_embed::RustEmbed;
use serde_json::{Value, json};

use crate::chromium::{self, Page};
use crate::elsewhere::Elsewhere;

#[derive(RustEmbed)]
#[folder = "tests/it/attacks/pages/places"]
struct Places;

/// Each sets `canary` if it escapes from its place.
const HOSTILE: [&str; 30] = [
    "<script>canary=1</script>",
    "<img src=x onerror=canary=1>",
    "<svg onload=canary=1>",
    "</title><script>canary=1</script>",
    "</textarea><script>canary=1</script>",
    "</style><script>canary=1</script>",
    "</script><script>canary=1</script>",
    "<!--<script>canary=1</script>",
    "\"><script>canary=1</script>",
    "'><script>canary=1</script>",
    "\" autofocus onfocus=\"canary=1",
    "' onerror='canary=1",
    "x\" onerror=\"canary=1\" src=\"y",
    "1;canary=1",
    "\";canary=1;\"",
    "\\\";canary=1;//",
    "';canary=1;'",
    "`;canary=1;`",
    "\u{2028}canary=1//",
    "*/canary=1/*",
    "(canary=1)",
    "javascript:canary=1",
    " java\tscript:canary=1",
    "JaVaScRiPt&colon;canary=1",
    "data:text/html,<script>parent.canary=1</script>",
    "x 1x, javascript:canary=1",
    "red } </style><svg onload=canary=1>",
    "url(javascript:canary=1)",
    "\\3c script\\3e canary=1",
    "&lt;img src=x onerror=canary=1&gt;",
];

/// The state of a page in the browser.
const LOOK: &str = "(() => {
  const all = [...document.querySelectorAll('*')];
  for (const it of document.querySelectorAll('input, button, a')) it.focus();
  for (const it of document.querySelectorAll('a')) if (it.protocol == 'javascript:') it.click();
  return {
    canary: window.canary === undefined ? null : 1,
    names: all.map(it => it.localName).join(' '),
    handlers: all.flatMap(it => it.getAttributeNames()).filter(name => name.startsWith('on')),
    schemes: [...document.querySelectorAll('a')].map(it => it.protocol),
    told: window.told === undefined ? null : window.told,
    data: document.querySelector('#data')?.textContent,
    words: ['text', 'area'].map(id => document.getElementById(id)?.textContent),
    titles: ['double', 'single'].map(id => document.getElementById(id)?.title),
    heading: document.title,
  };
})()";

async fn looks(page: &Page, address: &str) -> Value {
    page.goto(address).await;
    page.evaluate("new Promise(done => setTimeout(done, 30))")
        .await;
    page.evaluate(LOOK).await
}

/// ASVS: V1.2.1, V1.2.2, V1.2.3
#[tokio::test(flavor = "multi_thread")]
async fn no_value_leaves_its_place_in_a_real_browser() {
    let places = Bundle::of::<Places>();
    let raw = places.read("places.html").unwrap();
    let raw = String::from_utf8(raw.into_owned()).unwrap();
    let templates = Templates::load(&[places], Assets::default(), Mode::Production);
    assert_eq!(templates.findings(), []);
    let escaped = |x: &str| {
        let page = pages::Page::new("places.html");
        templates
            .html(&page.with("x", x).with("nonce", "n"))
            .unwrap()
    };
    let mut pages = HashMap::from([("/calm".to_owned(), escaped("calm"))]);
    for (number, value) in HOSTILE.iter().enumerate() {
        pages.insert(format!("/{number}"), escaped(value));
        pages.insert(format!("/raw/{number}"), raw.replace("{{ x }}", value));
    }
    let site = Elsewhere::open(pages).await;
    let Some(chromium) = chromium::or_skip(&[&site.visitor]).await else {
        return;
    };
    let page = chromium.person().await.page().await;
    let [base, _] = site.origins();
    let calm = looks(&page, &format!("{base}/calm")).await;
    assert_eq!(
        (&calm["told"], &calm["canary"]),
        (&json!("calm"), &Value::Null)
    );
    let mut fired = Vec::new();
    for (number, value) in HOSTILE.iter().enumerate() {
        let seen = looks(&page, &format!("{base}/{number}")).await;
        assert_eq!(seen["canary"], Value::Null, "{value:?}");
        assert_eq!(seen["handlers"], json!([]), "{value:?}");
        assert_eq!(seen["names"], calm["names"], "{value:?}");
        for scheme in seen["schemes"].as_array().unwrap() {
            let known = ["https:", "about:", ":"].contains(&scheme.as_str().unwrap());
            assert!(known, "{value:?}: {scheme}");
        }
        // In a text it arrives unchanged, and in a script as the same value.
        assert_eq!(seen["words"], json!([value, value]), "{value:?}");
        assert_eq!(seen["titles"], json!([value, value]), "{value:?}");
        assert_eq!(seen["told"], json!(value));
        let data: Value = serde_json::from_str(seen["data"].as_str().unwrap()).unwrap();
        assert_eq!(data, json!(value));
        let seen = looks(&page, &format!("{base}/raw/{number}")).await;
        if seen["canary"] == 1 {
            fired.push(value);
        }
    }
    // The detector works: without escaping, half of the same values run here, and the others would elsewhere.
    assert!(fired.len() >= 15, "only {} act: {fired:?}", fired.len());
}
