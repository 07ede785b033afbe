//! Sign-in, sign-up and sessions, tried with throwaway accounts.

use dewar::audit::Severity;

use super::call::{Answer, Call};
use super::compare::{print, print_without};
use super::engine::{Engine, NOBODY, Stop, Visitor};
use super::finding::LiveFinding;
use super::options::Account;
use super::route::Route;
use super::sessions::{attempt, is_accepted, sign_in_routes, sign_up_route, sign_up_with};
use crate::scan::Confidence;

/// The most wrong passwords: enough to see a limit, too few to harm.
const TRIES: usize = 20;

/// The checks of accounts that disturb nobody.
pub(super) async fn early(engine: &mut Engine) -> Result<(), Stop> {
    cookie_flags(engine);
    let Some(route) = sign_in_routes(engine).into_iter().next() else {
        return Ok(());
    };
    if route.call.method == "GET" && !is_live(engine, &route).await? {
        return Ok(());
    }
    if route.call.method == "GET" {
        let finding = LiveFinding::of("live-password-in-url", "GET", &route.pattern);
        engine.prove(finding, &route.call, &Answer::default(), "");
    }
    fixation(engine, &route).await?;
    enumeration(engine, &route).await
}

/// Whether a form does something: a picture of one shows the same page again.
async fn is_live(engine: &mut Engine, route: &Route) -> Result<bool, Stop> {
    let wrong = Account::new(engine.marker(), format!("Wrong-{}", engine.marker()));
    let (call, answer, _) = attempt(engine, route, &wrong).await?;
    let mut plain = route.call.clone();
    plain.query.clear();
    let page = engine.send(NOBODY, &plain).await?;
    Ok(answer.status != 0
        && (route.call.method != "GET"
            || !print(&call, &answer).has_same_words(&print(&call, &page))))
}

/// The checks that disturb accounts. They run after everything else.
pub(super) async fn late(engine: &mut Engine) -> Result<(), Stop> {
    password_change(engine);
    weak_password(engine).await?;
    sign_out(engine).await?;
    brute_force(engine).await
}

/// Whether an account was made by the audit.
fn is_throwaway(account: &Account) -> bool {
    account.name.starts_with("zq")
}

fn cookie_flags(engine: &mut Engine) {
    let is_tls = engine.target().is_tls;
    let held: Vec<String> = engine
        .visitors
        .iter()
        .skip(1)
        .flat_map(|visitor| visitor.jar.keys().cloned())
        .collect();
    for (name, seen) in engine.cookies.clone() {
        let lower = name.to_lowercase();
        let is_session = ["sess", "sid", "auth", "token", "jwt", "remember"]
            .iter()
            .any(|word| lower.contains(word))
            || held.contains(&name);
        // A script has to read the token of a double submission.
        if !is_session || lower.contains("csrf") || lower.contains("xsrf") || seen.value.len() < 8 {
            continue;
        }
        let line = seen.line.to_lowercase();
        let mut missing = Vec::new();
        if !line.contains("httponly") {
            missing.push("HttpOnly");
        }
        if is_tls && !line.contains("secure") {
            missing.push("Secure");
        }
        if !line.contains("samesite") {
            missing.push("SameSite");
        }
        if !missing.is_empty() {
            let finding = LiveFinding::of("live-cookie-flags", "*", "*")
                .at("cookie", &name)
                .titled(&missing.join(", "))
                .note(format!("Set-Cookie: {}", seen.line));
            engine.prove(finding, &Call::get(&seen.target), &Answer::default(), "");
        }
    }
}

/// A cookie that was set before the sign-in opens the account after it.
async fn fixation(engine: &mut Engine, route: &Route) -> Result<(), Stop> {
    let visitor = engine.visitor(engine.me);
    let (Some(account), Some(witness)) = (visitor.account.clone(), visitor.witness.clone()) else {
        return Ok(());
    };
    let who = engine.visitors.len();
    engine.visitors.push(Visitor::default());
    let before = before_and_after(engine, route, &account, who).await;
    engine.visitors.pop();
    let (before, after) = before?;
    if before.is_empty()
        || !after
            .iter()
            .all(|(name, value)| before.get(name) == Some(value))
    {
        return Ok(());
    }
    let mut call = Call::get(&witness.target);
    call.cookies = before.into_iter().collect();
    let answer = engine.send(NOBODY, &call).await?;
    if witness.sees(&answer) {
        let finding = LiveFinding::of("live-session-fixation", "POST", &route.pattern)
            .note("the cookie from before the sign-in is signed in after it");
        engine.prove(finding, &call, &answer, "");
    }
    Ok(())
}

type Jar = std::collections::BTreeMap<String, String>;

async fn before_and_after(
    engine: &mut Engine,
    route: &Route,
    account: &Account,
    who: usize,
) -> Result<(Jar, Jar), Stop> {
    let page = route
        .page
        .clone()
        .unwrap_or_else(|| route.call.path.clone());
    engine.visit(who, &Call::get(&page)).await?;
    let before = engine.visitor(who).jar;
    let mut call = super::inject::refreshed(engine, route, who).await?;
    super::sessions::fill(&mut call, route, account);
    engine.visit(who, &call).await?;
    Ok((before, engine.visitor(who).jar))
}

/// A known and an unknown account with a wrong password get different answers, twice.
async fn enumeration(engine: &mut Engine, route: &Route) -> Result<(), Stop> {
    let Some(known) = engine
        .visitors
        .iter()
        .find_map(|visitor| visitor.account.clone())
    else {
        return Ok(());
    };
    let mut proof = None;
    for _ in 0..2 {
        let unknown: String = if known.name.contains('@') {
            format!("{}@example.com", engine.marker())
        } else {
            engine.marker()
        };
        let password = format!("Wrong-{}", engine.marker());
        let (one_call, one, _) = attempt(
            engine,
            route,
            &Account::new(known.name.clone(), password.clone()),
        )
        .await?;
        let (other_call, other, _) = attempt(
            engine,
            route,
            &Account::new(unknown.clone(), password.clone()),
        )
        .await?;
        let names = [known.name.clone(), unknown, password];
        // Some programs sign in with any password.
        if matches!(one.status, 0 | 429)
            || matches!(other.status, 0 | 429)
            || one.is_redirect() != other.is_redirect()
        {
            return Ok(());
        }
        if !differs(
            &print_without(&one_call, &one, &names),
            &print_without(&other_call, &other, &names),
        ) {
            return Ok(());
        }
        proof = Some((one_call, one, other));
    }
    if let Some((call, answer, other)) = proof {
        let finding =
            LiveFinding::of("live-user-enumeration", &call.method, &route.pattern).note(format!(
                "an unknown account: {} {}",
                other.status,
                super::call::clip(&other.text, 300)
            ));
        engine.prove(finding, &call, &answer, "");
    }
    Ok(())
}

/// A message is few words of a page.
fn differs(one: &super::compare::Print, other: &super::compare::Print) -> bool {
    one.status != other.status || !one.has_same_words(other)
}

/// A password of one character opens an account.
async fn weak_password(engine: &mut Engine) -> Result<(), Stop> {
    let Some(route) = sign_up_route(engine) else {
        return Ok(());
    };
    for password in ["1", "password"] {
        if let Some(account) = sign_up_with(engine, password).await? {
            let finding = LiveFinding::of("live-weak-password", &route.call.method, &route.pattern)
                .titled(password)
                .note(format!(
                    "the account {} signs in with the password {password}",
                    account.name
                ));
            engine.prove(finding, &route.call.clone(), &Answer::default(), "");
            return Ok(());
        }
    }
    Ok(())
}

/// A form that changes the password without the current one, judged by its fields: it is not sent.
fn password_change(engine: &mut Engine) {
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.danger.is_some_and(|why| why.contains("password")))
        .cloned()
        .collect();
    for route in routes {
        let Some(form) = &route.form else { continue };
        let names: Vec<String> = form
            .fields
            .iter()
            .filter(|field| field.kind == "password")
            .map(|field| field.name.to_lowercase())
            .collect();
        let asks = names.iter().any(|name| {
            ["old", "current", "existing", "aktuell"]
                .iter()
                .any(|word| name.contains(word))
        }) || names.len() > 2;
        if !asks
            && (1..=2).contains(&names.len())
            && !form.words.contains("current")
            && !form.words.contains("old password")
        {
            let finding =
                LiveFinding::of("live-password-change", &route.call.method, &route.pattern)
                    .confidence(Confidence::Likely)
                    .note(format!("its fields: {}", names.join(", ")));
            engine.prove(finding, &route.call.clone(), &Answer::default(), "");
        }
    }
}

/// The session of a second sign-in goes on after its sign-out.
async fn sign_out(engine: &mut Engine) -> Result<(), Stop> {
    let visitor = engine.visitor(engine.me);
    let (Some(account), Some(witness)) = (visitor.account.clone(), visitor.witness.clone()) else {
        return Ok(());
    };
    let out = engine
        .routes
        .iter()
        .find(|route| route.danger.is_some_and(|why| why.contains("session")))
        .cloned();
    let (Some(out), Some(form)) = (out, sign_in_routes(engine).into_iter().next()) else {
        return Ok(());
    };
    let (_, _, second) = attempt(engine, &form, &account).await?;
    if second.jar.is_empty() {
        return Ok(());
    }
    let jar = second.jar.clone();
    let who = engine.visitors.len();
    engine.visitors.push(second);
    let ended = sent_out(engine, &out, who).await;
    engine.visitors.pop();
    if !ended? {
        return Ok(());
    }
    let mut call = Call::get(&witness.target);
    call.cookies = jar.into_iter().collect();
    let answer = engine.send(NOBODY, &call).await?;
    if witness.sees(&answer) {
        let finding = LiveFinding::of("live-session-not-ended", &out.call.method, &out.pattern)
            .note("the cookie from before the sign-out still opens the account");
        engine.prove(finding, &call, &answer, "");
    }
    Ok(())
}

async fn sent_out(engine: &mut Engine, out: &Route, who: usize) -> Result<bool, Stop> {
    let call = super::inject::refreshed(engine, out, who).await?;
    let answer = engine.visit(who, &call).await?;
    Ok(answer.status != 0 && answer.status < 400)
}

/// Wrong passwords for an account of the audit's own, or for a name that nobody has.
async fn brute_force(engine: &mut Engine) -> Result<(), Stop> {
    for route in sign_in_routes(engine).into_iter().take(2) {
        if !is_live(engine, &route).await? {
            continue;
        }
        let own = engine
            .visitors
            .iter()
            .filter_map(|visitor| visitor.account.clone())
            .find(is_throwaway);
        let name = own
            .as_ref()
            .map_or_else(|| engine.marker(), |account| account.name.clone());
        let mut first: Option<super::compare::Print> = None;
        let mut last: Option<(Call, Answer)> = None;
        let mut is_limited = false;
        for _ in 0..TRIES {
            let wrong = Account::new(name.clone(), format!("Wrong-{}", engine.marker()));
            let (call, answer, _) = attempt(engine, &route, &wrong).await?;
            let seen = print(&call, &answer);
            let is_changed = first.as_ref().is_some_and(|first| differs(first, &seen));
            if is_changed || matches!(answer.status, 0 | 403 | 404 | 405 | 423 | 429 | 500..) {
                is_limited = true;
                break;
            }
            first.get_or_insert(seen);
            last = Some((call, answer));
        }
        if is_limited {
            continue;
        }
        if let Some(account) = &own {
            let (call, answer, _) = attempt(engine, &route, account).await?;
            if !is_accepted(engine, &route, &call, &answer).await? {
                continue;
            }
        }
        if let Some((call, answer)) = last {
            let mut finding = LiveFinding::of("live-brute-force", &call.method, &route.pattern)
                .note(format!("{TRIES} wrong passwords got the same answer"));
            if own.is_none() {
                // A limit may count tries for accounts that exist only.
                finding = finding
                    .confidence(Confidence::Likely)
                    .severity(Severity::Low);
            }
            engine.prove(finding, &call, &answer, "");
        }
    }
    Ok(())
}
