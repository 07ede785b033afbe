//! Attacks of another origin in a real browser in which a user is signed in to the portal.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use dewar::App;
use dewar::testing::wait_until;

use crate::chromium::{self, Chromium, Page, Person};
use crate::company::{ON_SQLITE, PASSWORD, Portal, add, document, everything_in, sign_in, token};
use crate::elsewhere::Elsewhere;
use crate::killed::{self, Program};

/// Whether an attempt reaches the portal, or the browser sends a preflight and is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    AtThePortal,
    InTheBrowser,
}

/// Scripts of the attacker's page; the test fills in `SITE`, `PATH` and `TOKEN` (of the attacker's own session).
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

/// Elements and hints by which a page loads something.
const LOADS: [&str; 6] = ["img", "script", "iframe", "object", "preload", "prefetch"];

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

/// Forms that navigate the whole page to the portal, with a real click.
const FORMS: [(&str, &str); 3] = [
    ("a form", ""),
    ("a form with files", "enctype='multipart/form-data'"),
    ("a form as text", "enctype='text/plain'"),
];

/// Every attempt of both origins changes nothing, and the test sees that each was made. Then the member's own form works in the
/// same browser.
///
/// ASVS: V3.5.1, V3.5.2, V3.5.3, V3.4.2
#[tokio::test(flavor = "multi_thread")]
async fn another_origin_in_a_real_browser_changes_nothing() {
    let (portal, attacker) = (
        Portal::on_sqlite().await,
        Elsewhere::open(HashMap::new()).await,
    );
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
        data: portal.data.path(),
        page: &page,
        path: format!("{document}/comments"),
        site: site.clone(),
        stolen,
    };
    let before = scene.kept();
    for origin in attacker.origins() {
        scene.attack(&origin, &person, &before).await;
    }
    // The same user is still signed in, and the same comment from the portal's own page is accepted.
    page.goto(&format!("{site}{document}")).await;
    page.fill("[name=comment]", "planted").await;
    page.submit("form[action$='/comments']").await;
    let planted = "SELECT count(*) FROM comments WHERE body = 'planted'";
    assert_eq!(portal.count(planted).await, 1);
    scene.own_script().await;
    nobody_is_signed_in(&portal, &attacker, &chromium).await;
}

/// To a browser, a neighbouring subdomain is the same site: its requests carry `SameSite` cookies, and it may set cookies for the
/// parent of both (cookie tossing). The portal runs as the real program, under a name of its own.
///
/// ASVS: V3.5.1, V3.5.3, V3.5.4, V3.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbouring_subdomain_in_a_real_browser_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    people(data.path(), &["ada", "eve"]).await;
    let host = "app.portal.test";
    let (_program, url) = Program::serve_with(data.path(), &[("DEWAR_HTTPS_HOSTS", host)]);
    let site = url.trim_end_matches('/').to_owned();
    let port: u16 = site.rsplit(':').next().unwrap().parse().unwrap();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let member = killed::browser(data.path(), &url).connecting_to(here);
    let eve = member.another();
    sign_in(&member, "ada@example.org", PASSWORD).await;
    sign_in(&eve, "eve@example.org", PASSWORD).await;
    let document = document(&member, "Plan").await;
    let attacker = Elsewhere::open(HashMap::new()).await;
    let Some(chromium) = chromium::or_skip(&[&member, &attacker.visitor]).await else {
        return;
    };
    let person = chromium.person().await;
    let page = person.page().await;
    let evil = attacker.at("evil.portal.test");
    page.goto(&evil).await;
    tosses(&page, &person).await;
    signs_in(&page, &site).await;
    let scene = Scene {
        data: data.path(),
        page: &page,
        path: format!("{document}/comments"),
        site: site.clone(),
        stolen: token(&eve).await,
    };
    let before = scene.kept();
    page.goto(&evil).await;
    tosses(&page, &person).await;
    scene.attack(&evil, &person, &before).await;
    // Whatever was tossed, the same user is signed in, and the user's own requests work.
    page.goto(&format!("{site}{document}")).await;
    page.fill("[name=comment]", "my own").await;
    page.submit("form[action$='/comments']").await;
    assert!(page.text("main").await.contains("my own"));
    scene.own_script().await;
}

/// Accounts in a data directory.
async fn people(data: &Path, names: &[&str]) {
    let app = portal::app(App::in_directory_with(data, [ON_SQLITE]).unwrap());
    let running = app.start().await.unwrap();
    for name in names {
        add(&running, name, &["member"]).await;
    }
    running.stop().await.unwrap();
}

/// Sets cookies for the parent domain: a session, a pre-session, and one with a plain name, which is the only one the browser
/// accepts.
async fn tosses(page: &Page, person: &Person) {
    for name in ["__Host-session", "__Host-visitor"] {
        for cookie in [
            format!("{name}=evil; Secure; Path=/; Domain=portal.test"),
            format!("{name}=evil; Secure; Path=/documents"),
            format!("={name}=evil; Secure; Path=/; Domain=portal.test"),
            format!("{name}=evil; Path=/; Domain=app.portal.test"),
        ] {
            page.evaluate(&format!("document.cookie = '{cookie}'"))
                .await;
        }
    }
    let plain = "document.cookie = 'tossed=1; Secure; Path=/; Domain=portal.test'";
    page.evaluate(plain).await;
    let cookies = person.cookies().await;
    let text = |cookie: &serde_json::Value, key: &str| cookie[key].as_str().unwrap().to_owned();
    let tossed = cookies
        .iter()
        .find(|cookie| cookie["name"] == "tossed")
        .expect("the way is open");
    assert_eq!(text(tossed, "domain"), ".portal.test");
    for cookie in &cookies {
        let (name, value) = (text(cookie, "name"), text(cookie, "value"));
        assert!(value != "evil" && !value.starts_with("__Host-"), "{name}");
        assert!(
            !name.starts_with("__Host-") || text(cookie, "domain") == "app.portal.test",
            "{name}"
        );
    }
}

/// A member's browser, with the attacker's page open.
struct Scene<'a> {
    data: &'a Path,
    page: &'a Page,
    site: String,
    /// The path under attack.
    path: String,
    /// A token of the attacker's own session.
    stolen: String,
}

impl Scene<'_> {
    /// Every attack of an origin.
    async fn attack(&self, origin: &str, person: &Person, before: &str) {
        self.scripts(origin, before).await;
        self.forms(origin, before).await;
        self.loads(origin).await;
        assert!(before == self.kept(), "loading from {origin}");
        self.leads(origin, person).await;
        assert!(before == self.kept(), "leading from {origin}");
    }

    /// All stored data, except when a session was last seen, which changes with the machine's clock.
    fn kept(&self) -> String {
        let all = everything_in(self.data);
        let rows = all
            .lines()
            .filter(|row| !row.starts_with("dewar_sessions: "));
        rows.collect::<Vec<_>>().join("\n")
    }

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
            assert!(before == self.kept(), "{what} from {origin}");
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
            assert!(before == self.kept(), "{what} from {origin}");
        }
    }

    /// A picture, a script, a frame, a preload hint: the effects of a cross-site `GET` on a page of the portal. The test sees
    /// that each reaches the portal, which refuses it.
    async fn loads(&self, origin: &str) {
        let page = self.path.replace("/comments", "/delete");
        for (number, kind) in LOADS.into_iter().enumerate() {
            self.page.goto(origin).await;
            let seen = self.refusals_of(&page, Asks::Never).await;
            let address = format!("{}{page}?_method=POST&n={number}", self.site);
            let script = format!(
                "new Promise(done => {{ const it = document.createElement('{}'); \
                 it.onload = () => done('loaded'); it.onerror = () => done('blocked'); \
                 Object.assign(it, {{ rel: '{kind}', as: 'fetch' }}); \
                 it.src = it.data = it.href = '{address}'; document.body.append(it); \
                 setTimeout(() => done('nothing'), 1000) }})",
                if kind.starts_with("pre") {
                    "link"
                } else {
                    kind
                }
            );
            let outcome = self.page.evaluate(&script).await;
            // A frame shows the browser's own error page.
            assert!(
                kind == "iframe" || outcome != "loaded",
                "{kind} from {origin}"
            );
            // Browsers do not load every `object` of another site; they load that of a neighbouring subdomain.
            if kind != "object" || origin.contains(".portal.test") {
                self.comes(&page, Asks::Never, seen, kind).await;
            }
        }
        // Chromium prerenders another site's page only if that site agrees, so this need not arrive.
        let rules = format!(
            r#"{{"prerender": [{{"urls": ["{}{page}?_method=POST"]}}]}}"#,
            self.site
        );
        let script = format!(
            "const it = document.createElement('script'); it.type = 'speculationrules'; it.text = {rules:?}; \
             document.head.append(it); new Promise(done => setTimeout(done, 300))"
        );
        self.page
            .evaluate(&format!(
                "(() => {{ {} }})()",
                script.replace("new Promise", "return new Promise")
            ))
            .await;
    }

    /// The attacker's page navigates the whole tab to the portal, or opens another one. The portal shows the page, because links
    /// may lead anywhere, and changes nothing.
    async fn leads(&self, origin: &str, person: &Person) {
        let comment = format!("{}{}?comment=planted&_method=POST", self.site, self.path);
        let sign_out = format!("{}/sign-out?_method=POST", self.site);
        for address in [&sign_out, &comment] {
            for (what, script) in [
                ("location", format!("location = '{address}'; 1")),
                (
                    "a refresh",
                    format!(
                        "document.head.innerHTML += \"<meta http-equiv=refresh content='0; url={address}'>\"; 1"
                    ),
                ),
                (
                    "a form that reads",
                    format!(
                        "document.body.innerHTML = \"<form action='{address}'><input name=_method value=POST></form>\"; document.forms[0].submit(); 1"
                    ),
                ),
                (
                    "a link that clicks itself",
                    format!(
                        "document.body.innerHTML = \"<a href='{address}'>Win</a>\"; document.links[0].click(); 1"
                    ),
                ),
            ] {
                self.page.goto(origin).await;
                self.page.led_by(&script).await;
                assert_eq!(self.page.status(), 405, "{what} from {origin}");
            }
            self.page.goto(origin).await;
            shows(self.page, &format!("<a id=go href='{address}'>Win</a>")).await;
            self.page.follow("#go").await;
            assert_eq!(self.page.status(), 405, "a link from {origin}");
            // The response has a title; an empty tab has its address as the title.
            self.page.goto(origin).await;
            let opens =
                format!("<button id=go onclick=\"window.open('{address}&tab')\">Win</button>");
            shows(self.page, &opens).await;
            self.page.click("#go").await;
            wait_until("the tab shows an answer", async || {
                let tabs = person.tabs().await;
                tabs.iter().any(|(url, title)| {
                    *url == format!("{address}&tab") && title.contains("Portal")
                })
            })
            .await;
        }
    }

    /// The documented way for a script: the page's token in the header. It works in the portal's own page.
    async fn own_script(&self) {
        let path = self.path.replace("/comments", "");
        self.page.goto(&format!("{}{path}", self.site)).await;
        let version = "document.querySelector('form[action$=\"/comments\"] [name=version]').value";
        let sends = |token: &str, comment: &str| {
            format!(
                "fetch('{}', {{ method: 'POST', headers: {{ 'x-csrf-token': {token} }}, \
                 body: new URLSearchParams({{ comment: '{comment}', version: {version} }}) }}).then(answer => answer.status)",
                self.path
            )
        };
        let own = "document.querySelector('[name=csrf_token]').value";
        let stolen = format!("'{}'", self.stolen);
        assert_eq!(self.page.evaluate(&sends(&stolen, "by nobody")).await, 403);
        assert_eq!(self.page.evaluate(&sends(own, "by a script")).await, 200);
        self.page.goto(&format!("{}{path}", self.site)).await;
        let text = self.page.text("main").await;
        assert!(
            text.contains("by a script") && !text.contains("by nobody"),
            "{text}"
        );
    }

    /// How often the portal has logged a forged request to the path under attack.
    async fn refusals(&self, asks: Asks) -> usize {
        self.refusals_of(&self.path, asks).await
    }

    async fn refusals_of(&self, path: &str, asks: Asks) -> usize {
        let log = fs::read_to_string(self.data.join("audit.jsonl")).unwrap();
        let path = format!("\"{path}\"");
        let of = |line: &&str| {
            line.contains("\"malicious_csrf\"")
                && line.contains(&path)
                && line.contains("\"OPTIONS\"") == (asks == Asks::First)
        };
        log.lines().filter(of).count()
    }

    async fn reaches(&self, asks: Asks, seen: usize, what: &str) {
        self.comes(&self.path, asks, seen, what).await;
    }

    async fn comes(&self, path: &str, asks: Asks, seen: usize, what: &str) {
        wait_until(what, async || self.refusals_of(path, asks).await > seen).await;
    }
}

/// Whether the browser sent a preflight request, or the request itself.
#[derive(Clone, Copy, PartialEq)]
enum Asks {
    First,
    Never,
}

/// Sets the content of the attacker's page.
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

/// A visitor whom the attacker wants to sign in as another user, to see what they then write.
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
