//! The link that leaves a mailing list: the only change without a token, a signature or a session.

use dewar::App;
use dewar::forms::Email;
use dewar::mail::{Letter, LetterStatus};
use dewar::testing::{Browser, Site};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "tests/it/mailing_list"]
struct Templates;

#[derive(Letter)]
#[letter(template = "letters/news", list = "news")]
struct News {
    title: &'static str,
}

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

fn with_list(app: App) -> App {
    app.templates::<Templates>().letter::<News>()
}

async fn send(site: &Site, to: &str) -> LetterStatus {
    let tx = site.db().begin().await.unwrap();
    let mailer = site.dewar().mailer();
    let to = Email::parse(to).unwrap();
    let status = mailer.send(&tx, to, &News { title: "Tea" }).await;
    tx.commit().await.unwrap();
    status.unwrap()
}

/// The path of the link in the only letter to this address.
async fn path_for(site: &Site, to: &str) -> String {
    assert_eq!(send(site, to).await, LetterStatus::Queued);
    let letters = site.letters().await;
    let letter = letters.iter().find(|letter| letter.is_to(to)).unwrap();
    let link = letter
        .links()
        .into_iter()
        .find(|link| link.contains("/unsubscribe/"));
    link.unwrap().strip_prefix(site.url()).unwrap().to_owned()
}

async fn post(browser: &Browser, path: &str, body: &str) -> u16 {
    let request = browser.without_fetch_metadata().raw("POST", path);
    request.form(body).send().await.unwrap().status().as_u16()
}

/// A mail provider sends no cookie and no origin (RFC 8058, 3.2). A scanner of links sends `GET` and `HEAD`.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_left_by_one_request_without_a_cookie_and_by_no_look_at_the_link() {
    let site = Site::start(with_list).await;
    let (ada, bob) = ("ada@example.org", "bob@example.org");
    let path = path_for(&site, ada).await;
    let visitor = site.visitor();
    let page = visitor.get(&path).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("a…@example.org"), "{}", page.text());
    assert!(!page.text().contains(ada), "{}", page.text());
    assert_eq!(visitor.cookies().len(), 0);
    assert_eq!(
        visitor.raw("HEAD", &path).send().await.unwrap().status(),
        200
    );
    assert_eq!(send(&site, ada).await, LetterStatus::Queued);
    assert_eq!(post(&visitor, &path, ONE_CLICK).await, 200);
    assert_eq!(send(&site, ada).await, LetterStatus::Unsubscribed);
    assert_eq!(send(&site, bob).await, LetterStatus::Queued);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_the_page_leaves_the_list() {
    let site = Site::start(with_list).await;
    let path = path_for(&site, "ada@example.org").await;
    let visitor = site.visitor();
    let page = visitor.get(&path).await;
    assert_eq!(page.texts("form button").len(), 1);
    assert!(
        page.text()
            .contains("name=\"List-Unsubscribe\" value=\"One-Click\""),
        "{}",
        page.text()
    );
    let request = visitor
        .raw("POST", &path)
        .header("sec-fetch-site", "same-origin");
    let done = request.form(ONE_CLICK).send().await.unwrap();
    assert_eq!(done.status(), 200);
    assert_eq!(done.texts("h1"), ["You have left the list"]);
}

/// The exemption does not open other lists, other addresses, other routes, and the caller's own session.
///
/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn the_exemption_from_the_token_is_for_a_sealed_link_alone() {
    let site = Site::start(with_list).await;
    let path = path_for(&site, "ada@example.org").await;
    let other = path_for(&site, "bob@example.org").await;
    let visitor = site.visitor();
    let (token, of_bob) = (
        path.rsplit('/').next().unwrap(),
        other.rsplit('/').next().unwrap(),
    );
    let (begin, _) = token.split_at(token.len() / 2);
    let (_, end) = of_bob.split_at(of_bob.len() / 2);
    let half = format!("{begin}{end}");
    for (path, body, status) in [
        (path.clone(), "", 400),
        (path.clone(), "List-Unsubscribe=no", 400),
        (format!("/unsubscribe/{half}"), ONE_CLICK, 404),
        ("/unsubscribe/ada@example.org".to_owned(), ONE_CLICK, 404),
        (format!("{path}/more"), ONE_CLICK, 404),
        ("/unsubscribe".to_owned(), ONE_CLICK, 404),
    ] {
        assert_eq!(post(&visitor, &path, body).await, status, "{path}");
    }
    for to in ["ada@example.org", "bob@example.org"] {
        assert_eq!(send(&site, to).await, LetterStatus::Queued);
    }
    assert_eq!(post(&visitor, &path, ONE_CLICK).await, 200);
    assert_eq!(send(&site, "bob@example.org").await, LetterStatus::Queued);
}

#[test]
fn the_route_table_shows_the_exemption_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let app = with_list(App::in_directory(&folder).unwrap());
    let table = app.route_table();
    let printed = table.to_string();
    let line = printed
        .lines()
        .find(|line| line.starts_with("POST   /unsubscribe/{token}"));
    let line = line.unwrap();
    assert!(
        line.contains(" unsubscribe ") && line.contains("RFC 8058"),
        "{line}"
    );
    let json = serde_json::to_value(&table).unwrap();
    let all = json.as_array().unwrap().iter();
    let of_list = all.filter(|entry| entry["path"] == "/unsubscribe/{token}");
    let accesses: Vec<_> = of_list
        .map(|entry| entry["access"].as_str().unwrap())
        .collect();
    assert_eq!(accesses, ["public", "unsubscribe"]);
    // An application that writes to nobody has no such route.
    let none = App::in_directory(&folder)
        .unwrap()
        .route_table()
        .to_string();
    assert!(!none.contains("unsubscribe"), "{none}");
}
