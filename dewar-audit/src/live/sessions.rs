//! Signs in, finds a page that shows it, and notices when it is lost.

use serde_json::Value;

use super::call::{Answer, Call};
use super::compare::print;
use super::crawl::crawl;
use super::engine::{Engine, NOBODY, Stop, Visitor, Witness};
use super::finding::LiveFinding;
use super::inject::{put, refreshed};
use super::options::Account;
use super::route::{Route, field_names, is_password};

/// Accounts that programs are shipped with.
const DEFAULTS: [(&str, &str); 12] = [
    ("admin", "admin"),
    ("admin", "password"),
    ("admin", "admin123"),
    ("test", "test"),
    ("user", "user"),
    ("admin", "123456"),
    ("root", "root"),
    ("guest", "guest"),
    ("demo", "demo"),
    ("admin", "changeme"),
    ("administrator", "administrator"),
    ("user", "password"),
];

/// Signs in with the accounts that were given, or that could be made or guessed.
pub(super) async fn begin(engine: &mut Engine) -> Result<(), Stop> {
    with_headers(engine).await?;
    let mut accounts = engine.options.accounts.clone();
    let forms = sign_in_routes(engine);
    if accounts.is_empty() && (engine.options.sign_up || engine.target().is_loopback) {
        for _ in 0..2 {
            if let Some(account) = sign_up(engine).await? {
                engine
                    .coverage
                    .notes
                    .push(format!("signed up as {}", account.name));
                accounts.push(account);
            }
        }
    }
    if forms.is_empty() && !accounts.is_empty() {
        engine
            .coverage
            .skipped
            .insert("signing in: no form was found".to_owned());
    }
    for account in accounts {
        if !add(engine, &account).await? && !engine.options.accounts.is_empty() {
            engine
                .coverage
                .skipped
                .insert(format!("pages of {}: the sign-in failed", account.name));
        }
    }
    defaults(engine).await?;
    if engine.visitors.len() > 1 {
        engine.me = 1;
        let found = crawl(engine, 1, &[]).await?;
        engine.coverage.pages += found.pages.len();
    }
    Ok(())
}

/// A token that was given instead of an account.
async fn with_headers(engine: &mut Engine) -> Result<(), Stop> {
    if engine.options.headers.is_empty() {
        return Ok(());
    }
    let headers = engine.options.headers.clone();
    let visitor = Visitor {
        name: "the given token".to_owned(),
        headers,
        ..Visitor::default()
    };
    engine.visitors.push(visitor);
    let who = engine.visitors.len() - 1;
    find_witness(engine, who, "").await?;
    engine.coverage.signed_in.push("the given token".to_owned());
    Ok(())
}

/// The forms and calls that take a name and a password.
pub(super) fn sign_in_routes(engine: &Engine) -> Vec<Route> {
    let mut all: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| {
            route.takes_password()
                && !is_sign_up(route)
                && password_fields(route) == 1
                && name_field(route).is_some()
        })
        .filter(|route| {
            route
                .danger
                .is_none_or(|why| !why.contains("password") && !why.contains("away"))
        })
        .cloned()
        .collect();
    if let Some(page) = &engine.options.sign_in {
        all.sort_by_key(|route| {
            usize::from(route.page.as_ref() != Some(page) && route.call.path != *page)
        });
    } else {
        all.sort_by_key(|route| {
            usize::from(!is_named(
                route,
                &["login", "signin", "sign-in", "sign_in", "auth", "session"],
            ))
        });
    }
    all
}

fn is_named(route: &Route, words: &[&str]) -> bool {
    let path = route.call.path.to_lowercase();
    words.iter().any(|word| path.contains(word))
}

fn password_fields(route: &Route) -> usize {
    let by_kind = route.form.as_ref().map_or(0, |form| {
        form.fields
            .iter()
            .filter(|field| field.kind == "password")
            .count()
    });
    by_kind.max(
        field_names(&route.call)
            .iter()
            .filter(|name| is_password(name))
            .count(),
    )
}

pub(super) fn is_sign_up(route: &Route) -> bool {
    let words = route
        .form
        .as_ref()
        .map(|form| form.words.clone())
        .unwrap_or_default();
    let by_path = is_named(
        route,
        &["register", "signup", "sign-up", "sign_up", "create", "join"],
    );
    let by_words = [
        "register",
        "sign up",
        "create account",
        "create an account",
        "registrieren",
    ]
    .iter()
    .any(|word| words.contains(word));
    route.takes_password()
        && (by_path
            || (by_words && !is_named(route, &["login", "signin", "sign-in"]))
            || password_fields(route) > 1)
}

/// The field for the name of the account.
pub(super) fn name_field(route: &Route) -> Option<String> {
    let names = field_names(&route.call);
    let is_hidden = |name: &str| {
        route.form.as_ref().is_some_and(|form| {
            form.fields.iter().any(|field| {
                field.name == name
                    && matches!(
                        field.kind.as_str(),
                        "hidden" | "submit" | "checkbox" | "select"
                    )
            })
        })
    };
    let usable: Vec<&String> = names
        .iter()
        .filter(|name| !is_password(name) && !is_hidden(name))
        .collect();
    let known = ["user", "mail", "login", "name", "account", "uname"];
    usable
        .iter()
        .find(|name| known.iter().any(|word| name.to_lowercase().contains(word)))
        .or(usable.first())
        .map(|name| (*name).clone())
}

/// A sign-in with this name and password, as a new visitor would send it.
pub(super) async fn attempt(
    engine: &mut Engine,
    route: &Route,
    account: &Account,
) -> Result<(Call, Answer, Visitor), Stop> {
    let who = engine.visitors.len();
    engine.visitors.push(Visitor {
        name: account.name.clone(),
        ..Visitor::default()
    });
    let outcome = try_as(engine, route, account, who).await;
    let visitor = engine.visitors.pop().unwrap_or_default();
    let (call, answer) = outcome?;
    Ok((call, answer, visitor))
}

async fn try_as(
    engine: &mut Engine,
    route: &Route,
    account: &Account,
    who: usize,
) -> Result<(Call, Answer), Stop> {
    let mut call = refreshed(engine, route, who).await?;
    fill(&mut call, route, account);
    let answer = engine.visit(who, &call).await?;
    Ok((call, answer))
}

pub(super) fn fill(call: &mut Call, route: &Route, account: &Account) {
    let name = name_field(route);
    let nothing = String::new();
    for field in field_names(call) {
        let value = if is_password(&field) {
            &account.password
        } else if Some(&field) == name.as_ref() {
            &account.name
        } else if is_optional(route, &field) {
            // A second factor that this account does not have.
            &nothing
        } else {
            continue;
        };
        put(call, &field, value);
        for (known, text) in &mut call.query {
            if *known == field {
                value.clone_into(text);
            }
        }
    }
}

fn is_optional(route: &Route, name: &str) -> bool {
    route.form.as_ref().is_some_and(|form| {
        form.fields.iter().any(|field| {
            field.name == name
                && matches!(field.kind.as_str(), "text" | "number")
                && !field.is_required
                && field.value.is_empty()
        })
    })
}

/// Whether an answer is unlike that to a wrong password, and does not ask again.
pub(super) async fn is_accepted(
    engine: &mut Engine,
    route: &Route,
    call: &Call,
    answer: &Answer,
) -> Result<bool, Stop> {
    if answer.status == 0 || answer.status >= 400 {
        return Ok(false);
    }
    let wrong = Account::new(
        format!("zq{}", engine.marker()),
        format!("Wrong-{}", engine.marker()),
    );
    let (other_call, other, _) = attempt(engine, route, &wrong).await?;
    Ok(print(call, answer).is_other(&print(&other_call, &other)) && !says_failed(answer))
}

fn says_failed(answer: &Answer) -> bool {
    let text = answer.text.to_lowercase();
    let words = [
        "invalid",
        "incorrect",
        "wrong",
        "failed",
        "denied",
        "try again",
        "falsch",
        "too many",
    ];
    text.len() < 5000 && !answer.is_redirect() && words.iter().any(|word| text.contains(word))
}

/// Signs in as a new visitor that stays.
pub(super) async fn add(engine: &mut Engine, account: &Account) -> Result<bool, Stop> {
    for route in sign_in_routes(engine) {
        let (call, answer, mut visitor) = attempt(engine, &route, account).await?;
        if !is_accepted(engine, &route, &call, &answer).await? {
            continue;
        }
        visitor.account = Some(account.clone());
        visitor.name.clone_from(&account.name);
        let landing = if answer.is_redirect() {
            engine.target().local(&call.path, answer.header("location"))
        } else {
            None
        };
        engine.visitors.push(visitor);
        let who = engine.visitors.len() - 1;
        if let Some(token) = token_of(&answer) {
            choose_scheme(engine, who, &token).await?;
        }
        let target = landing.unwrap_or_default();
        if !find_witness(engine, who, &target).await?
            && engine.visitor(who).jar.is_empty()
            && engine.visitor(who).headers.is_empty()
        {
            engine.visitors.pop();
            continue;
        }
        engine.coverage.signed_in.push(account.name.clone());
        return Ok(true);
    }
    Ok(false)
}

/// A token in a JSON answer or in a header.
pub(super) fn token_of(answer: &Answer) -> Option<String> {
    let header = answer
        .header("authorization")
        .trim_start_matches("Bearer ")
        .to_owned();
    if header.len() > 15 {
        return Some(header);
    }
    find_token(&answer.json()?, 0)
}

fn find_token(json: &Value, depth: usize) -> Option<String> {
    if depth > 5 {
        return None;
    }
    let fields = json.as_object()?;
    for (name, value) in fields {
        let lower = name.to_lowercase();
        let named = ["token", "jwt", "auth", "key", "access"]
            .iter()
            .any(|word| lower.contains(word));
        match value.as_str() {
            Some(text) if named && text.len() >= 12 && !text.contains(' ') => {
                return Some(text.to_owned());
            }
            _ => {}
        }
    }
    fields
        .values()
        .find_map(|value| find_token(value, depth + 1))
}

/// The header that the application reads the token from: the first that changes an answer.
async fn choose_scheme(engine: &mut Engine, who: usize, token: &str) -> Result<(), Stop> {
    let schemes = [
        ("Authorization", format!("Bearer {token}")),
        ("Authorization", token.to_owned()),
        ("Authorization", format!("Token {token}")),
        ("X-API-Key", token.to_owned()),
        ("X-APIKEY", token.to_owned()),
        ("X-Access-Token", token.to_owned()),
    ];
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.danger.is_none() && !route.takes_password())
        .take(40)
        .cloned()
        .collect();
    for route in routes {
        let refused = engine.send(NOBODY, &route.call).await?;
        if !is_refusal(&refused) {
            continue;
        }
        for (name, value) in &schemes {
            let answer = engine
                .send(NOBODY, &route.call.clone().with_header(name, value))
                .await?;
            if !is_refusal(&answer)
                && print(&route.call, &answer).is_other(&print(&route.call, &refused))
            {
                if let Some(visitor) = engine.visitors.get_mut(who) {
                    visitor.headers = vec![((*name).to_owned(), value.clone())];
                    visitor.witness = Some(Witness {
                        target: route.call.target(),
                        status: answer.status,
                        word: None,
                    })
                    .filter(|_| route.call.method == "GET");
                }
                return Ok(());
            }
        }
    }
    if let Some(visitor) = engine
        .visitors
        .get_mut(who)
        .filter(|visitor| visitor.jar.is_empty())
    {
        visitor.headers = vec![("Authorization".to_owned(), format!("Bearer {token}"))];
    }
    Ok(())
}

/// Whether an answer asks for an account.
pub(super) fn is_refusal(answer: &Answer) -> bool {
    let location = answer.header("location").to_lowercase();
    let to_sign_in = answer.is_redirect()
        && ["login", "signin", "sign-in", "auth"]
            .iter()
            .any(|word| location.contains(word));
    let said = answer.text.len() < 400 && {
        let text = answer.text.to_lowercase();
        [
            "not authorized",
            "unauthorized",
            "missing token",
            "token is missing",
            "invalid token",
            "login required",
            "not logged in",
            "authorization",
            "forbidden",
            "access denied",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    matches!(answer.status, 401 | 403) || to_sign_in || said
}

/// A page that shows whether this visitor is signed in.
async fn find_witness(engine: &mut Engine, who: usize, landing: &str) -> Result<bool, Stop> {
    if engine.visitor(who).witness.is_some() {
        return Ok(true);
    }
    let name = engine.visitor(who).name.to_lowercase();
    let mut targets: Vec<String> = if landing.is_empty() {
        Vec::new()
    } else {
        vec![landing.to_owned()]
    };
    targets.push("/".to_owned());
    let known = engine
        .routes
        .iter()
        .filter(|route| route.call.method == "GET" && route.danger.is_none());
    targets.extend(known.map(|route| route.call.target()).take(40));
    for target in targets {
        let call = Call::get(&target);
        let seen = engine.visit(who, &call).await?;
        if seen.status >= 400 || seen.status == 0 || is_refusal(&seen) {
            continue;
        }
        let plain = engine.send(NOBODY, &call).await?;
        let (text, without) = (seen.text.to_lowercase(), plain.text.to_lowercase());
        let words = [
            "logout",
            "log out",
            "sign out",
            "signout",
            "sign-out",
            "abmelden",
            name.as_str(),
        ];
        let word = words
            .iter()
            .find(|word| !word.is_empty() && text.contains(**word) && !without.contains(**word));
        if word.is_some() || plain.status != seen.status {
            let witness = Witness {
                target,
                status: seen.status,
                word: word.map(|word| (*word).to_owned()),
            };
            if let Some(visitor) = engine.visitors.get_mut(who) {
                visitor.witness = Some(witness);
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// Checks that the account is signed in, and signs in again if it is not.
pub(super) async fn keep(engine: &mut Engine, who: usize) -> Result<(), Stop> {
    let visitor = engine.visitor(who);
    let (Some(witness), Some(account)) = (&visitor.witness, &visitor.account) else {
        return Ok(());
    };
    let answer = engine.send(who, &Call::get(&witness.target)).await?;
    if witness.sees(&answer) {
        return Ok(());
    }
    for _ in 0..2 {
        for route in sign_in_routes(engine) {
            let (_, answer, fresh) = attempt(engine, &route, account).await?;
            let token = token_of(&answer);
            if let Some(visitor) = engine.visitors.get_mut(who) {
                visitor.jar = fresh.jar;
                if let (Some(token), Some((_, value))) = (token, visitor.headers.first_mut()) {
                    let scheme = value
                        .split_once(' ')
                        .map(|(scheme, _)| format!("{scheme} "))
                        .unwrap_or_default();
                    *value = format!("{scheme}{token}");
                }
            }
            let again = engine.send(who, &Call::get(&witness.target)).await?;
            if witness.sees(&again) {
                engine.coverage.notes.push(format!(
                    "{} was signed out in the middle, and signed in again",
                    account.name
                ));
                return Ok(());
            }
        }
    }
    Err(Stop::SignedOut(account.name.clone()))
}

/// The form that creates an account.
pub(super) fn sign_up_route(engine: &Engine) -> Option<Route> {
    engine
        .routes
        .iter()
        .find(|route| route.call.is_write() && is_sign_up(route) && name_field(route).is_some())
        .cloned()
}

/// Creates a throwaway account.
pub(super) async fn sign_up(engine: &mut Engine) -> Result<Option<Account>, Stop> {
    let password = format!("Zq-{}-Auditor!7", engine.marker());
    sign_up_with(engine, &password).await
}

/// Creates an account with this password; proved by a sign-in.
pub(super) async fn sign_up_with(
    engine: &mut Engine,
    password: &str,
) -> Result<Option<Account>, Stop> {
    let Some(route) = sign_up_route(engine) else {
        return Ok(None);
    };
    let name = engine.marker();
    let Some(field) = name_field(&route) else {
        return Ok(None);
    };
    let is_email = field.to_lowercase().contains("mail");
    let account = Account::new(
        if is_email {
            format!("{name}@example.com")
        } else {
            name.clone()
        },
        password,
    );
    let who = engine.visitors.len();
    engine.visitors.push(Visitor::default());
    let sent = send_sign_up(engine, &route, &account, &name, who).await;
    engine.visitors.pop();
    let answer = sent?;
    if answer.status == 0 || answer.status >= 400 {
        return Ok(None);
    }
    for form in sign_in_routes(engine) {
        let (call, answer, _) = attempt(engine, &form, &account).await?;
        if is_accepted(engine, &form, &call, &answer).await? {
            return Ok(Some(account));
        }
    }
    Ok(None)
}

async fn send_sign_up(
    engine: &mut Engine,
    route: &Route,
    account: &Account,
    name: &str,
    who: usize,
) -> Result<Answer, Stop> {
    let mut call = refreshed(engine, route, who).await?;
    let known = name_field(route);
    for field in field_names(&call) {
        let lower = field.to_lowercase();
        if is_password(&field) {
            put(&mut call, &field, &account.password);
        } else if Some(&field) == known.as_ref() {
            put(&mut call, &field, &account.name);
        } else if lower.contains("mail") {
            put(&mut call, &field, &format!("{name}@example.com"));
        } else if lower.contains("user") {
            put(&mut call, &field, name);
        }
    }
    engine.announce(&call);
    engine.visit(who, &call).await
}

/// Passwords that everybody knows; each is one try.
async fn defaults(engine: &mut Engine) -> Result<(), Stop> {
    for route in sign_in_routes(engine).into_iter().take(2) {
        let of_form = default_names(&route);
        for (name, password) in of_form {
            let account = Account::new(name, password);
            let (call, answer, visitor) = attempt(engine, &route, &account).await?;
            if matches!(answer.status, 429 | 503) {
                return Ok(());
            }
            if !is_accepted(engine, &route, &call, &answer).await? {
                continue;
            }
            // A form that takes every password has another fault.
            let wrong = Account::new(name, format!("Wrong-{}", engine.marker()));
            let (other_call, other, _) = attempt(engine, &route, &wrong).await?;
            if print(&call, &answer).is_other(&print(&other_call, &other)) {
                let finding =
                    LiveFinding::of("live-default-credentials", &call.method, &route.pattern)
                        .titled(&format!("{name}/{password}"));
                engine.prove(finding, &call, &answer, "");
                adopt(engine, account, visitor, &answer).await?;
                break;
            }
        }
    }
    Ok(())
}

/// The names fit the form: an email address where one is asked for.
fn default_names(route: &Route) -> Vec<(&'static str, &'static str)> {
    let is_email = name_field(route).is_some_and(|field| field.to_lowercase().contains("mail"));
    if is_email {
        vec![
            ("admin@example.com", "admin"),
            ("admin@example.com", "password"),
            ("admin@localhost", "admin"),
            ("test@example.com", "test"),
        ]
    } else {
        DEFAULTS.to_vec()
    }
}

/// Goes on with an account that was guessed, if there is no other.
async fn adopt(
    engine: &mut Engine,
    account: Account,
    mut visitor: Visitor,
    answer: &Answer,
) -> Result<(), Stop> {
    if engine.visitors.len() > 1 {
        return Ok(());
    }
    visitor.name.clone_from(&account.name);
    visitor.account = Some(account.clone());
    engine.visitors.push(visitor);
    if let Some(token) = token_of(answer) {
        choose_scheme(engine, 1, &token).await?;
    }
    find_witness(engine, 1, "").await?;
    engine.coverage.signed_in.push(account.name);
    Ok(())
}
