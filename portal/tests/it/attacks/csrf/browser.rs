//! What another origin can do in a real browser in which somebody is signed in to the portal.

use std::collections::HashMap;
use std::time::Duration;

use crate::chromium::{self, Chromium, Page};
use crate::company::{PASSWORD, Portal, document, token};
use crate::elsewhere::Elsewhere;

/// Whether an attempt reaches the portal, or the browser asks first and is told no.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    AtThePortal,
    InTheBrowser,
}

/// Scripts of the attacker's page; `SITE`, `PATH` and `TOKEN` (of the attacker's own session) are put in.
const SCRIPTS: [(&str, Ends, &str); 13] = {
    use Ends::{AtThePortal, InTheBrowser};
    [
        (
            "fetch without CORS",
            AtThePortal,
            "fetch(`SITEPATH`, {method: 'POST', mode: 'no-cors', credentials: 'include', body: fields})",
        ),
        (
            "fetch without CORS, as text",
            AtThePortal,
            "fetch(`SITEPATH`, {method: 'POST', mode: 'no-cors', credentials: 'include', headers: {'content-type': 'text/plain'}, body: '{\"comment\":\"planted\"}'})",
        ),
        (
            "fetch with CORS",
            AtThePortal,
            "fetch(`SITEPATH`, {method: 'POST', mode: 'cors', credentials: 'include', body: fields})",
        ),
        (
            "fetch of a multipart form",
            AtThePortal,
            "fetch(`SITEPATH`, {method: 'POST', credentials: 'include', body: multipart})",
        ),
        (
            "fetch of JSON",
            InTheBrowser,
            "fetch(`SITEPATH`, {method: 'POST', credentials: 'include', headers: {'content-type': 'application/json'}, body: '{\"comment\":\"planted\"}'})",
        ),
        (
            "fetch with a token in the header",
            InTheBrowser,
            "fetch(`SITEPATH`, {method: 'POST', credentials: 'include', headers: {'x-csrf-token': 'TOKEN'}, body: fields})",
        ),
        (
            "fetch with another method",
            InTheBrowser,
            "fetch(`SITEPATH`, {method: 'PUT', credentials: 'include', body: fields})",
        ),
        (
            "fetch that names another method",
            InTheBrowser,
            "fetch(`SITEPATH`, {method: 'POST', credentials: 'include', headers: {'x-http-method-override': 'POST'}, body: fields})",
        ),
        (
            "an old script",
            AtThePortal,
            "new Promise((done, failed) => { const asked = new XMLHttpRequest(); asked.open('POST', `SITEPATH`); asked.withCredentials = true; asked.onload = done; asked.onerror = failed; asked.send(fields) })",
        ),
        (
            "a beacon",
            AtThePortal,
            "new Promise((done, failed) => navigator.sendBeacon(`SITEPATH`, fields) ? done() : failed())",
        ),
        (
            "a beacon as the page goes",
            AtThePortal,
            "fetch(`SITEPATH`, {method: 'POST', mode: 'no-cors', credentials: 'include', keepalive: true, body: fields})",
        ),
        ("a form in a frame", AtThePortal, "frame('')"),
        (
            "a form in a sandbox, of no origin",
            AtThePortal,
            "frame('allow-forms allow-scripts')",
        ),
    ]
};

const TOOLS: &str = r#"
const pairs = {comment: 'planted', csrf_token: 'TOKEN', _method: 'POST'};
const fields = new URLSearchParams(pairs), multipart = new FormData();
for (const name in pairs) multipart.append(name, pairs[name]);
const frame = sandbox => new Promise(done => {
  const inner = document.createElement('iframe');
  if (sandbox) inner.setAttribute('sandbox', sandbox);
  inner.srcdoc = `<form method=post action="SITEPATH"><input name=csrf_token value=TOKEN><input name=comment value=planted></form><script>document.forms[0].submit()<\/script>`;
  document.body.append(inner);
  setTimeout(done, 300);
});
"#;

/// Forms that send the whole page to the portal, with a real click.
const FORMS: [(&str, &str); 3] = [
    ("a form", ""),
    ("a form with files", "enctype='multipart/form-data'"),
    ("a form as text", "enctype='text/plain'"),
];

/// Every attempt of both origins changes nothing, and each is seen to have been made; then the member's own form works in
/// the same browser.
///
/// ASVS: V3.5.1, V3.5.2, V3.5.3, V3.4.2
#[tokio::test(flavor = "multi_thread")]
async fn another_origin_in_a_real_browser_changes_nothing() {
    let (portal, attacker) = (Portal::open().await, Elsewhere::open(HashMap::new()).await);
    let member = portal.member("ada").await;
    let Some(chromium) = chromium::or_skip(&[&member, &attacker.visitor]).await else {
        return;
    };
    let document = document(&member, "Plan").await;
    let stolen = token(&portal.member("eve").await).await;
    let person = chromium.person().await;
    let page = person.page().await;
    let site = portal.running.url().trim_end_matches('/').to_owned();
    signs_in(&page, &site).await;
    let scene = Scene {
        portal: &portal,
        page: &page,
        path: format!("{document}/comments"),
        site: site.clone(),
        stolen,
    };
    let before = portal.everything();
    for origin in attacker.origins() {
        scene.scripts(&origin, &before).await;
        scene.forms(&origin, &before).await;
        scene.reads(&origin).await;
        assert!(before == portal.everything(), "reading from {origin}");
    }
    // The member is still who they were, and the same comment from the portal's own page is taken.
    page.goto(&format!("{site}{document}")).await;
    page.fill("[name=comment]", "planted").await;
    page.submit("form[action$='/comments']").await;
    let planted = "SELECT count(*) FROM comments WHERE body = 'planted'";
    assert_eq!(portal.count(planted).await, 1);
    nobody_is_signed_in(&portal, &attacker, &chromium).await;
}

/// A member at their browser, with the page of the attacker open.
struct Scene<'a> {
    portal: &'a Portal,
    page: &'a Page,
    site: String,
    /// What is attacked.
    path: String,
    /// A token of the attacker's own session.
    stolen: String,
}

impl Scene<'_> {
    fn fill(&self, script: &str) -> String {
        let script = script
            .replace("SITE", &self.site)
            .replace("PATH", &self.path);
        script.replace("TOKEN", &self.stolen)
    }

    async fn scripts(&self, origin: &str, before: &str) {
        for (what, ends, script) in SCRIPTS {
            self.page.goto(origin).await;
            let asked_before = self.refusals(Asks::First).await;
            let done_before = self.refusals(Asks::Never).await;
            let (tools, script) = (self.fill(TOOLS), self.fill(script));
            let script = format!(
                "(() => {{ {tools}; return {script}.then(() => 'sent', () => 'blocked') }})()"
            );
            let outcome = self.page.evaluate(&script).await;
            match ends {
                Ends::AtThePortal => self.reaches(Asks::Never, done_before, what).await,
                Ends::InTheBrowser => {
                    assert_eq!(outcome, "blocked", "{what} from {origin}");
                    self.reaches(Asks::First, asked_before, what).await;
                    let done = self.refusals(Asks::Never).await;
                    assert_eq!(done, done_before, "{what} from {origin}");
                }
            }
            assert!(before == self.portal.everything(), "{what} from {origin}");
        }
    }

    async fn forms(&self, origin: &str, before: &str) {
        for (what, attributes) in FORMS {
            self.page.goto(origin).await;
            let seen = self.refusals(Asks::Never).await;
            let form = self.fill(
                "<form method='post' action='SITEPATH' ATTRIBUTES><input name='csrf_token' value='TOKEN'>\
                 <input name='comment' value='planted'><button>Win</button></form>",
            );
            shows(self.page, &form.replace("ATTRIBUTES", attributes)).await;
            self.page.submit("form").await;
            assert_eq!(self.page.status(), 403, "{what} from {origin}");
            self.reaches(Asks::Never, seen, what).await;
            assert!(before == self.portal.everything(), "{what} from {origin}");
        }
    }

    /// A picture, a script, a hint to load something early, a link: what a `GET` can do.
    async fn reads(&self, origin: &str) {
        let sign_out = format!("{}/sign-out?_method=POST", self.site);
        self.page.goto(origin).await;
        for kind in ["img", "script", "iframe", "object"] {
            let script = format!(
                "new Promise(done => {{ const it = document.createElement('{kind}'); \
                 it.onload = () => done('loaded'); it.onerror = () => done('blocked'); \
                 it.src = it.data = '{sign_out}'; document.body.append(it); \
                 setTimeout(() => done('nothing'), 1000) }})"
            );
            let outcome = self.page.evaluate(&script).await;
            // A frame loads the browser's own page that says that it was refused.
            assert!(
                kind == "iframe" || outcome != "loaded",
                "{kind} from {origin}"
            );
        }
        let hints = ["prefetch", "preload", "prerender"]
            .map(|rel| format!("<link rel={rel} as=fetch href='{sign_out}'>"));
        let script = format!(
            "document.head.innerHTML += {:?}; new Promise(done => setTimeout(done, 300))",
            hints.concat()
        );
        self.page.evaluate(&script).await;
        let comment = format!("{}{}?comment=planted&_method=POST", self.site, self.path);
        for address in [sign_out, comment] {
            self.page.goto(&address).await;
            assert_eq!(self.page.status(), 405, "{address}");
        }
    }

    /// How often the portal has noted a forged request for what is attacked.
    async fn refusals(&self, asks: Asks) -> usize {
        let log = self.portal.log().await;
        let path = format!("\"{}\"", self.path);
        let of = |line: &&str| {
            line.contains("\"malicious_csrf\"")
                && line.contains(&path)
                && line.contains("\"OPTIONS\"") == (asks == Asks::First)
        };
        log.lines().filter(of).count()
    }

    async fn reaches(&self, asks: Asks, seen: usize, what: &str) {
        for _ in 0..100 {
            if self.refusals(asks).await > seen {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} was never made");
    }
}

/// Whether a browser asked whether it may (a preflight), or did it.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    First,
    Never,
}

/// What stands on the attacker's page from now on.
async fn shows(page: &Page, html: &str) {
    page.evaluate(&format!("document.body.innerHTML = {html:?}; 1"))
        .await;
}

async fn signs_in(page: &Page, site: &str) {
    page.goto(&format!("{site}/sign-in")).await;
    page.fill("[name=email]", "ada@example.org").await;
    page.fill("[name=password]", PASSWORD).await;
    page.submit("main form").await;
}

/// A visitor whom the attacker would like to sign in as somebody else, to see what they then write.
async fn nobody_is_signed_in(portal: &Portal, attacker: &Elsewhere, chromium: &Chromium) {
    let site = portal.running.url().trim_end_matches('/').to_owned();
    let before = portal.count("SELECT count(*) FROM dewar_sessions").await;
    for origin in attacker.origins() {
        let person = chromium.person().await;
        let page = person.page().await;
        page.goto(&origin).await;
        let form = format!(
            "<form method='post' action='{site}/sign-in'><input name='email' value='eve@example.org'>\
             <input name='password' value='{PASSWORD}'><button>Win</button></form>"
        );
        shows(&page, &form).await;
        page.submit("form").await;
        assert_eq!(page.status(), 403, "{origin}");
        let cookies = person.cookies().await;
        assert!(
            cookies
                .iter()
                .all(|cookie| cookie["name"] != "__Host-session"),
            "{cookies:?}"
        );
    }
    assert_eq!(
        portal.count("SELECT count(*) FROM dewar_sessions").await,
        before
    );
}
