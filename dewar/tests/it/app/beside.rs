//! What a handler sends beside its page: redirects to other sites, cookies, headers; and the values that handlers share.

use std::time::Duration;

use dewar::api::{ApiScope, TokenHolder, TokenRequest};
use dewar::app::Shared;
use dewar::http::header::CACHE_CONTROL;
use dewar::pages::{
    CookieValue, DangerousScriptCookie, DangerousScriptValue, ExternalHosts, ExternalRedirect,
    OwnHeader, SealedCookie, Text, WithHeaders,
};
use dewar::{App, CurrentUser, Redirect, get, post};
use serde::{Deserialize, Serialize};

use crate::site::{self, Site};

struct Payment;

impl ExternalHosts for Payment {
    const ORIGINS: &'static [&'static str] = &["https://pay.example.com"];
}

async fn pay(dewar::Query(to): dewar::Query<Wanted>) -> dewar::Result<ExternalRedirect<Payment>> {
    Redirect::external(to.to.as_str())
}

#[derive(dewar::Form)]
struct Wanted {
    to: dewar::forms::Line<200>,
}

async fn order() -> dewar::Result<ExternalRedirect<Payment>> {
    Redirect::external("https://pay.example.com/checkout")
}

#[derive(Serialize, Deserialize)]
struct Basket {
    items: Vec<u32>,
}

impl CookieValue for Basket {
    const NAME: &'static str = "basket";
    const LIFETIME: Duration = Duration::from_secs(3600);
}

#[derive(Serialize, Deserialize)]
struct Theme {
    dark: bool,
}

impl CookieValue for Theme {
    const NAME: &'static str = "theme";
    const LIFETIME: Duration = Duration::from_secs(60);
}

impl DangerousScriptValue for Theme {
    const REASON: &'static str = "a script reads the colours";
}

async fn add(basket: SealedCookie<Basket>) -> dewar::Result<Text> {
    let mut items = basket
        .get()
        .map_or_else(Vec::new, |basket| basket.items.clone());
    items.push(7);
    basket.set(&Basket { items })?;
    Ok(Text::new("added"))
}

async fn show(basket: SealedCookie<Basket>) -> Text {
    let number = basket.get().map_or(0, |basket| basket.items.len());
    Text::new(number.to_string())
}

async fn empty(basket: SealedCookie<Basket>) -> dewar::Result<Text> {
    basket.remove()?;
    Ok(Text::new("empty"))
}

async fn too_much(basket: SealedCookie<Basket>) -> dewar::Result<Text> {
    let items = vec![1_000_000_000; 400];
    basket.set(&Basket { items })?;
    Ok(Text::new("never"))
}

async fn darken(theme: DangerousScriptCookie<Theme>) -> dewar::Result<Text> {
    theme.set(&Theme { dark: true })?;
    Ok(Text::new("dark"))
}

const COST: OwnHeader = OwnHeader::new("x-cost");

fn public(text: &str) -> WithHeaders<Text> {
    WithHeaders::new(Text::new(text)).cache_publicly(Duration::from_secs(60))
}

async fn prices() -> dewar::Result<WithHeaders<Text>> {
    public("prices").own(COST, 7)?.etag("v1")
}

async fn mine(_: CurrentUser) -> WithHeaders<Text> {
    public("mine")
}

async fn with_cookie(basket: SealedCookie<Basket>) -> dewar::Result<WithHeaders<Text>> {
    basket.set(&Basket { items: Vec::new() })?;
    Ok(public("cookie"))
}

async fn of_cookie(basket: SealedCookie<Basket>) -> WithHeaders<Text> {
    let number = basket.get().map_or(0, |basket| basket.items.len());
    public(&number.to_string())
}

#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    PricesRead,
}

#[derive(Clone)]
struct Shop {
    currency: &'static str,
}

async fn currency(Shared(shop): Shared<Shop>) -> Text {
    Text::new(shop.currency)
}

fn app(app: App) -> App {
    site::app(app)
        .public([
            get("/currency", currency),
            get("/pay", pay),
            post("/order", order),
            get("/basket", show),
            get("/basket/add", add),
            get("/basket/empty", empty),
            get("/basket/too-much", too_much),
            get("/dark", darken),
            get("/prices", prices),
            get("/prices/cookie", with_cookie),
            get("/prices/basket", of_cookie),
        ])
        .api(Scope::PricesRead, [get("/api/prices", prices)])
        .signed_in([get("/prices/mine", mine)])
        .share(|_| Shop { currency: "EUR" })
}

/// ASVS: V3.7.2
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_s_address_leads_to_a_listed_site_or_nowhere() {
    let site = Site::of(app).await;
    let to = async |address: &str| {
        let path = format!(
            "/pay?to={}",
            address.replace('#', "%23").replace('?', "%3F")
        );
        site.visitor.get(&path).await
    };
    let good = to("https://pay.example.com/checkout?order=7").await;
    assert_eq!(good.status(), 303);
    assert_eq!(
        good.location(),
        Some("https://pay.example.com/checkout?order=7")
    );
    for evil in [
        "https://evil.example/",
        "//evil.example/",
        "https://pay.example.com@evil.example/",
        "https://pay.example.com.evil.example/",
        "http://pay.example.com/",
        "javascript:alert(1)",
        "/notes",
    ] {
        let refused = to(evil).await;
        assert_eq!(refused.status(), 500, "{evil}");
        assert_eq!(refused.location(), None, "{evil}");
    }
    // The page with the form has to allow what the form leads to.
    let policy = site.visitor.get("/sign-in").await;
    let policy = policy.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://pay.example.com;"),
        "{policy}"
    );
}

/// ASVS: V3.3.1, V3.3.2, V3.3.3, V3.3.4
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_the_application_is_sealed_and_ends() {
    let site = Site::of(app).await;
    let browser = site.visitor.another();
    browser.get("/basket/add").await;
    browser.get("/basket/add").await;
    assert_eq!(browser.get("/basket").await.text(), "2");
    let cookie = browser.cookie("__Host-app-basket").unwrap();
    assert!(cookie.is_secure() && cookie.is_http_only() && cookie.is_host_only());
    assert!(!cookie.value().contains("items"));
    // Changed, exchanged for another sealed value, and kept beyond its time.
    let changed = format!("{}A", cookie.value());
    for wrong in [changed.as_str(), "", "x.y", "{\"items\":[7]}"] {
        browser.plant_cookie("__Host-app-basket", wrong);
        assert_eq!(browser.get("/basket").await.text(), "0", "{wrong}");
    }
    assert!(site.log().await.contains("crypt_decrypt_fail"));
    browser.plant_cookie("__Host-app-basket", cookie.value());
    assert_eq!(browser.get("/basket").await.text(), "2");
    site.clock.advance(Duration::from_secs(3600));
    assert_eq!(browser.get("/basket").await.text(), "0");
    browser.get("/basket/add").await;
    browser.get("/basket/empty").await;
    assert!(browser.cookie("__Host-app-basket").is_none());
    assert_eq!(browser.get("/basket/too-much").await.status(), 500);
    assert!(browser.cookie("__Host-app-basket").is_none());
}

/// ASVS: V3.3.4
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_for_scripts_has_a_type_of_its_own_and_is_reported() {
    let site = Site::of(app).await;
    site.visitor.get("/dark").await;
    let cookie = site.visitor.cookie("__Host-app-theme").unwrap();
    assert!(cookie.is_secure() && !cookie.is_http_only());
    assert_eq!(cookie.value(), "%7B%22dark%22%3Atrue%7D");
    let directory = tempfile::tempdir().unwrap();
    let table = app(App::in_directory(&directory).unwrap()).route_table();
    let found = table.findings();
    let told = found
        .iter()
        .find(|found| found.title.contains("DangerousScriptCookie<Theme>"));
    assert!(told.is_some_and(|found| found.id == "audit-dangerous"));
    let text = table.to_string();
    assert!(text.contains("cookie:__Host-app-theme"), "{text}");
    assert!(text.contains("-> https://pay.example.com"), "{text}");
    let data = serde_json::to_value(&table).unwrap();
    let entries = data.as_array().unwrap();
    let basket = entries
        .iter()
        .find(|entry| entry["path"] == "/basket")
        .unwrap();
    let wanted = serde_json::json!([{
        "name": "__Host-app-basket", "lifetime": 3600, "same_site": "Lax", "read_by_scripts": false,
    }]);
    assert_eq!(basket["cookies"], wanted);
    let order = entries
        .iter()
        .find(|entry| entry["path"] == "/order")
        .unwrap();
    assert_eq!(order["redirects_to"][0], "https://pay.example.com");
}

/// ASVS: V14.2.2, V14.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_response_for_one_person_is_in_no_shared_cache() {
    let site = Site::of(app).await;
    let of = async |browser: &dewar::testing::Browser, path: &str| {
        let response = browser.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.headers()[CACHE_CONTROL]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let visitor = site.visitor.another();
    let prices = visitor.get("/prices").await;
    assert_eq!(prices.header("x-cost"), Some("7"));
    assert_eq!(prices.header("etag"), Some("\"v1\""));
    assert_eq!(of(&visitor, "/prices").await, "public, max-age=60");
    assert_eq!(of(&visitor, "/prices/cookie").await, "no-store, max-age=0");
    let ada = site.member("ada", &[]).await;
    assert_eq!(of(&ada, "/prices/mine").await, "no-store, max-age=0");
    assert_eq!(of(&ada, "/prices").await, "no-store, max-age=0");
    // The answer tells what the cookie has.
    let visitor = site.visitor.another();
    assert_eq!(of(&visitor, "/prices/basket").await, "public, max-age=60");
    visitor.get("/basket/add").await;
    assert_eq!(of(&visitor, "/prices/basket").await, "no-store, max-age=0");
}

/// A cache would give it to callers without a token, and after the token was revoked.
///
/// ASVS: V7.4.1, V14.2.2, V14.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_response_to_a_token_is_in_no_shared_cache() {
    let site = Site::of(app).await;
    let request = TokenRequest {
        name: "nightly",
        scopes: &["prices_read"],
        days: 1,
    };
    let tokens = site.running.dewar().api_tokens();
    let made = tokens.create(None, TokenHolder::Service, request).await;
    let bearer = format!("Bearer {}", made.unwrap().0.expose());
    let call = site.visitor.raw("GET", "/api/prices");
    let answer = call.header("authorization", &bearer).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.header("cache-control"), Some("no-store, max-age=0"));
}

struct Wrong;

impl ExternalHosts for Wrong {
    const ORIGINS: &'static [&'static str] = &["http://pay.example.com", "https://*.example.com"];
}

async fn wrong() -> dewar::Result<ExternalRedirect<Wrong>> {
    Redirect::external("https://pay.example.com/")
}

#[derive(Serialize, Deserialize)]
struct Other;

impl CookieValue for Other {
    const NAME: &'static str = "basket";
    const LIFETIME: Duration = Duration::from_secs(500 * 24 * 3600);
}

async fn other(_: SealedCookie<Other>) -> &'static str {
    "other"
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_hold_is_found_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let app = app(App::in_directory(&directory).unwrap())
        .public([get("/wrong", wrong), get("/other", other)])
        .share(|_| Shop { currency: "CHF" });
    let refused = format!("{:?}", app.start().await.unwrap_err());
    for id in [
        "https-origin",
        "sessions-cookie-twice",
        "sessions-cookie-lifetime",
        "forms-shared-twice",
    ] {
        assert!(refused.contains(id), "{id}: {refused}");
    }
    let app = App::in_directory(&directory)
        .unwrap()
        .public([get("/currency", currency)]);
    let refused = format!("{:?}", app.start().await.unwrap_err());
    assert!(refused.contains("forms-shared-missing"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_value_depends_on_no_order_and_no_state() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::in_directory(&directory)
        .unwrap()
        .public([get("/before", currency)])
        .share(|_| Shop { currency: "EUR" })
        .with_state(|_| 7_u32)
        .public([get("/after", currency)]);
    let running = app.start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = dewar::testing::Browser::new(running.url(), &authority);
    assert_eq!(browser.get("/before").await.text(), "EUR");
    assert_eq!(browser.get("/after").await.text(), "EUR");
    running.stop().await.unwrap();
}
