//! `pages`: a folder of templates while an author edits them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dewar::Page;
use dewar::audit::Mode;
use dewar::pages::{Assets, Bundle, Templates};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::site::{self, Site};

/// A real folder that exists for this run only. `derive(RustEmbed)` reads a source folder in the same way in a debug build;
/// a test does not write there.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dewar-live-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
});

struct Live;

impl RustEmbed for Live {
    fn get(name: &str) -> Option<EmbeddedFile> {
        rust_embed::utils::read_file_from_fs(&FOLDER.join(name)).ok()
    }

    fn iter() -> impl Iterator<Item = std::borrow::Cow<'static, str>> + 'static {
        let found = rust_embed::utils::get_files(FOLDER.display().to_string(), matcher());
        found.map(|file| file.rel_path.into())
    }
}

fn matcher() -> rust_embed::utils::PathMatcher {
    rust_embed::utils::PathMatcher::new(&[], &[])
}

/// Removes the folder, whatever the result of the test.
struct Sweep<'a>(&'a Path);

impl Drop for Sweep<'_> {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(self.0);
    }
}

async fn live() -> Page {
    Page::new("live.html").with("name", "Ada")
}

/// The next page uses a changed style sheet, like a changed template, under a path of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_style_sheet_that_is_changed_on_the_disk_shows_at_the_next_page() {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("dewar-style-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    });
    struct Style;
    impl RustEmbed for Style {
        fn get(name: &str) -> Option<EmbeddedFile> {
            rust_embed::utils::read_file_from_fs(&FOLDER.join(name)).ok()
        }

        fn iter() -> impl Iterator<Item = std::borrow::Cow<'static, str>> + 'static {
            let found = rust_embed::utils::get_files(FOLDER.display().to_string(), matcher());
            found.map(|file| file.rel_path.into())
        }
    }
    let _sweep = Sweep(&FOLDER);
    let write = |text: &str| fs::write(FOLDER.join("dewar.css"), text).unwrap();
    write("h1 { color: black }");
    let site = Site::of(|app| site::app(app.static_files::<Style>())).await;
    // The page's link to its style sheet, and the file there.
    let style_sheet = async || {
        let page = site.visitor.get("/sign-in").await;
        let link = page.attribute("link[rel=stylesheet]", "href").unwrap();
        let hash = page.attribute("link[rel=stylesheet]", "integrity").unwrap();
        let text = site.visitor.get(&link).await.text();
        (link, hash, text)
    };
    let before = style_sheet().await;
    assert_eq!(before.2, "h1 { color: black }");
    assert_eq!(style_sheet().await, before);
    write("h1 { color: green }");
    let after = style_sheet().await;
    assert_eq!(after.2, "h1 { color: green }");
    assert!(after.0 != before.0 && after.1 != before.1, "{after:?}");
    // A client with the old page still gets its style sheet.
    assert_eq!(site.visitor.get(&before.0).await.text(), before.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_is_changed_on_the_disk_shows_at_once_and_a_broken_one_says_where() {
    let _sweep = Sweep(&FOLDER);
    let write = |name: &str, text: &str| fs::write(FOLDER.join(name), text).unwrap();
    write("frame.html", "<h1>{% block words %}{% endblock %}</h1>");
    let page = "{% extends \"frame.html\" %}\n{% block words %}Hello, {{ name }}{% endblock %}";
    write("live.html", page);
    let production = Templates::load(&[Bundle::of::<Live>()], Assets::default(), Mode::Production);
    let shown = || {
        let page = Page::new("live.html").with("name", "Ada");
        production.html(&page).unwrap()
    };
    assert_eq!(shown(), "<h1>Hello, Ada</h1>");

    let site = Site::of(|app| {
        let app = app.templates::<Live>();
        site::app(app).public([dewar::get("/live", live)])
    })
    .await;
    let get = async || site.visitor.get("/live").await;
    assert_eq!(get().await.texts("h1"), ["Hello, Ada"]);
    write("live.html", &page.replace("Hello", "Good day"));
    assert_eq!(get().await.texts("h1"), ["Good day, Ada"]);
    write(
        "frame.html",
        "<h1 class=\"new\">{% block words %}{% endblock %}</h1>",
    );
    assert_eq!(get().await.texts("h1.new"), ["Good day, Ada"]);

    for (broken, told) in [
        (
            "{% extends \"frame.html\" %}\n\n{% block words %}{{ name }",
            "live.html, line 3",
        ),
        (
            "{% extends \"frame.html\" %}\n{% block words %}\n<b title={{ name }}>x</b>{% endblock %}",
            "line 3: a value stands in the attribute title without quotes",
        ),
        (
            "{% extends \"frame.html\" %}\n{% block words %}\n\n{{ nobody }}{% endblock %}",
            "template live.html, line 4",
        ),
    ] {
        write("live.html", broken);
        let page = get().await;
        assert_eq!(page.status(), 500);
        assert!(page.text().contains(told), "{told}: {}", page.text());
        assert_eq!(
            shown(),
            "<h1>Hello, Ada</h1>",
            "in production nothing is read again"
        );
    }
    write("live.html", page);
    assert_eq!(get().await.texts("h1"), ["Hello, Ada"]);
}
