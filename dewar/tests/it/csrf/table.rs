//! Every method with every value of the origin headers, every token and every content type. The expected results follow
//! `docs/practices/csrf.md`, and are computed without the code under test.

use std::time::Duration;

use bytes::Bytes;
use dewar::app::RateLimit;
use dewar::database::Migration;
use dewar::forms::Line;
use dewar::testing::Browser;
use dewar::{App, Db, Form, Page, Redirect, app, get, post};
use http::Request;
use http_body_util::Full;

use super::connection::Connection;
use crate::site::{self, Site};

#[derive(Form)]
struct Mark {
    word: Line<20>,
}

async fn marks() -> &'static str {
    "marks"
}

/// A real change: a row exists, or it does not.
async fn mark(db: Db, form: Form<Mark>) -> dewar::Result<Redirect> {
    let mark = form.or_rerender(Page::new("note.html").with("title", "Again"))?;
    let sql = "INSERT INTO marks (word) VALUES (?)";
    db.execute(sql, [mark.word.as_str().into()]).await?;
    Ok(Redirect::to("/marks"))
}

/// The same, by a button.
async fn press(db: Db) -> dewar::Result<Redirect> {
    let sql = "INSERT INTO marks (word) VALUES ('tea')";
    db.execute(sql, []).await?;
    Ok(Redirect::to("/marks"))
}

/// More than one person sends in a day: the whole table comes from one address.
const MANY: RateLimit = RateLimit::new(1_000_000, Duration::from_secs(60));

/// Two paths. On each, every method that changes something does the same.
fn marking(app: App) -> App {
    let table =
        "CREATE TABLE marks (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT NOT NULL) STRICT";
    let routes = [
        get("/marks", marks),
        post("/marks", mark).rate_limit(MANY),
        app::put("/marks", mark).rate_limit(MANY),
        app::patch("/marks", mark).rate_limit(MANY),
        app::delete("/marks", mark).rate_limit(MANY),
        get("/button", marks),
        post("/button", press).rate_limit(MANY),
        app::put("/button", press).rate_limit(MANY),
        app::patch("/button", press).rate_limit(MANY),
        app::delete("/button", press).rate_limit(MANY),
    ];
    site::app(app)
        .public(routes)
        .migrations([Migration::new("marks_0001", table)])
}

const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];
const ALL: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/// `Sec-Fetch-Site`, once for each header line.
const SITES: [&[&str]; 7] = [
    &[],
    &["same-origin"],
    &["none"],
    &["same-site"],
    &["cross-site"],
    &["same-galaxy"],
    &["same-origin", "cross-site"],
];

/// `Origin`, once for each header line; `OWN` stands for the application's own.
const ORIGINS: [&[&str]; 6] = [
    &[],
    &[OWN],
    &["null"],
    &["https://evil.example"],
    &["https://localhost"],
    &[OWN, OWN],
];
const OWN: &str = "own";

/// The token in the field, and the one in the header.
const TOKENS: [(Token, Token); 9] = {
    use Token::{Empty, None, Others, Own};
    [
        (None, None),
        (Own, None),
        (Empty, None),
        (Others, None),
        (None, Own),
        (None, Others),
        (Own, Own),
        (Own, Others),
        (Others, Own),
    ]
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    None,
    Own,
    Empty,
    /// A token of another session or, for a visitor, of another visitor.
    Others,
}

/// The target of a request: a route that takes a form, or one that takes only its token. The same rule applies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    Button,
    Form,
}

impl Target {
    fn path(self) -> &'static str {
        match self {
            Self::Button => "/button",
            Self::Form => "/marks",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Urlencoded,
    Multipart,
    Plain,
    Json,
}

const KINDS: [Kind; 4] = [Kind::Urlencoded, Kind::Multipart, Kind::Plain, Kind::Json];

/// One line of the table.
#[derive(Clone, Copy, Debug)]
struct Case {
    method: &'static str,
    site: &'static [&'static str],
    origin: &'static [&'static str],
    field: Token,
    header: Token,
    kind: Kind,
}

fn table(methods: &[&'static str]) -> impl Iterator<Item = Case> {
    let places = methods.iter().flat_map(|method| {
        SITES.into_iter().flat_map(move |site| {
            ORIGINS
                .into_iter()
                .map(move |origin| (method, site, origin))
        })
    });
    places.flat_map(|(method, site, origin)| {
        TOKENS.into_iter().flat_map(move |(field, header)| {
            KINDS.into_iter().map(move |kind| Case {
                method,
                site,
                origin,
                field,
                header,
                kind,
            })
        })
    })
}

impl Case {
    /// The correct responses; only 303 follows a change.
    fn answers(self) -> &'static [u16] {
        // "a request with any method but `GET`, `HEAD` or `OPTIONS`"
        if SAFE.contains(&self.method) {
            return self.answers_to_a_reader();
        }
        // 1. "The header `Sec-Fetch-Site` is `same-origin` or `none`, if the browser sent it. Dewar refuses unknown
        //    values."
        let site_is_ours = matches!(self.site, [] | ["same-origin" | "none"]);
        // 2. "The header `Origin` names this application, if the browser sent it. `null` does not count."
        let origin_is_ours = matches!(self.origin, [] | [OWN]);
        // 3. "The request has one of the two headers, and each at most once." A header that is sent twice is in neither
        //    list above.
        let is_said = !self.site.is_empty() || !self.origin.is_empty();
        if !(site_is_ours && origin_is_ours && is_said) {
            return &[403];
        }
        // `forms`: "Another content type than urlencoded, multipart and JSON: 415." It does not promise which of two
        // refusals comes first.
        if self.kind == Kind::Plain {
            return &[403, 415];
        }
        // 4. "JSON requests send it in the header." In a JSON body the token is an undeclared field.
        if self.kind == Kind::Json {
            return match (self.header, self.field) {
                (Token::Own, Token::None) => &[303],
                (Token::Own, _) => &[400],
                _ => &[403],
            };
        }
        // 4. "The form field or the header holds a token of this session. If a request has both, both must be right."
        let tokens = [self.field, self.header];
        let all_are_own = tokens
            .iter()
            .all(|token| matches!(token, Token::None | Token::Own));
        if all_are_own && tokens.contains(&Token::Own) {
            &[303]
        } else {
            &[403]
        }
    }

    /// 5. "It cannot be framed, loaded as an image or script, or read with `fetch`." These requests are no link: they
    ///    have no mode.
    fn answers_to_a_reader(self) -> &'static [u16] {
        match (self.site, self.method) {
            ([] | ["same-origin" | "none"], "OPTIONS") => &[405],
            ([] | ["same-origin" | "none"], _) => &[200],
            _ => &[403],
        }
    }
}

/// A sender of the whole table.
struct Sender {
    base: String,
    cookies: String,
    own: String,
    others: String,
}

impl Sender {
    fn new(browser: &Browser, own: String, others: String) -> Self {
        let cookies = browser.cookies();
        let pairs = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
        Self {
            base: browser.base().trim_end_matches('/').to_owned(),
            cookies: pairs.collect::<Vec<_>>().join("; "),
            own,
            others,
        }
    }

    fn token(&self, token: Token) -> Option<&str> {
        match token {
            Token::None => None,
            Token::Own => Some(&self.own),
            Token::Empty => Some(""),
            Token::Others => Some(&self.others),
        }
    }

    fn request(&self, target: Target, case: Case) -> Request<Full<Bytes>> {
        let host = self.base.trim_start_matches("https://");
        let mut request = Request::builder()
            .method(case.method)
            .uri(target.path())
            .header("host", host)
            .header("cookie", &self.cookies);
        for site in case.site {
            request = request.header("sec-fetch-site", *site);
        }
        for origin in case.origin {
            let origin = if *origin == OWN { &self.base } else { *origin };
            request = request.header("origin", origin);
        }
        if let Some(token) = self.token(case.header) {
            request = request.header("x-csrf-token", token);
        }
        let kind = match case.kind {
            Kind::Urlencoded => "application/x-www-form-urlencoded",
            Kind::Multipart => "multipart/form-data; boundary=cut",
            Kind::Plain => "text/plain",
            Kind::Json => "application/json",
        };
        let request = request.header("content-type", kind);
        request.body(Full::from(self.body(target, case))).unwrap()
    }

    /// The content of a form of that type. For a type that is none of a form, the body is still a form, so that only the
    /// type can cause the refusal.
    fn body(&self, target: Target, case: Case) -> String {
        let has_word = target == Target::Form;
        let token = self.token(case.field);
        if case.kind == Kind::Multipart {
            let part = |name: &str, value: &str| {
                format!(
                    "--cut\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
            };
            let token = token.map_or_else(String::new, |token| part("csrf_token", token));
            let word = if has_word {
                part("word", "tea")
            } else {
                String::new()
            };
            return format!("{token}{word}--cut--\r\n");
        }
        if case.kind == Kind::Json {
            let token = token.map(|token| format!(r#""csrf_token":"{token}""#));
            let word = has_word.then(|| r#""word":"tea""#.to_owned());
            let pairs: Vec<_> = token.into_iter().chain(word).collect();
            return format!("{{{}}}", pairs.join(","));
        }
        let token = token.map(|token| format!("csrf_token={token}"));
        let word = has_word.then(|| "word=tea".to_owned());
        let pairs: Vec<_> = token.into_iter().chain(word).collect();
        pairs.join("&")
    }
}

async fn form_token(browser: &Browser, path: &str, form: &str) -> String {
    let form = browser.get(path).await.form(form);
    form.value("csrf_token").unwrap()
}

/// Sends the table with these methods, and looks after each request for a new row. The caller knows the number of changes:
/// a table that expects none would prove nothing.
async fn changes(
    site: &Site,
    sender: &Sender,
    target: Target,
    cases: impl IntoIterator<Item = Case>,
) -> i64 {
    let db = site.running.dewar().db();
    let mut connection = Connection::to(site);
    let mut changes = 0;
    for case in cases {
        let answers = case.answers();
        let status = connection.ask(sender.request(target, case)).await;
        assert!(
            answers.contains(&status),
            "{case:?}: {status}, not {answers:?}"
        );
        changes += i64::from(answers == [303]);
        let rows = db.query("SELECT count(*) FROM marks", []).await.unwrap();
        assert_eq!(rows[0].get::<i64>(0).unwrap(), changes, "{case:?}");
    }
    changes
}

/// Our own value in `Sec-Fetch-Site` (two), in `Origin` (one), or in both; with three ways to send the token in each of the
/// two types of HTML forms, and with one in JSON.
const OURS: i64 = (2 + 1 + 2) * (3 * 2 + 1);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_sends_changes_something_only_by_the_written_rule() {
    let site = Site::of(marking).await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let own = form_token(&ada, "/notes", "/sign-out").await;
    let others = form_token(&eve, "/notes", "/sign-out").await;
    let sender = Sender::new(&ada, own, others);
    assert!(table(&ALL).count() > 10_000);
    let changed = changes(&site, &sender, Target::Form, table(&ALL)).await;
    assert_eq!(changed, 4 * OURS);
}

/// A visitor's token belongs to a cookie, a member's to a session; the methods are treated alike.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_sends_changes_something_only_by_the_written_rule() {
    let site = Site::of(marking).await;
    let (visitor, other) = (site.visitor.another(), site.visitor.another());
    let own = form_token(&visitor, "/sign-in", "/sign-in").await;
    let others = form_token(&other, "/sign-in", "/sign-in").await;
    let sender = Sender::new(&visitor, own, others);
    let methods = ["GET", "POST"];
    let changed = changes(&site, &sender, Target::Form, table(&methods)).await;
    assert_eq!(changed, OURS);
}

/// Dewar reads its token by the same rules, though the handler takes no form.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_button_sends_changes_something_only_by_the_written_rule() {
    let site = Site::of(marking).await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let own = form_token(&ada, "/notes", "/sign-out").await;
    let others = form_token(&eve, "/notes", "/sign-out").await;
    let sender = Sender::new(&ada, own, others);
    let methods = ["GET", "POST", "DELETE"];
    let changed = changes(&site, &sender, Target::Button, table(&methods)).await;
    assert_eq!(changed, 2 * OURS);
    // The other methods, from our own page: only the token lets the request pass, whatever the method is.
    let others = table(&["PUT", "PATCH"]).filter(|case| {
        case.site == ["same-origin"] && case.origin.is_empty() && case.kind == Kind::Urlencoded
    });
    let rows = site.running.dewar().db();
    rows.execute("DELETE FROM marks", []).await.unwrap();
    assert_eq!(changes(&site, &sender, Target::Button, others).await, 2 * 3);
}
