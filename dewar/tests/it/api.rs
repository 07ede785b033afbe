//! `api`: programs with tokens, through the whole stack.

mod cors;
mod ended;
mod pages;

use std::fs;

use dewar::accounts::NewUser;
use dewar::api::{ApiCaller, ApiScope, Origins, TokenHolder, TokenRequest};
use dewar::app::{RateLimit, Running, delete};
use dewar::audit::Clock;
use dewar::forms::{Line, Path};
use dewar::pages::{Json, Text};
use dewar::roles::Role;
use dewar::sessions::UserId;
use dewar::testing::{Browser, Cookies, TestResponse};
use dewar::{App, CurrentUser, Form, accounts, api, get, post};
use tempfile::TempDir;

const PASSWORD: &str = "a quiet lake before the rain";
const APP: &str = "https://app.example";

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
enum Staff {
    Reviewer,
    #[role(administrator)]
    Administrator,
}

#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    TicketsRead,
    #[scope(label = "Write tickets")]
    TicketsWrite,
    #[scope(role = Staff::Reviewer)]
    ReviewsRead,
}

#[derive(Form, Debug)]
struct NewTicket {
    title: Line<20>,
}

async fn tickets(caller: ApiCaller) -> Json<Vec<String>> {
    Json(vec![caller.token_name().to_owned()])
}

async fn add(form: Form<NewTicket>) -> dewar::Result<Json<String>> {
    Ok(Json(form.or_reject()?.title.to_string()))
}

async fn remove(Path(id): Path<i64>) -> Text {
    Text::new(format!("{id} is gone"))
}

async fn me(person: CurrentUser) -> Text {
    Text::new(person.name().to_owned())
}

async fn status() -> Text {
    Text::new("all is well")
}

async fn home() -> Text {
    Text::new("home")
}

fn app(app: App) -> App {
    app.public([
        get("/", home),
        get("/status", status).cors(Origins::any()),
        get("/news", status).cors(Origins::of([APP])),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
    ])
    .signed_in([
        get(api::TOKENS, api::tokens_page),
        post(api::TOKENS, api::create_token),
        post("/account/tokens/{id}/revoke", api::revoke_token),
        get("/confirm", accounts::confirm_page),
        post("/confirm", accounts::confirm),
        get("/mine", me),
        get("/mine/slow", me).rate_limit(RateLimit::per_minute(2).by_address()),
        get(accounts::SESSIONS, accounts::sessions_page),
        post("/account/sessions/{id}/end", accounts::end_session),
        post("/sign-out", accounts::sign_out),
        get("/account/password", accounts::change_password_page),
        post("/account/password", accounts::change_password),
        // A wrong heading, on purpose: the handlers ask themselves.
        get(api::SERVICE_TOKENS, api::service_tokens_page),
        post(api::SERVICE_TOKENS, api::create_service_token),
        post("/admin/tokens/{id}/revoke", api::revoke_service_token),
    ])
    .roles::<Staff>()
    .api(
        Scope::TicketsRead,
        [
            get("/api/tickets", tickets).cors(Origins::of([APP])),
            get("/api/me", me),
            get("/api/slow", status).rate_limit(RateLimit::per_minute(2).by_token()),
        ],
    )
    .api(
        Scope::TicketsWrite,
        [
            post("/api/tickets", add).cors(Origins::of([APP])),
            delete("/api/tickets/{id}", remove),
        ],
    )
    .api(
        Scope::ReviewsRead,
        [
            get("/api/reviews", status),
            get("/api/reviews/{id}", status).rate_limit(RateLimit::per_minute(2).by_token()),
        ],
    )
}

/// An application for one test, with a clock that the test sets.
struct Site {
    running: Running,
    clock: Clock,
    data: TempDir,
    authority: Vec<u8>,
}

impl Site {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    async fn open_with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::system().now());
        let made = App::in_directory_with(&data, settings.iter().copied()).unwrap();
        let running = app(made).clock(clock.clone()).start().await.unwrap();
        let authority = fs::read(running.authority_file().unwrap()).unwrap();
        Self {
            running,
            clock,
            data,
            authority,
        }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.running.url(), &self.authority)
    }

    async fn user(&self, name: &str, roles: &[&str]) -> UserId {
        let email = format!("{name}@example.org");
        let person = NewUser {
            email: &email,
            name,
            password: PASSWORD,
        };
        let accounts = self.running.dewar().accounts();
        accounts.add(person, roles).await.unwrap()
    }

    async fn signed_in(&self, name: &str, roles: &[&str]) -> Browser {
        self.user(name, roles).await;
        let browser = self.browser();
        let page = browser.get("/sign-in").await;
        let form = page.form("/sign-in");
        let form = form
            .fill("email", &format!("{name}@example.org"))
            .fill("password", PASSWORD);
        let answer = browser.submit(form).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        browser
    }

    /// A token, and its id.
    async fn token(&self, holder: TokenHolder, scopes: &[&str]) -> (String, String) {
        let request = TokenRequest {
            name: "nightly",
            scopes,
            days: 30,
        };
        let tokens = self.running.dewar().api_tokens();
        let (text, info) = tokens.create(None, holder, request).await.unwrap();
        (text.expose().clone(), info.id)
    }

    async fn service(&self, scopes: &[&str]) -> String {
        self.token(TokenHolder::Service, scopes).await.0
    }

    /// A request of a program.
    async fn call(&self, method: &str, path: &str, token: &str) -> TestResponse {
        self.call_with(
            method,
            path,
            &[("authorization", &format!("Bearer {token}"))],
        )
        .await
    }

    async fn call_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        let request = self.browser().raw(method, path).cookies(Cookies::No);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        request.send().await.unwrap()
    }

    /// How many statements this work costs.
    async fn statements(&self, work: impl AsyncFnOnce()) -> u64 {
        let before = self.running.dewar().db().statements();
        work().await;
        self.running.dewar().db().statements() - before
    }

    async fn log(&self) -> String {
        self.running.dewar().log().flush().await;
        fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap()
    }
}

fn challenge(answer: &TestResponse) -> &str {
    answer.header("www-authenticate").unwrap_or_default()
}

/// A token opens the routes of its scopes, without any cookie or CSRF token, and no other route.
///
/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_routes_of_its_scopes_and_no_others() {
    let site = Site::open().await;
    let token = site.service(&["tickets_read"]).await;
    let answer = site.call("GET", "/api/tickets", &token).await;
    assert_eq!(
        (answer.status().as_u16(), &*answer.text()),
        (200, "[\"nightly\"]")
    );
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.header("vary").unwrap().contains("authorization"));
    assert_eq!(
        site.call("HEAD", "/api/tickets", &token).await.status(),
        200
    );

    let refused = site.call("GET", "/api/reviews", &token).await;
    assert_eq!(refused.status(), 403);
    let wanted = "Bearer error=\"insufficient_scope\", scope=\"reviews_read\"";
    assert_eq!(challenge(&refused), wanted);
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let refused = site.call("DELETE", "/api/tickets/4", &token).await;
    assert_eq!(refused.status(), 403);
    let log = site.log().await;
    assert!(
        log.contains("the route requires the scope tickets_write"),
        "{log}"
    );

    // A token is no session: it opens nothing else.
    let answer = site.call("GET", "/mine", &token).await;
    assert_eq!(answer.status(), 401);
    site.running.stop().await.unwrap();
}

/// A program sends JSON without a CSRF token; the rules of the form's types hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_changes_something_without_a_csrf_token() {
    let site = Site::open().await;
    let token = site.service(&["tickets_write"]).await;
    let bearer = format!("Bearer {token}");
    let post = async |body: &str| {
        let request = site
            .browser()
            .raw("POST", "/api/tickets")
            .cookies(Cookies::No);
        let request = request
            .header("authorization", &bearer)
            .header("content-type", "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    };
    let answer = post("{\"title\": \"A leak\"}").await;
    assert_eq!(
        (answer.status().as_u16(), &*answer.text()),
        (200, "\"A leak\"")
    );
    let refused = post("{\"title\": \"longer than twenty characters\"}").await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().contains("#/title"), "{}", refused.text());
    let answer = site.call("DELETE", "/api/tickets/4", &token).await;
    assert_eq!(
        (answer.status().as_u16(), &*answer.text()),
        (200, "4 is gone")
    );
    site.running.stop().await.unwrap();
}

/// No cookie is read under `api`: a browser that is signed in is nobody there, and the database is not asked.
///
/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_no_route_for_programs() {
    let site = Site::open().await;
    let browser = site.signed_in("ada", &[]).await;
    assert_eq!(browser.get("/mine").await.text(), "ada");
    let spent = site
        .statements(async || {
            for (method, path) in [("GET", "/api/me"), ("POST", "/api/tickets")] {
                let answer = browser.raw(method, path).send().await.unwrap();
                assert_eq!(answer.status(), 401, "{method}");
                assert_eq!(challenge(&answer), "Bearer realm=\"api\"");
                assert_eq!(
                    answer.header("content-type"),
                    Some("application/problem+json")
                );
            }
        })
        .await;
    assert_eq!(spent, 0);
    site.running.stop().await.unwrap();
}

/// A personal token acts for its owner; a service is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_personal_token_is_its_owner_and_a_service_is_nobody() {
    let site = Site::open().await;
    let ada = site.user("ada", &[]).await;
    let (own, _) = site
        .token(TokenHolder::Person(ada), &["tickets_read"])
        .await;
    assert_eq!(site.call("GET", "/api/me", &own).await.text(), "ada");
    let service = site.service(&["tickets_read"]).await;
    let refused = site.call("GET", "/api/me", &service).await;
    assert_eq!(refused.status(), 403);
    assert!(
        refused.text().contains("person's token"),
        "{}",
        refused.text()
    );
    let log = site.log().await;
    assert!(log.contains("authn_token_created") && log.contains("authn_token_first_use"));
    for secret in [&own, &service] {
        assert!(!log.contains(secret.as_str()), "the log has no token");
    }
    site.running.stop().await.unwrap();
}

/// A token in an address would be in every log on the way.
///
/// ASVS: V14.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_is_refused_even_beside_the_header() {
    let site = Site::open().await;
    let token = site.service(&["tickets_read"]).await;
    for path in [
        format!("/api/tickets?access_token={token}"),
        format!("/api/tickets?key={token}"),
        format!("/api/tickets?key={}", token.replace('_', "%5f")),
        format!("/api/reviews/{token}"),
        format!("/api/reviews/{}", token.replace('_', "%5F")),
    ] {
        for headers in [&[][..], &[("authorization", &*format!("Bearer {token}"))]] {
            let answer = site.call_with("GET", &path, headers).await;
            assert_eq!(answer.status(), 400, "{path}");
            assert!(challenge(&answer).contains("invalid_request"));
            assert!(answer.text().contains("does not belong into an address"));
        }
    }
    assert!(!site.log().await.contains(&token));
    assert_eq!(site.call("GET", "/api/tickets", &token).await.status(), 200);
    site.running.stop().await.unwrap();
}

/// The table holds nothing that opens anything, and nothing to test a guess with.
///
/// ASVS: V11.4.2, V13.3.1
#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_no_token_and_no_plain_hash() {
    let site = Site::open().await;
    let token = site.service(&["tickets_read"]).await;
    let rows = site.running.dewar().db();
    let find = "SELECT token_mac FROM dewar_api_tokens";
    let mac: Vec<u8> = rows.query(find, []).await.unwrap()[0].get(0).unwrap();
    let body = token.get(6..58).unwrap();
    for text in [token.as_bytes(), body.as_bytes()] {
        assert_ne!(mac, dewar::secrets::sha256(text));
    }
    assert!(token.starts_with("dewar_") && token.len() == 65, "{token}");
    site.running.stop().await.unwrap();
}

/// The header has one reading.
#[tokio::test(flavor = "multi_thread")]
async fn a_header_with_two_readings_is_refused() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.service(&["tickets_read"]).await);
    let twice = [("authorization", &*bearer), ("authorization", &*bearer)];
    let answer = site.call_with("GET", "/api/tickets", &twice).await;
    assert_eq!(answer.status(), 400);
    assert!(challenge(&answer).contains("invalid_request"));
    for other in ["Basic YTpi", "Digest x"] {
        let answer = site
            .call_with("GET", "/api/tickets", &[("authorization", other)])
            .await;
        assert_eq!(
            (answer.status().as_u16(), challenge(&answer)),
            (401, "Bearer realm=\"api\"")
        );
    }
    site.running.stop().await.unwrap();
}

/// The route table shows the scope and the origins.
#[test]
fn the_route_table_says_which_token_opens_a_route() {
    let directory = tempfile::tempdir().unwrap();
    let table = app(App::in_directory(&directory).unwrap()).route_table();
    assert!(table.findings().is_empty(), "{:?}", table.findings());
    let text = table.to_string();
    let line = text
        .lines()
        .find(|line| line.contains("/api/tickets "))
        .unwrap();
    assert!(
        line.contains("api:tickets_read") && line.contains("cors:https://app.example"),
        "{line}"
    );
    let data = serde_json::to_value(&table).unwrap();
    let entry = data
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["path"] == "/status")
        .unwrap();
    assert_eq!(entry["cors"], serde_json::json!(["*"]));
    assert_eq!(Scope::ReviewsRead.role(), Some("reviewer"));
    assert_eq!(Staff::Administrator.name(), "administrator");
}

/// A limit by token counts each token alone, reads too, and tells the client what is left.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_its_own_rate_limit_and_learns_it() {
    let site = Site::open().await;
    let (one, other) = (
        site.service(&["tickets_read"]).await,
        site.service(&["tickets_read"]).await,
    );
    for left in ["\"route\";r=1;t=30", "\"route\";r=0;t=60"] {
        let answer = site.call("GET", "/api/slow", &one).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("ratelimit"), Some(left));
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"route\";q=2;w=60")
        );
    }
    let refused = site.call("GET", "/api/slow", &one).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.header("ratelimit"), Some("\"route\";r=0;t=60"));
    assert_eq!(site.call("GET", "/api/slow", &other).await.status(), 200);
    site.clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(site.call("GET", "/api/slow", &one).await.status(), 200);
    site.running.stop().await.unwrap();
}

/// A caller who may not enter cannot try without end.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_its_heading_refuses_counts_too() {
    let site = Site::open().await;
    let token = site.service(&["tickets_read"]).await;
    for status in [403, 403, 429] {
        let answer = site.call("GET", "/api/reviews/7", &token).await;
        assert_eq!(answer.status(), status);
    }
    let visitor = site.browser();
    for status in [303, 303, 429] {
        assert_eq!(visitor.get("/mine/slow").await.status(), status);
    }
    site.running.stop().await.unwrap();
}
