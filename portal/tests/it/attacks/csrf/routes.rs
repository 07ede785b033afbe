//! Every route that changes something, with a working request.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use dewar::App;
use dewar::api::{TokenHolder, TokenRequest};
use dewar::roles::Access;
use dewar::sessions::UserId;
use dewar::testing::{Authenticator, Browser, TestResponse};

use crate::company::{PASSWORD, Portal, document, files_below, sign_in};

/// The request of the portal's own page, without the token.
pub(crate) struct Case {
    /// As in the route table.
    pub(crate) route: &'static str,
    pub(crate) path: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    /// A file's field, name and content.
    pub(crate) file: Option<(&'static str, &'static str, Vec<u8>)>,
    pub(crate) browser: Arc<Browser>,
    /// The app that the field `code` is of: a code ends after a while.
    pub(crate) app: Option<Arc<Authenticator>>,
}

const FACTORS: &str = "/account/second-factor";

const NEW_PASSWORD: &str = "nine lanterns over a wet harbour";

/// A picture of one dot.
const PNG: &[u8] = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The routes that can change something, from the route table. Those of programs know no browser; `attacks/api.rs` attacks them.
pub(super) fn that_change_something() -> Vec<String> {
    let mut routes = table("POST");
    // It changes something only where files are in a bucket; the last test of `tokens` attacks it wherever they are.
    routes.retain(|route| route != "POST /documents/tickets");
    // These need a provider; `attacks::accounts::providers` attacks them.
    routes.retain(|route| !of_a_provider(route));
    routes
}

fn of_a_provider(route: &str) -> bool {
    route.contains("{provider}") || route.contains("/account/providers")
}

/// Addresses that the victim may open in a browser, one for each `GET` of the route table that has an end, with existing numbers.
pub(crate) fn that_are_read(cases: &[Case]) -> Vec<String> {
    let known: BTreeMap<&str, &str> = cases
        .iter()
        .map(|case| (case.route, case.path.as_str()))
        .collect();
    let number = |route: &str| known[route].split('/').nth(2).unwrap().to_owned();
    let (own, foreign) = (
        number("POST /documents/{id}/comments"),
        number("POST /reviews/{id}"),
    );
    let spent = "A".repeat(43);
    let fill = |path: String| {
        let id = if path.starts_with("GET /reviews") {
            &foreign
        } else {
            &own
        };
        path.trim_start_matches("GET ")
            .replace("{id}", id)
            .replace("{token}", &spent)
    };
    let mut routes = table("GET");
    // The answer of one goes on as long as it is read; `attacks::live` reads it. The other needs a provider.
    routes.retain(|route| route != "GET /reviews/live" && !route.contains("{provider}"));
    routes.into_iter().map(fill).collect()
}

fn table(method: &str) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(scratch.path()).unwrap()).route_table();
    let only_these = ["GET", "POST"];
    assert!(
        table
            .entries()
            .iter()
            .all(|entry| only_these.contains(&entry.method.as_str()))
    );
    let asked = table
        .entries()
        .iter()
        .filter(|entry| entry.method == method && !matches!(entry.access, Access::Api(_)));
    let mut lines: Vec<String> = asked
        .map(|entry| format!("{method} {}", entry.path))
        .collect();
    lines.sort_unstable();
    lines
}

/// The link for the first administrator: it is valid while there is none.
pub(crate) async fn set_up(portal: &Portal) -> Case {
    let path = portal
        .running
        .dewar()
        .accounts()
        .setup_path()
        .await
        .unwrap()
        .unwrap();
    Case {
        route: "POST /setup/{token}",
        path,
        fields: vec![
            ("name", "First".to_owned()),
            ("email", "first@example.org".to_owned()),
            ("password", NEW_PASSWORD.to_owned()),
        ],
        file: None,
        browser: Arc::new(portal.visitor()),
        app: None,
    }
}

/// All others, in an order in which each works after the one before.
pub(crate) async fn all_but_set_up(portal: &Portal) -> Vec<Case> {
    let mut cases = of_visitors(portal).await;
    let scene = Scene::set(portal).await;
    cases.extend(of_proofs(portal).await);
    cases.extend(scene.documents());
    cases.extend(scene.administration());
    cases.extend(scene.own_account());
    cases
}

async fn of_visitors(portal: &Portal) -> Vec<Case> {
    portal.member("ned").await;
    let email = "ned@example.org";
    let case = |route: &'static str, path: &str, fields: &[(&'static str, &str)]| Case {
        route,
        path: path.to_owned(),
        fields: owned(fields),
        file: None,
        browser: Arc::new(portal.visitor()),
        app: None,
    };
    let reset = link_from_a_letter(portal, email).await;
    let sign_up = [
        ("name", "New"),
        ("email", "new@example.org"),
        ("password", NEW_PASSWORD),
    ];
    vec![
        case(
            "POST /sign-in",
            "/sign-in",
            &[("email", email), ("password", PASSWORD)],
        ),
        case("POST /sign-up", "/sign-up", &sign_up),
        case("POST /reset/{token}", &reset, &[("password", NEW_PASSWORD)]),
        case("POST /forgot", "/forgot", &[("email", email)]),
    ]
}

/// The password once more; an app that is added, and one whose user signs in, makes new recovery codes and removes it.
async fn of_proofs(portal: &Portal) -> Vec<Case> {
    let case =
        |route: &'static str, browser: &Arc<Browser>, fields: &[(&'static str, &str)]| Case {
            route,
            path: route.trim_start_matches("POST ").to_owned(),
            fields: owned(fields),
            file: None,
            browser: Arc::clone(browser),
            app: None,
        };
    let hidden = |page: &TestResponse, path: &str, name: &str| page.form(path).value(name).unwrap();
    let now = portal.clock.now();
    let new = Arc::new(portal.member("fay").await);
    let page = new.get(FACTORS).await;
    let app = Arc::new(Authenticator::scan(&page));
    let (secret, code) = (hidden(&page, FACTORS, "secret"), app.unused_code(now));
    let fields = &[("secret", &*secret), ("code", &*code)];
    let add = case("POST /account/second-factor", &new, fields).with_app(app);
    let owner = portal.member("fox").await;
    let app = portal.add_app(&owner, "fox").await;
    let (owner, visitor) = (Arc::new(owner), Arc::new(portal.visitor()));
    let asks = sign_in(&visitor, "fox@example.org", PASSWORD).await;
    let (pending, code) = (
        hidden(&asks, "/second-factor", "pending"),
        app.unused_code(now),
    );
    let fields = &[("pending", &*pending), ("code", &*code)];
    let confirms = Arc::new(portal.member("cal").await);
    let page = confirms.get("/confirm?next=%2Fdocuments").await;
    let waits = hidden(&page, "/confirm", "pending");
    let confirm = &[("pending", &*waits), ("password", PASSWORD)];
    vec![
        case("POST /confirm", &confirms, confirm),
        add,
        case("POST /second-factor", &visitor, fields).with_app(app),
        case("POST /account/second-factor/codes", &owner, &[]),
        case("POST /account/second-factor/remove", &owner, &[]),
    ]
}

async fn link_from_a_letter(portal: &Portal, email: &str) -> String {
    let visitor = portal.visitor();
    let form = visitor.get("/forgot").await.form("/forgot");
    visitor.submit(form.fill("email", email)).await;
    portal.running.dewar().accounts().settle().await;
    let letters = files_below(&portal.data.path().join("outbox"));
    let texts = letters.iter().map(|letter| {
        std::fs::read_to_string(letter)
            .unwrap()
            .replace("=\r\n", "")
    });
    let mut links = texts.filter_map(|text| {
        let (_, link) = text.split_once("/reset/")?;
        let is_token = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
        Some(link.chars().take_while(is_token).collect::<String>())
    });
    format!("/reset/{}", links.next().unwrap())
}

/// A user who may do everything, and the records for it.
struct Scene {
    browser: Arc<Browser>,
    /// Paths of two documents.
    own: String,
    theirs: String,
    /// The path that withdraws a notice.
    notice: String,
    ben: i64,
    /// The sealed versions on the pages of the two.
    edited: String,
    reviewed: String,
    /// May read the victim's document.
    ray: i64,
    /// Is disabled.
    dan: i64,
    /// The path that ends one of the victim's other sessions; one more exists.
    elsewhere: String,
    /// The path that lets a failed job run again.
    retry: String,
    /// The path that revokes a token of the victim.
    revoke: String,
}

impl Scene {
    async fn set(portal: &Portal) -> Self {
        let all_roles = ["administrator", "member", "reviewer"];
        let victim = portal.person("ada", &all_roles).await;
        let own = document(&victim, "Own").await;
        let theirs = document(&portal.member("ben").await, "Theirs").await;
        let notice = publish_a_notice(&victim).await;
        for name in ["ray", "dan"] {
            portal.member(name).await;
        }
        share(&victim, &own, "ray@example.org").await;
        // Failures for the unlocking to forget.
        sign_in(&portal.visitor(), "ray@example.org", "not the right one").await;
        let dan = portal.id_of("dan").await;
        let accounts = portal.running.dewar().accounts();
        accounts.disable(None, UserId::new(dan)).await.unwrap();
        let sealed = async |path: &str| {
            let page = victim.get(path).await;
            page.form(path).value("version").unwrap()
        };
        let edited = sealed(&format!("{own}/edit")).await;
        let reviewed = sealed(&theirs.replace("documents", "reviews")).await;
        let elsewhere = sessions_elsewhere(portal, &victim).await;
        let revoke = token_to_revoke(portal).await;
        Self {
            elsewhere,
            retry: failed_job(portal).await,
            revoke,
            browser: Arc::new(victim),
            edited,
            reviewed,
            own,
            theirs,
            notice,
            ben: portal.id_of("ben").await,
            ray: portal.id_of("ray").await,
            dan,
        }
    }

    fn case(&self, route: &'static str, path: &str, fields: &[(&'static str, &str)]) -> Case {
        Case {
            route,
            path: path.to_owned(),
            fields: owned(fields),
            file: None,
            browser: Arc::clone(&self.browser),
            app: None,
        }
    }

    fn documents(&self) -> Vec<Case> {
        let own = &self.own;
        let below = |rest: &str| format!("{own}/{rest}");
        let hand_in = self.case("POST /documents", "/documents", &[("title", "New")]);
        let comment = &[("comment", "Good.")];
        let ben = &[("email", "ben@example.org")];
        let end = below(&format!("shares/{}/end", self.ray));
        let review = self.theirs.replace("documents", "reviews");
        let approve = &[
            ("decision", "approve"),
            ("reason", ""),
            ("version", self.reviewed.as_str()),
        ];
        let edit = &[
            ("title", "Other"),
            ("description", ""),
            ("tags", ""),
            ("version", self.edited.as_str()),
        ];
        vec![
            hand_in.with_file("file", "paper.txt", b"Tea.\n".to_vec()),
            self.case("POST /documents/{id}/comments", &below("comments"), comment),
            self.case("POST /documents/{id}/shares", &below("shares"), ben),
            self.case("POST /documents/{id}/shares/{user}/end", &end, &[]),
            self.case("POST /documents/{id}/edit", &below("edit"), edit),
            self.case("POST /documents/{id}/delete", &below("delete"), &[]),
            self.case("POST /reviews/{id}", &review, approve),
        ]
    }

    fn administration(&self) -> Vec<Case> {
        let user = |id: i64, what: &str| format!("/admin/users/{id}/{what}");
        let administrator = &[("roles", "administrator")];
        let roles = user(self.ben, "roles");
        let (disable, enable) = (user(self.ben, "disable"), user(self.dan, "enable"));
        let (sign_out, unlock) = (user(self.ray, "sign-out"), user(self.ray, "unlock"));
        let news = &[("title", "News"), ("body", "Tea.")];
        vec![
            self.case("POST /admin/users/{id}/roles", &roles, administrator),
            self.case("POST /admin/users/{id}/disable", &disable, &[]),
            self.case("POST /admin/users/{id}/enable", &enable, &[]),
            self.case("POST /admin/users/{id}/sign-out", &sign_out, &[]),
            self.case("POST /admin/users/{id}/unlock", &unlock, &[]),
            self.case("POST /admin/jobs/{id}/retry", &self.retry, &[]),
            self.case("POST /notices", "/notices", news),
            self.case("POST /notices/{id}/withdraw", &self.notice, &[]),
        ]
    }

    fn own_account(&self) -> Vec<Case> {
        let picture = self.case("POST /account/picture", "/account/picture", &[]);
        let telephone = &[("telephone", "+41446681800")];
        let passwords = &[
            ("current_password", PASSWORD),
            ("new_password", NEW_PASSWORD),
        ];
        let others = "/account/sessions/end-others";
        let token = &[
            ("name", "Laptop"),
            ("scopes", "documents_read"),
            ("days", "7"),
        ];
        let revoke = "POST /account/tokens/{id}/revoke";
        vec![
            self.case(
                "POST /account/name",
                "/account/name",
                &[("name", "Countess")],
            ),
            picture.with_file("picture", "dot.png", BASE64.decode(PNG).unwrap()),
            self.case("POST /account/telephone", "/account/telephone", telephone),
            self.case("POST /account/sessions/{id}/end", &self.elsewhere, &[]),
            self.case("POST /account/sessions/end-others", others, &[]),
            self.case("POST /account/tokens", "/account/tokens", token),
            self.case(revoke, &self.revoke, &[]),
            self.case("POST /account/password", "/account/password", passwords),
            self.case("POST /sign-out", "/sign-out", &[]),
        ]
    }
}

impl Case {
    /// The status of an answer that did it: the pages of a new token and of new recovery codes show them at once, and the others
    /// redirect.
    pub(crate) fn done(&self) -> u16 {
        match self.route {
            "POST /account/second-factor"
            | "POST /account/second-factor/codes"
            | "POST /account/tokens" => 200,
            _ => 303,
        }
    }

    fn with_app(mut self, app: Arc<Authenticator>) -> Self {
        self.app = Some(app);
        self
    }

    /// The same request with the code of this time.
    pub(crate) fn at(mut self, now: i64) -> Self {
        if let Some(app) = &self.app {
            for (name, value) in &mut self.fields {
                if *name == "code" {
                    *value = app.code(now);
                }
            }
        }
        self
    }

    fn with_file(mut self, field: &'static str, name: &'static str, content: Vec<u8>) -> Self {
        self.file = Some((field, name, content));
        self
    }
}

/// The path that withdraws the notice.
async fn publish_a_notice(administrator: &Browser) -> String {
    let form = administrator.get("/notices/new").await.form("/notices");
    let form = form.fill("title", "Old").fill("body", "Milk.");
    let page = administrator.submit(form).await.follow().await;
    page.attribute("form[action^='/notices/']", "action")
        .unwrap()
}

/// Signs the victim in on two more browsers; returns the path that ends one of these sessions.
async fn sessions_elsewhere(portal: &Portal, victim: &Browser) -> String {
    for _ in 0..2 {
        portal.sign_in_with_app(&portal.visitor(), "ada").await;
    }
    let page = victim.get("/account/sessions").await;
    page.attribute("form[action$='/end']", "action").unwrap()
}

/// The path that lets a failed job run again. Its queue has no worker here, so the job waits then.
async fn failed_job(portal: &Portal) -> String {
    portal.outside(
        "INSERT INTO dewar_jobs (name, queue, owner, seal, payload, state, due_at, attempts, created_at, failed_at) \
         VALUES ('Torn', 'Torn', '', '0123456789abcdef0123456789abcdef', '', 'failed', 1, 1, 1, 1)",
    ).await;
    let id = portal
        .count("SELECT id FROM dewar_jobs WHERE name = 'Torn'")
        .await;
    format!("/admin/jobs/{id}/retry")
}

/// The path that revokes a token of ada.
async fn token_to_revoke(portal: &Portal) -> String {
    let holder = TokenHolder::Person(UserId::new(portal.id_of("ada").await));
    let request = TokenRequest {
        name: "Tablet",
        scopes: &["documents_read"],
        days: 7,
    };
    let tokens = portal.running.dewar().api_tokens();
    let (_, info) = tokens.create(None, holder, request).await.unwrap();
    format!("/account/tokens/{}/revoke", info.id)
}

async fn share(owner: &Browser, document: &str, email: &str) {
    let form = owner
        .get(document)
        .await
        .form(&format!("{document}/shares"));
    assert_eq!(owner.submit(form.fill("email", email)).await.status(), 303);
}

fn owned(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}
