//! Every page, for a user whose browser requests German: nothing on it is English.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dewar::testing::{Browser, TestResponse};

use super::messages::Messages;
use super::read;
use super::text::texts;
use crate::attacks::csrf::everywhere::Forged;
use crate::attacks::csrf::routes::{self, Case};
use crate::company::{Portal, decide, document, post};

/// Typed texts, and names of files and browsers in these tests: the same in every language.
const NAMES: &str =
    "ada ben cal dan eve fay fox grace ned ray zoe Own Theirs Old Torn Milk. TXT Portal";

/// The words of scopes, which an enum has in one language.
const SCOPES: [&str; 3] = [
    "Comment on documents",
    "Hand in and change documents",
    "Read documents",
];

/// The result for the pages so far.
struct Sweep {
    /// Sentences that have to differ between the languages.
    english: Vec<String>,
    german: Messages,
    names: BTreeSet<String>,
    looked_at: BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Sweep {
    fn new() -> Self {
        let (english, german) = (Messages::all("en"), Messages::all("de"));
        let is_sentence = |text: &&str| text.split(' ').count() > 2;
        let of_both = german.texts();
        let english = english.texts().into_iter().filter(is_sentence);
        let english = english.filter(|text| !of_both.contains(text));
        Self {
            english: english.map(str::to_owned).collect(),
            names: NAMES
                .split(' ')
                .chain(["Is it?", "Tablet"])
                .chain(SCOPES)
                .map(str::to_owned)
                .collect(),
            looked_at: BTreeSet::new(),
            found: BTreeSet::new(),
            german,
        }
    }

    /// Checks a page in German and, if it was read in English too, the texts that both have in common.
    fn look(&mut self, what: &str, german: &TestResponse, english: Option<&TestResponse>) {
        let kind = german.header("content-type").unwrap_or_default().to_owned();
        if !kind.starts_with("text/html") && !kind.starts_with("text/csv") {
            return;
        }
        self.looked_at.insert(what.to_owned());
        if kind.starts_with("text/html") {
            let language = german.attribute("html", "lang");
            assert_eq!(language.as_deref(), Some("de"), "{what}");
            assert_eq!(german.header("content-language"), Some("de"), "{what}");
        }
        let all = words(german);
        let page = all.join("\n");
        let found = self.english.iter().filter(|text| page.contains(*text));
        let mut found: Vec<String> = found.cloned().collect();
        if let Some(english) = english {
            assert_eq!(german.status(), english.status(), "{what}");
            let (same, known) = (words(english), self.german.texts());
            let same = all.into_iter().filter(|text| same.contains(text));
            found.extend(same.filter(|text| !known.contains(&**text) && !self.is_typed(text)));
        }
        self.found
            .extend(found.into_iter().map(|text| format!("{what}: {text:?}")));
    }

    fn is_typed(&self, text: &str) -> bool {
        // In a title, in the audit log, and in a monogram.
        let name = text.split(" · ").next().unwrap();
        let name = name.split(" (").next().unwrap();
        let is_letter = text.chars().count() == 1;
        is_letter || self.names.contains(name) || text.contains("@example.org")
    }

    async fn read(&mut self, browser: &Browser, path: &str) {
        let german = read(browser, path, "de").await;
        let english = read(browser, path, "en").await;
        self.look(&format!("GET {path}"), &german, Some(&english));
    }

    /// Sends a form that is refused in both languages.
    async fn is_refused(&mut self, what: &str, case: &Case, forge: impl Fn(&mut Forged<'_>)) {
        let mut answers = Vec::new();
        for language in ["de", "en"] {
            let mut forged = Forged::from_own_page(case).await;
            forge(&mut forged);
            answers.push(send(forged, language).await);
        }
        let what = format!("{what} {}", case.route);
        if answers[0].status() == 303 {
            // The portal accepted it, and answers in the second language.
            return;
        }
        assert_eq!(answers[0].status().as_u16() / 100, 4, "{what}");
        self.look(&what, &answers[0], Some(&answers[1]));
    }

    /// Sends a form that is accepted, and reads the message about it.
    async fn is_taken(&mut self, case: &Case) {
        let forged = Forged::from_own_page(case).await;
        let answer = send(forged, "de").await;
        let text = answer.text();
        assert_eq!(answer.status(), case.done(), "{}: {text}", case.route);
        if case.done() == 200 {
            return self.look(case.route, &answer, None);
        }
        let next = answer.location().unwrap().to_owned();
        let page = read(&case.browser, &next, "de").await;
        self.look(case.route, &page, None);
        for said in page.texts(".flash p") {
            assert!(
                self.german.texts().contains(&*said),
                "{}: {said:?} is no message",
                case.route
            );
        }
    }

    fn end(self) {
        let all = Vec::from_iter(self.found).join("\n");
        assert!(all.is_empty(), "English on German pages:\n{all}");
    }
}

/// The texts of a page, or the cells of a table.
fn words(answer: &TestResponse) -> Vec<String> {
    let text = answer.text();
    let kind = answer.header("content-type").unwrap_or_default();
    if kind.starts_with("text/csv") {
        let cells = text
            .split('"')
            .filter(|cell| cell.contains(char::is_alphabetic));
        return cells.map(str::to_owned).collect();
    }
    texts(&text).into_iter().map(|words| words.text).collect()
}

async fn send(mut forged: Forged<'_>, language: &str) -> TestResponse {
    forged.headers.push(("accept", "text/html".to_owned()));
    forged
        .headers
        .push(("accept-language", language.to_owned()));
    forged.send().await
}

/// The same form with only the hidden values of its page.
fn emptied(case: &Case) -> Case {
    let hidden = ["version", "pending", "secret"];
    let value = |name: &str, value: &str| {
        let kept = if hidden.contains(&name) { value } else { "" };
        kept.to_owned()
    };
    let fields = case.fields.iter();
    Case {
        route: case.route,
        path: case.path.clone(),
        fields: fields
            .map(|(name, text)| (*name, value(name, text)))
            .collect(),
        file: None,
        browser: Arc::clone(&case.browser),
        app: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_english_to_somebody_who_reads_german() {
    let portal = Portal::open().await;
    let mut sweep = Sweep::new();
    let cases = routes::all_but_set_up(&portal).await;
    for case in &cases {
        sweep
            .names
            .extend(case.fields.iter().map(|(_, typed)| typed.clone()));
    }
    let everybody = [
        Arc::clone(&cases.last().unwrap().browser),
        Arc::new(portal.visitor()),
    ];
    for path in routes::that_are_read(&cases) {
        for browser in &everybody {
            sweep.read(browser, &path).await;
        }
        assert!(
            sweep.looked_at.contains(&format!("GET {path}")) || is_no_page(&path),
            "{path} was not looked at"
        );
    }
    for case in cases.iter().filter(|case| !case.fields.is_empty()) {
        // One user's many posts have to keep within the rate limit.
        portal.clock.advance(Duration::from_secs(4));
        let nothing = emptied(case);
        sweep.is_refused("an empty", &nothing, |_| {}).await;
        sweep
            .is_refused("a stale", case, |forged| forged.token = None)
            .await;
    }
    for case in cases {
        portal.clock.advance(Duration::from_secs(1));
        let case = case.at(portal.clock.now());
        sweep.is_taken(&case).await;
    }
    portal.running.stop().await.unwrap();
    sweep.end();
}

/// Pictures, files and a redirect have no language.
fn is_no_page(path: &str) -> bool {
    path == "/second-factor" || path.ends_with("/file") || path == "/account/picture"
}

#[tokio::test(flavor = "multi_thread")]
async fn no_state_of_a_page_is_english_to_somebody_who_reads_german() {
    let portal = Portal::open().await;
    let mut sweep = Sweep::new();
    let first = routes::set_up(&portal).await;
    sweep.read(&first.browser, &first.path).await;
    let grace = portal
        .person("grace", &["administrator", "reviewer", "member"])
        .await;
    let nobody = portal.person("ned", &[]).await;
    // Empty lists, and searches without results.
    for path in [
        "/",
        "/documents",
        "/documents?q=x&status=pending&tag=y",
        "/reviews",
        "/admin/users?q=nobody",
        "/admin/audit?before=1",
        "/admin/jobs",
        "/nowhere",
        "/?page=0",
        "/documents/0",
        "/account",
        "/account/tokens",
    ] {
        sweep.read(&grace, path).await;
        sweep.read(&nobody, path).await;
    }
    let zoe = portal.member("zoe").await;
    let (torn, own) = (document(&zoe, "Torn").await, document(&zoe, "Own").await);
    let review = |path: &str| path.replace("documents", "reviews");
    post(&grace, &format!("{torn}/comments"), "comment=Is+it%3F").await;
    post(&zoe, &format!("{own}/shares"), "email=ned%40example.org").await;
    // More than the queue shows, and more than a page of the list.
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) \
               INSERT INTO documents (owner_id, title, file_id, kind, size, status, created_at, updated_at, description_html) \
               SELECT owner_id, i, i, 'TXT', 1, 'pending', 1, 1, '' FROM documents, n WHERE id = 1";
    portal.db().execute(sql, []).await.unwrap();
    zoe.get("/").await;
    grace.get("/").await;
    for path in [
        &torn,
        &own,
        "/reviews",
        "/documents?page=2",
        "/documents?sort=title",
        "/admin/audit",
        "/admin/users",
    ] {
        sweep.read(&grace, path).await;
        sweep.read(&zoe, path).await;
    }
    decide(&grace, &review(&torn), "decision=reject&reason=Is+it%3F").await;
    decide(&grace, &review(&own), "decision=approve&reason=").await;
    for path in [&torn, &own] {
        sweep.read(&zoe, path).await;
        sweep.read(&zoe, &format!("{path}/edit")).await;
        sweep.read(&zoe, &format!("{path}/delete")).await;
    }
    portal.running.stop().await.unwrap();
    sweep.end();
}
