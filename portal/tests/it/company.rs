//! The people of the tests, each a browser in front of a portal of their own.

use std::fs;

use dewar::accounts::NewUser;
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::testing::{Answer, Browser};
use dewar::{App, Db};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a quiet lake before the rain";

/// A portal that runs for one test, with a clock that the test sets.
pub(crate) struct Portal {
    pub(crate) running: Running,
    pub(crate) clock: Clock,
    pub(crate) data: TempDir,
    authority: Vec<u8>,
}

impl Portal {
    pub(crate) async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::system().now());
        let app = portal::app(App::in_directory(&data).unwrap()).clock(clock.clone());
        let running = app.start().await.unwrap();
        let authority = fs::read(running.authority_file().unwrap()).unwrap();
        Self {
            running,
            clock,
            data,
            authority,
        }
    }

    pub(crate) fn db(&self) -> &Db {
        self.running.dewar().db()
    }

    /// Nobody yet.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(self.running.url(), &self.authority)
    }

    /// Somebody with these roles, signed in through the form.
    pub(crate) async fn person(&self, name: &str, roles: &[&str]) -> Browser {
        let email = format!("{name}@example.org");
        let person = NewUser {
            email: &email,
            name,
            password: PASSWORD,
        };
        self.running
            .dewar()
            .accounts()
            .add(person, roles)
            .await
            .unwrap();
        let browser = self.visitor();
        let answer = sign_in(&browser, &email, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        browser
    }

    pub(crate) async fn member(&self, name: &str) -> Browser {
        self.person(name, &[]).await
    }

    pub(crate) async fn administrator(&self) -> Browser {
        self.person("grace", &["administrator"]).await
    }

    /// How many rows a literal count finds.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.db().query(sql, []).await.unwrap()[0].get(0).unwrap()
    }

    /// The audit log as text, written to its end.
    pub(crate) async fn log(&self) -> String {
        self.running.dewar().log().flush().await;
        fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap()
    }
}

pub(crate) async fn sign_in(browser: &Browser, email: &str, password: &str) -> Answer {
    let page = browser.get("/sign-in").await;
    let form = page
        .form("/sign-in")
        .fill("email", email)
        .fill("password", password);
    browser.submit(form).await
}

/// Hands a document in through the form; the answer leads to it.
pub(crate) async fn hand_in(browser: &Browser, title: &str, file: &str, bytes: &[u8]) -> Answer {
    let page = browser.get("/documents/new").await;
    let form = page
        .form("/documents")
        .fill("title", title)
        .file("file", file, bytes.to_vec());
    browser.submit(form).await
}

/// The path of a text that was handed in.
pub(crate) async fn document(browser: &Browser, title: &str) -> String {
    let answer = hand_in(browser, title, "note.txt", b"What was agreed.\n").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

/// A token that is good for this browser's session, or for what it has before it signs in.
pub(crate) async fn token(browser: &Browser) -> String {
    let page = browser.get("/documents").await;
    let form = if page.status() == 200 {
        page.form("/sign-out")
    } else {
        browser.get("/sign-in").await.form("/sign-in")
    };
    form.value("csrf_token").unwrap()
}

/// Posts fields as the application's own page would.
pub(crate) async fn post(browser: &Browser, path: &str, fields: &str) -> Answer {
    let token = token(browser).await;
    let request = browser
        .raw("POST", path)
        .header("sec-fetch-site", "same-origin");
    let request = request.header("accept", "text/html");
    let separator = if fields.is_empty() { "" } else { "&" };
    request
        .form(&format!("csrf_token={token}{separator}{fields}"))
        .send()
        .await
        .unwrap()
}
