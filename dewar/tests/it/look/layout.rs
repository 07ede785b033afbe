//! A layout of the application's own around the framework's pages, and the colours.

use dewar::App;
use dewar::testing::Site;
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
