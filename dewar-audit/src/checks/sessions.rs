use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Error, HttpResponse, RouteAccess, SetCookie, Sources, Visitor};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "sessions-cookie",
        word: Practice::Sessions,
        severity: Severity::Medium,
        what: "every cookie is `__Host-`, Secure, HttpOnly and SameSite",
        why: "a cookie without them is sent unencrypted, is read by scripts, is set by a neighbouring host or is sent with another site's request",
        fix: "set it as `__Host-name=…; Path=/; Secure; HttpOnly; SameSite=Lax`",
        cwe: Some(614),
        asvs: &["3.3.1", "3.3.2", "3.3.3", "3.3.4"],
        look: cookies,
    },
    Check {
        id: "sessions-fixation",
        word: Practice::Sessions,
        severity: Severity::High,
        what: "signing in creates a new session",
        why: "session fixation: an attacker who planted a session in the victim's browser is signed in with the victim",
        fix: "create a new token at sign-in, and accept only tokens that the application created",
        cwe: Some(384),
        asvs: &["7.2.4"],
        look: fixation,
    },
    Check {
        id: "sessions-outlive-sign-out",
        word: Practice::Sessions,
        severity: Severity::High,
        what: "a session ends at sign-out",
        why: "anyone who copied the cookie stays signed in, and the owner cannot end it",
        fix: "remove the session in the store, not only the cookie in the browser",
        cwe: Some(613),
        asvs: &["7.4.1"],
        look: outlive_sign_out,
    },
];

const NO_ACCOUNT: &str =
    "no account was given (--as EMAIL --password-stdin), or there is no sign-in form";

fn cookies(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            judge_cookies(answer, &mut seen);
        }
        if let Some((_, answer)) = sign_in(looks, None).await? {
            judge_cookies(&answer, &mut seen);
        }
        Ok(Outcome::Seen(seen))
    })
}

fn judge_cookies(answer: &HttpResponse, seen: &mut Vec<Evidence>) {
    for cookie in answer.cookies() {
        for fault in faults(&cookie) {
            seen.push(Evidence::new(
                format!("the cookie `{}` {fault}", cookie.name),
                &answer.place,
            ));
        }
    }
}

fn faults(cookie: &SetCookie) -> Vec<&'static str> {
    let same_site = cookie
        .attribute("samesite")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let rules = [
        (
            cookie.name.starts_with("__Host-"),
            "has no `__Host-` in front of its name",
        ),
        (cookie.attribute("secure").is_some(), "is not Secure"),
        (cookie.attribute("httponly").is_some(), "is not HttpOnly"),
        (
            matches!(same_site.as_str(), "lax" | "strict"),
            "is not SameSite=Lax or Strict",
        ),
        (
            cookie.attribute("path") == Some("/"),
            "has another path than `/`",
        ),
        (
            cookie.attribute("domain").is_none(),
            "is sent to neighbouring hosts (Domain)",
        ),
    ];
    rules
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, fault)| fault)
        .collect()
}

/// Signs the member in, with this cookie planted before (session fixation).
async fn sign_in<'a>(
    looks: &'a Sources,
    planted: Option<(&str, &str)>,
) -> Result<Option<(Visitor<'a>, HttpResponse)>, Error> {
    let (Some(person), Some(at)) = (&looks.person, looks.routes.sign_in()) else {
        return Ok(None);
    };
    let visitor = looks.stranger();
    if let Some((name, value)) = planted {
        visitor.plant(name, value).await;
    }
    let answer = person.sign_in(&visitor, at).await?;
    Ok(Some((visitor, answer)))
}

fn fixation(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some((first, answer)) = sign_in(looks, None).await? else {
            return Ok(Outcome::Unasked(NO_ACCOUNT));
        };
        let mut seen = Vec::new();
        for (name, value) in first.cookies().await {
            // The same length, so that only its origin distinguishes it from a real one.
            let planted = "A".repeat(value.len().max(1));
            let Some((victim, _)) = sign_in(looks, Some((&name, &planted))).await? else {
                continue;
            };
            if !victim
                .cookies()
                .await
                .contains(&(name.clone(), planted.clone()))
            {
                continue;
            }
            let attacker = looks.stranger();
            attacker.plant(&name, &planted).await;
            // A cookie that stays may be a preference. It is the session if it opens a page; without such a page, it is the
            // cookie that the sign-in sets.
            let set_at_sign_in = || answer.cookies().any(|cookie| cookie.name == name);
            if looks
                .is_let_in(&attacker)
                .await?
                .unwrap_or_else(set_at_sign_in)
            {
                let what =
                    format!("the planted cookie `{name}` lets the attacker in with the victim");
                seen.push(Evidence::new(what, &answer.place));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn outlive_sign_out(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(visitor) = looks.member().await? else {
            return Ok(Outcome::Unasked(NO_ACCOUNT));
        };
        let Some((inside, out)) = page_with_sign_out(looks, &visitor).await? else {
            return Ok(Outcome::Unasked(
                "no page for signed-in users has a form to sign out",
            ));
        };
        let thief = visitor.copy().await;
        let Some(fields) = visitor.open_form(&inside, &out).await? else {
            return Ok(Outcome::Unasked("the form to sign out no longer exists"));
        };
        visitor.submit(&out, &fields).await?;
        let answer = thief.ask(Ask::get(&inside)).await?;
        let seen = answer.is_success().then(|| {
            Evidence::new(
                "a cookie from before signing out still lets in",
                &answer.place,
            )
        });
        Ok(Outcome::Seen(seen.into_iter().collect()))
    })
}

/// A page for signed-in users with the form to sign out: the page's target and the form's.
async fn page_with_sign_out(
    looks: &Sources,
    visitor: &Visitor<'_>,
) -> Result<Option<(String, String)>, Error> {
    let Some(out) = looks.routes.sign_out().map(|route| route.target()) else {
        return Ok(None);
    };
    let inside = looks.routes.all().iter().filter(|route| {
        route.access == RouteAccess::SignedIn && route.method == "GET" && !route.has_parameter()
    });
    for route in inside {
        if visitor.open_form(&route.path, &out).await?.is_some() {
            return Ok(Some((route.path.clone(), out)));
        }
    }
    Ok(None)
}
