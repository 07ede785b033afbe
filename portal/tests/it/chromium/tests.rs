//! Tests the driver on a small site, because other tests rely on it.

use super::{Chromium, Extent, Key, Kind, Scheme, Screen, or_skip};
use dewar::testing::{Browser, OtherSite, OtherSiteReply, RecordedRequest};
use serde_json::json;
use std::path::{Path, PathBuf};

const HEAD: &str = "<!doctype html><html lang=en><meta name=viewport content='width=device-width'>
<style>
  :root { color-scheme: light dark }
  @media (prefers-color-scheme: dark) { body { background: #102030; color: #eee } }
</style><title>Notes</title><main><h1>Notes</h1>";

const FORM: &str = "<form class=search action=/echo><label>Find <input name=q></label></form>
<form class=note method=post action=/echo enctype=multipart/form-data>
  <label>Title <input name=title value=old></label>
  <label>Body <textarea name=body></textarea></label>
  <label>Kind <select name=kind><option value=p>Plain<option value=s>Secret</select></label>
  <label><input type=checkbox name=agree> Agree</label>
  <label>Paper <input type=file name=paper></label>
  <p style='height: 3000px'></p>
  <button>Save it</button>
</form>
<p><a href=/file>Get the file</a></p><p><a href=/file target=_self download=own.bin>Save the file</a></p>";

const BARRIERS: &str =
    "<!doctype html><title></title><h1>A</h1><h3 id=x>B</h3><input id=x><img src=/none>
<a href=/></a><p style='color: #999; background: #fff'>Pale</p><p style='width: 200vw'>Wide</p>";

fn pages(asked: &RecordedRequest) -> OtherSiteReply {
    match asked.path() {
        "/" => OtherSiteReply::page(&format!("{HEAD}{FORM}"))
            .header("set-cookie", "__Host-s=1; Secure; HttpOnly; Path=/"),
        "/cookie" => OtherSiteReply::page(&format!(
            "{HEAD}<p>{}",
            asked.header("cookie").unwrap_or("none")
        )),
        "/echo" => {
            let escaped = (asked.query().to_owned() + &asked.text()).replace('<', "&lt;");
            OtherSiteReply::page(&format!("{HEAD}<pre>{escaped}</pre>")).status(422)
        }
        "/file" => OtherSiteReply::bytes("application/pdf", FILE.to_vec()).header(
            "content-disposition",
            "attachment; filename=\"paper one.pdf\"",
        ),
        "/policy" => OtherSiteReply::page(&format!(
            "{HEAD}<script>alert(1)</script><img alt=a src=https://x.test/>"
        ))
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
        "/hostile" => OtherSiteReply::page(&format!(
            "{HEAD}<script>alert('in'); console.error('shout'); missing()</script>"
        )),
        "/favicon.ico" => OtherSiteReply::page("").status(204), // browsers always request it; a 404 is a complaint
        "/barriers" => OtherSiteReply::page(BARRIERS),
        "/covered" => OtherSiteReply::page(
            "<button>Under</button><div style='position: fixed; inset: 0; background: red'></div>",
        ),
        _ => OtherSiteReply::page(HEAD).status(404),
    }
}

const FILE: &[u8] = b"%PDF-1.7\n\x00\xff%%EOF";

async fn opened() -> Option<(OtherSite, Chromium)> {
    let site = OtherSite::open(pages).await;
    let visitor = Browser::new(site.url(), site.authority_pem());
    let chromium = or_skip(&[&visitor]).await?;
    Some((site, chromium))
}

#[tokio::test]
async fn a_person_fills_in_a_form_and_sends_a_file() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(site.url()).await;
    assert_eq!((page.path().await.as_str(), page.status()), ("/", 200));
    page.fill("[name=title]", "Tea").await;
    page.fill("[name=title]", "Tea & <b>milk</b> é").await;
    page.fill("[name=body]", "gone").await;
    page.fill("[name=body]", "").await;
    assert_eq!(page.value("[name=title]").await, "Tea & <b>milk</b> é");
    page.select("[name=kind]", "s").await;
    page.check("[name=agree]").await;
    page.check("[name=agree]").await;
    let paper = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(paper.path(), "real bytes").unwrap();
    page.set_files("[name=paper]", &[paper.path()]).await;
    page.follow("text=Save it").await;
    assert_eq!(
        (page.url().await, page.status()),
        (format!("{}/echo", site.url()), 422)
    );
    let sent = page.text("pre").await;
    for part in [
        "Tea & <b>milk</b> é",
        "name=\"body\"\n\n\n",
        "\ns\n",
        "\non\n",
        "text/plain",
        "real bytes",
    ] {
        assert!(sent.contains(part), "{part:?} in {sent}");
    }
    assert!(page.back().await, "there is a page before");
    assert_eq!(page.texts("h1").await, ["Notes"]);
    page.submit("form.note").await;
    assert_eq!(page.path().await, "/echo");
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(site.url()).await;
    page.press(Key::Tab).await;
    page.call("Input.insertText", json!({ "text": "tea" }))
        .await;
    page.press(Key::Escape).await;
    page.enter().await;
    assert_eq!(page.url().await, format!("{}/echo?q=tea", site.url()));
    page.goto(site.url()).await;
    for _ in 0..5 {
        page.press(Key::Tab).await;
    }
    page.press(Key::Space).await;
    assert_eq!(
        page.evaluate("document.querySelector('[name=agree]').checked")
            .await,
        true
    );
}

#[tokio::test]
async fn a_download_arrives_byte_for_byte() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(site.url()).await;
    let file = page.download("text=Get the file").await;
    assert_eq!(std::fs::read(&file.path).unwrap(), FILE);
    assert_eq!(file.name, "paper one.pdf");
    let again = page.download("text=Save the file").await;
    assert_ne!(again.path, file.path);
    assert_eq!(
        page.path().await,
        "/",
        "a download leaves the page where it is"
    );
}

#[tokio::test]
async fn two_people_share_no_cookies() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let (ada, bob) = (chromium.person().await, chromium.person().await);
    let page = ada.page().await;
    page.goto(site.url()).await;
    let cookies = ada.cookies().await;
    assert_eq!(
        (&cookies[0]["name"], &cookies[0]["httpOnly"]),
        (&json!("__Host-s"), &json!(true))
    );
    assert_eq!(bob.cookies().await.len(), 0);
    let (own, other) = (ada.page().await, bob.page().await);
    for (page, cookie) in [(&own, "__Host-s=1"), (&other, "none")] {
        page.goto(&format!("{}/cookie", site.url())).await;
        assert_eq!(page.text("p").await, cookie);
    }
}

#[tokio::test]
async fn what_the_browser_complains_about_is_heard() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let person = chromium.person().await;
    let kinds = async |path: &str| {
        let page = person.page().await;
        page.goto(&format!("{}{path}", site.url())).await;
        let mut kinds: Vec<Kind> = page
            .troubles()
            .await
            .into_iter()
            .map(|trouble| trouble.kind)
            .collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds("/").await, []);
    assert_eq!(kinds("/none").await, [Kind::Network]);
    assert_eq!(kinds("/policy").await, [Kind::Policy]);
    let hostile = kinds("/hostile").await;
    for kind in [Kind::Dialog, Kind::Console, Kind::Exception] {
        assert!(hostile.contains(&kind), "{kind:?} in {hostile:?}");
    }
}

#[tokio::test]
async fn what_keeps_people_out_is_found() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(site.url()).await;
    for (screen, scheme) in [
        (Screen::Desktop, Scheme::Light),
        (Screen::Mobile, Scheme::Dark),
    ] {
        page.screen(screen).await;
        page.scheme(scheme).await;
        assert_eq!(page.barriers().await, [""; 0]);
    }
    page.goto(&format!("{}/barriers", site.url())).await;
    let found = page.barriers().await.join("\n");
    for barrier in [
        "language",
        "<main>",
        "wider",
        "skipped",
        "#x",
        "no label",
        "no alt",
        "contrast 2.8",
        "a link has",
        "a RootWebArea has",
    ] {
        assert!(found.contains(barrier), "{barrier} in {found}");
    }
}

#[tokio::test]
async fn a_screenshot_shows_the_window_or_all_of_the_page() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(site.url()).await;
    let folder = tempfile::TempDir::new().unwrap();
    let (window, full): (PathBuf, PathBuf) = (
        folder.path().join("new/window.png"),
        folder.path().join("full.png"),
    );
    page.screenshot(&window, Extent::Window).await;
    page.screen(Screen::Mobile).await;
    page.scheme(Scheme::Dark).await;
    page.reload().await;
    page.screenshot(&full, Extent::Full).await;
    assert_eq!(size(&window), (1280, 900));
    let (width, height) = size(&full);
    assert!(
        width == 780 && height > 6000,
        "{width} by {height}, at two dots a pixel"
    );
    assert_eq!(
        page.evaluate("getComputedStyle(document.body).color").await,
        "rgb(238, 238, 238)"
    );
}

#[tokio::test]
async fn a_button_under_something_else_cannot_be_clicked() {
    let Some((site, chromium)) = opened().await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(&format!("{}/covered", site.url())).await;
    let refused = tokio::spawn(async move { page.click("button").await }).await;
    assert!(refused.is_err_and(|error| error.is_panic()));
}

#[tokio::test]
async fn a_site_of_another_authority_is_not_shown() {
    let Some((_site, chromium)) = opened().await else {
        return;
    };
    let other = OtherSite::open(pages).await;
    let page = chromium.person().await.page().await;
    let url = other.url().to_owned();
    let refused = tokio::spawn(async move { page.goto(&url).await }).await;
    let text = *refused
        .unwrap_err()
        .into_panic()
        .downcast::<String>()
        .unwrap();
    assert!(text.contains("ERR_CERT_AUTHORITY_INVALID"), "{text}");
}

/// Width and height, from the picture's first chunk.
fn size(png: &Path) -> (u32, u32) {
    let bytes = std::fs::read(png).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert!(bytes.starts_with(b"\x89PNG"));
    (number(16), number(20))
}
