//! Every route that changes something, attacked in every way.

use std::fmt::Debug;
use std::time::Duration;

use dewar::testing::{Browser, Cookies, TestResponse};

use super::routes::{self, Case};
use crate::company::{Portal, shown};

/// A request that an attacker can change.
pub(crate) struct Forged<'a> {
    pub(crate) case: &'a Case,
    pub(crate) path: String,
    pub(crate) method: &'static str,
    pub(crate) token: Option<String>,
    /// The version of the record that the page shows beside its button.
    shown: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) more: Vec<(&'static str, String)>,
    pub(crate) encoding: Encoding,
    pub(crate) cookies: Cookies,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Form,
    /// `enctype=text/plain`, which a form of any site can send.
    Plain,
}

/// Tokens of other visitors.
pub(super) struct Stolen {
    /// Of another user's session.
    pub(super) session: String,
    /// Of another visitor's pre-session.
    pub(super) visitor: String,
}

impl<'a> Forged<'a> {
    /// The request of the portal's own page, with its token.
    pub(crate) async fn from_own_page(case: &'a Case) -> Self {
        let origin = case.browser.base().trim_end_matches('/').to_owned();
        Self {
            case,
            path: case.path.clone(),
            method: "POST",
            token: Some(own_token(&case.browser).await),
            shown: shown(&case.browser, &case.path).await,
            headers: vec![
                ("sec-fetch-site", "same-origin".to_owned()),
                ("origin", origin),
            ],
            more: Vec::new(),
            encoding: Encoding::Form,
            cookies: Cookies::All,
        }
    }

    pub(super) fn says(&mut self, headers: &[(&'static str, &str)]) {
        self.headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
    }

    pub(crate) async fn send(self) -> TestResponse {
        let (kind, body) = self.body();
        let mut raw = self
            .case
            .browser
            .raw(self.method, &self.path)
            .cookies(self.cookies);
        for (name, value) in &self.headers {
            raw = raw.header(name, value);
        }
        raw.header("content-type", kind)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    fn body(&self) -> (String, Vec<u8>) {
        let token = self.token.iter().map(|token| ("csrf_token", token.clone()));
        let pairs: Vec<(&str, String)> = token
            .chain(self.shown.iter().map(|shown| ("version", shown.clone())))
            .chain(self.case.fields.clone())
            .chain(self.more.clone())
            .collect();
        if self.encoding == Encoding::Plain {
            let lines = pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}\r\n"));
            return ("text/plain".to_owned(), lines.collect::<String>().into());
        }
        let Some((field, name, content)) = &self.case.file else {
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(&pairs);
            return (
                "application/x-www-form-urlencoded".to_owned(),
                body.finish().into(),
            );
        };
        let mut body = String::new();
        for (name, value) in pairs {
            body += &format!(
                "--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        body += "--cut\r\nContent-Disposition: form-data; ";
        body += &format!("name=\"{field}\"; filename=\"{name}\"\r\n\r\n");
        let body = [body.as_bytes(), content, b"\r\n--cut--\r\n"].concat();
        ("multipart/form-data; boundary=cut".to_owned(), body)
    }
}

/// The token in the forms of this browser's pages.
pub(crate) async fn own_token(browser: &Browser) -> String {
    let page = browser.get("/account").await;
    let form = match page.status().as_u16() {
        200 => page.form("/sign-out"),
        _ => browser.get("/sign-in").await.form("/sign-in"),
    };
    form.value("csrf_token").unwrap()
}

/// All routes that change something, ready to do so: one portal without an administrator, and one with users. All forgeries run
/// on them one after the other, because none changes anything.
pub(super) struct Stage([(Portal, Vec<Case>, Stolen); 2]);

impl Stage {
    pub(super) async fn open() -> Self {
        let (empty, peopled) = (Portal::open().await, Portal::open().await);
        let first = vec![routes::set_up(&empty).await];
        let others = routes::all_but_set_up(&peopled).await;
        let (of_one, of_other) = (Stolen::at(&empty).await, Stolen::at(&peopled).await);
        Self([(empty, first, of_one), (peopled, others, of_other)])
    }

    /// Tries a forgery on every route that changes something: the portal refuses it, and nothing changes.
    pub(super) async fn refuses(&self, what: &str, forge: impl Fn(&mut Forged<'_>, &Stolen)) {
        for (portal, cases, stolen) in &self.0 {
            for case in cases {
                // Each counts for its sender, and the rate limit must not be the reason of a refusal.
                portal.clock.advance(Duration::from_secs(1));
                let mut forged = Forged::from_own_page(case).await;
                portal.running.dewar().accounts().settle().await;
                let before = portal.everything();
                forge(&mut forged, stolen);
                let answer = forged.send().await;
                portal.running.dewar().accounts().settle().await;
                let (status, text) = (answer.status().as_u16(), answer.text());
                let refused = [400, 403, 415].contains(&status);
                assert!(refused, "{what}, {}: {status}\n{text}", case.route);
                same(&before, &portal.everything(), (what, case.route));
            }
        }
    }
}

impl Stolen {
    async fn at(portal: &Portal) -> Self {
        Self {
            session: own_token(&portal.member("eve").await).await,
            visitor: own_token(&portal.visitor()).await,
        }
    }
}

pub(super) fn same(before: &str, after: &str, what: impl Debug) {
    let fresh: Vec<&str> = after
        .lines()
        .filter(|line| !before.contains(line))
        .collect();
    assert!(before == after, "{what:?} changed something: {fresh:#?}");
}
