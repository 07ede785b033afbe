//! A layout of the application's own around the framework's pages, and the colours.

use dewar::pages::JsonSchema;
use dewar::testing::Site;
use dewar::{App, Error, get};
use rust_embed::RustEmbed;

use super::moved;

#[derive(RustEmbed)]
#[folder = "tests/it/look/templates"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "tests/it/look/broken"]
struct Broken;

#[derive(RustEmbed)]
#[folder = "tests/it/look/without_token"]
struct WithoutToken;

/// Pages of accounts and of errors stand in the layout that `dewar/layout.html` names.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_stand_in_the_layout_of_the_application() {
    let site = Site::start(|app: App| moved(app).templates::<Templates>()).await;
    let visitor = site.visitor();
    for (path, status) in [
        ("/anmelden", 200),
        ("/auth/sign-up", 200),
        ("/nothing", 404),
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status(), status);
        assert_eq!(page.texts("#brand"), ["Harbour"], "{path}");
        assert_eq!(page.texts("main h1").len(), 1, "{path}");
    }
}

#[derive(RustEmbed)]
#[folder = "tests/it/look/values"]
struct WithValues;

#[derive(RustEmbed)]
#[folder = "tests/it/look/values_unknown"]
struct WithUnknownValues;

#[derive(serde::Serialize, JsonSchema)]
struct Layout {
    harbour: Harbour,
}

#[derive(serde::Serialize, JsonSchema)]
struct Harbour {
    name: String,
}

const NAME: &str = "<b>Harbour</b> & \u{202e}Sons";

async fn fails() -> dewar::Result<&'static str> {
    Err(Error::internal("on purpose"))
}

fn with_values(app: App) -> App {
    moved(app)
        .public([get("/fails", fails)])
        .layout_values(|_| Layout {
            harbour: Harbour {
                name: NAME.to_owned(),
            },
        })
}

/// The framework's pages show the values, and its error pages too. They are text there as elsewhere.
///
/// ASVS: V1.2.1
#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_the_values_of_the_layout() {
    let site = Site::start(|app: App| with_values(app).templates::<WithValues>()).await;
    let visitor = site.visitor();
    for (path, status) in [
        ("/anmelden", 200),
        ("/auth/sign-up", 200),
        ("/nothing", 404),
        ("/fails", 500),
    ] {
        let request = visitor.raw("GET", path).header("accept", "text/html");
        let page = request.send().await.unwrap();
        assert_eq!(page.status(), status, "{path}");
        assert_eq!(page.texts("#brand").len(), 1, "{path}: {}", page.text());
        assert!(page.text().contains("&lt;b&gt;Harbour"), "{path}");
        assert!(page.texts("#brand b").is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_with_an_unknown_value_of_the_layout_refuses_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let app = || with_values(App::in_directory(&directory).unwrap());
    let refused = app().templates::<WithUnknownValues>().start().await;
    let refused = format!("{:?}", refused.map(drop).unwrap_err());
    for part in [
        "template layout.html, line 6: there is no `layout.harbour.nam`",
        "Did you mean `name`?",
        "there is no `layout.boats`",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let twice = app()
        .layout_values(|_| Vec::<u8>::new())
        .templates::<WithValues>();
    let refused = format!("{:?}", twice.start().await.map(drop).unwrap_err());
    assert!(
        refused.contains("`layout_values` is called twice"),
        "{refused}"
    );
}

/// A layout that has no place for the page, or whose script has no nonce, refuses the start; a form without a token is reported.
#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_breaks_the_pages_is_found_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let app = || moved(App::in_directory(&directory).unwrap());
    let refused = app().templates::<Broken>().start().await;
    let refused = format!("{:?}", refused.map(drop).unwrap_err());
    for part in ["layout.html, line 5", "nonce", "content"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let running = app().templates::<WithoutToken>().start().await.unwrap();
    let ids: Vec<_> = running.findings().iter().map(|found| found.id).collect();
    assert!(ids.contains(&"pages-template-no-token"), "{ids:?}");
}

/// WCAG 2.2, 1.4.3 and 1.4.11: the contrast of the default colours, light and dark.
#[test]
fn the_default_colours_have_the_contrast_of_wcag_aa() {
    let css = include_str!("../../../static/dewar.css");
    let colours = |name: &str| -> [f64; 2] {
        let rest = css.split(&format!("--dewar-{name}: light-dark(")).nth(1);
        let pair = rest.unwrap().split(')').next().unwrap();
        let mut both = pair.split(", ").map(luminance);
        [both.next().unwrap(), both.next().unwrap()]
    };
    for (front, back, least) in [
        ("text", "background", 4.5),
        ("text", "surface", 4.5),
        ("quiet", "background", 4.5),
        ("quiet", "surface", 4.5),
        ("accent", "background", 4.5),
        ("accent", "surface", 4.5),
        ("on-accent", "accent", 4.5),
        ("danger", "background", 4.5),
        ("danger", "surface", 4.5),
        ("border", "surface", 3.0),
    ] {
        for theme in 0..2 {
            let (a, b) = (colours(front)[theme], colours(back)[theme]);
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(ratio >= least, "{front} on {back}: {ratio:.2}");
        }
    }
}

/// The relative luminance of `#rrggbb` (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let all = u32::from_str_radix(colour.trim_start_matches('#'), 16).unwrap();
    let channel = |place: u32| {
        let part = f64::from((all >> (8 * place)) & 0xff) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(2) + 0.7152 * channel(1) + 0.0722 * channel(0)
}
