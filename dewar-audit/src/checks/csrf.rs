use dewar::audit::{Clock, Practice, Severity};
use dewar::csrf::signature;

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Error, HttpResponse, ListedRoute, RouteAccess, Sources, Visitor};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "csrf-forged",
        word: Practice::Csrf,
        severity: Severity::High,
        what: "the application refuses a cross-site request, or one without a CSRF token, that changes anything",
        why: "an attacker's page uses the session of every visitor",
        fix: "check Sec-Fetch-Site and Origin of every unsafe request, and then the session's CSRF token",
        cwe: Some(352),
        asvs: &["3.5.1", "3.5.3"],
        look: forged,
    },
    Check {
        id: "csrf-unsigned-webhook",
        word: Practice::Csrf,
        severity: Severity::High,
        what: "the application refuses a webhook request with no signature or a forged one",
        why: "anyone can claim that an invoice was paid",
        fix: "mount it under `.webhook(WebhookAuth::hmac(…), …)`",
        cwe: Some(345),
        asvs: &["4.1.5"],
        look: unsigned,
    },
    Check {
        id: "csrf-webhook-closed",
        word: Practice::Csrf,
        severity: Severity::Medium,
        what: "the application accepts a signed webhook request without a browser's headers",
        why: "developers soon replace a webhook that nobody can call; if it refuses every request, refusing an unsigned one proves nothing",
        fix: "exempt the webhook from the checks for browsers, and let its signature decide",
        cwe: None,
        asvs: &["4.1.5"],
        look: signed,
    },
    Check {
        id: "csrf-cors",
        word: Practice::Csrf,
        severity: Severity::High,
        what: "no other origin may read responses",
        why: "an attacker's page reads the visitor's private data",
        fix: "send no Access-Control-Allow-Origin, or a fixed list of origins, never the request's own",
        cwe: Some(942),
        asvs: &["3.4.2"],
        look: cross_origin,
    },
    Check {
        id: "csrf-get-changes",
        word: Practice::Csrf,
        severity: Severity::Medium,
        what: "a route that takes a form takes it by POST only",
        why: "a link or the address of an image is enough to send it",
        fix: "mount it with `post`; a form that changes something has `method=post`",
        cwe: Some(650),
        asvs: &["3.5.3"],
        look: get_changes,
    },
];

/// The headers of cross-site requests, each with its name in a report.
const FORGERIES: [(&str, &[(&str, &str)]); 5] = [
    (
        "from another site",
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
    ),
    (
        "from another site without an origin",
        &[("sec-fetch-site", "cross-site")],
    ),
    (
        "from another origin in an old browser",
        &[("origin", "https://evil.example")],
    ),
    (
        "from a neighbouring site",
        &[("sec-fetch-site", "same-site")],
    ),
    ("with the origin `null`", &[("origin", "null")]),
];

fn forged(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let guarded: Vec<&ListedRoute> = looks
            .routes
            .all()
            .iter()
            .filter(|route| {
                route.is_unsafe()
                    && !route.is_webhook()
                    && !route.takes_token()
                    && !route.is_for_reports()
                    && !route.is_unsubscribe()
            })
            .collect();
        if guarded.is_empty() {
            return Ok(Outcome::Unasked(
                "the route table has no route that changes anything",
            ));
        }
        let mut seen = Vec::new();
        for route in guarded {
            attack(looks, route, &looks.stranger(), &mut seen).await?;
            if route.access != RouteAccess::Public
                && let Some(member) = looks.member().await?
            {
                attack(looks, route, &member, &mut seen).await?;
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

async fn attack(
    looks: &Sources,
    route: &ListedRoute,
    visitor: &Visitor<'_>,
    seen: &mut Vec<Evidence>,
) -> Result<(), Error> {
    // The attacker has seen the form: the request has the visitor's session, and no valid token.
    for (how, headers) in FORGERIES {
        let ask = headers
            .iter()
            .fold(filled(route), |ask, (name, value)| ask.header(name, value));
        judge(looks, route, &visitor.ask(ask).await?, how, seen);
    }
    let own = || filled(route).by_own_page(&looks.answers.origin());
    judge(
        looks,
        route,
        &visitor.ask(own()).await?,
        "without a token",
        seen,
    );
    let made_up = "A".repeat(86);
    let ask = own().header("x-csrf-token", &made_up);
    judge(
        looks,
        route,
        &visitor.ask(ask).await?,
        "with a forged token",
        seen,
    );
    Ok(())
}

/// The route's form with a value in each field.
fn filled(route: &ListedRoute) -> Ask {
    let fields = route.form.iter().flat_map(|form| &form.fields);
    Ask::new(&route.method, route.target())
        .form(fields.map(|field| (field.name.as_str(), "zq9@example.org")))
}

/// 400 counts as a refusal, because several frameworks answer that for a missing token. So does 404 if the path names a record:
/// the forgery then has nothing to change.
fn judge(
    looks: &Sources,
    route: &ListedRoute,
    answer: &HttpResponse,
    how: &str,
    seen: &mut Vec<Evidence>,
) {
    let sent_to_sign_in = answer.is_redirect()
        && answer.local_location(&looks.answers.origin()) == Some(looks.sign_in_path());
    let names_nothing = route.has_parameter() && answer.status == 404;
    let refused = matches!(answer.status, 400 | 401 | 403 | 429);
    if !refused && !sent_to_sign_in && !names_nothing {
        seen.push(Evidence::new(
            format!("a request {how} is answered by {}", answer.status),
            &answer.place,
        ));
    }
}

fn unsigned(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let hooks: Vec<&ListedRoute> = looks
            .routes
            .all()
            .iter()
            .filter(|route| route.is_webhook())
            .collect();
        if hooks.is_empty() {
            return Ok(Outcome::Unasked("the route table has no webhook"));
        }
        let mut seen = Vec::new();
        for route in hooks {
            for (ask, how) in unproved(route) {
                let answer = looks.answers.ask(ask).await?;
                if !matches!(answer.status, 400 | 401 | 403) {
                    seen.push(Evidence::new(
                        format!("a webhook request {how} is answered by {}", answer.status),
                        &answer.place,
                    ));
                }
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

/// Requests without a valid signature of a sender.
fn unproved(route: &ListedRoute) -> [(Ask, &'static str); 4] {
    let made_up = "0".repeat(64);
    [
        (delivery(route), "without a signature"),
        (
            delivery(route).header("x-signature", &format!("t=1,v2={made_up}")),
            "with a forged signature",
        ),
        (
            delivery(route).header("x-hub-signature-256", &format!("sha256={made_up}")),
            "with a forged signature as GitHub writes it",
        ),
        (
            delivery(route).header("stripe-signature", &format!("t=1,v1={made_up}")),
            "with a forged signature as Stripe writes it",
        ),
    ]
}

fn delivery(route: &ListedRoute) -> Ask {
    Ask::new(&route.method, route.target()).body("application/json", "{\"zq9\": 1}")
}

/// Whether a program's request reaches the signature check. If the sender's key is available, one signed request shows that; its
/// body is empty, so that a handler has nothing to do. Without the key, an unsigned request shows it: the CSRF check stops
/// programs if it refuses the request of a program, and not the same request of the application's own page.
fn signed(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let hooks = looks.routes.all().iter().filter(|route| route.is_webhook());
        let (mut asked, mut seen) = (false, Vec::new());
        for route in hooks {
            asked = true;
            let bare = looks.answers.ask(delivery(route)).await?;
            let own = delivery(route).by_own_page(&looks.answers.origin());
            let own = looks.answers.ask(own).await?;
            if bare.status == 403 && own.status != 403 {
                let what = format!(
                    "a webhook request is answered by {} if a browser sends it, and refused if a program sends it",
                    own.status
                );
                seen.push(Evidence::new(what, &bare.place));
            }
            let Some(key) = looks.webhook_key(route)? else {
                continue;
            };
            let target = route.target();
            let line = signature(key.expose(), Clock::system().now(), &target, b"");
            let ask = Ask::new(&route.method, target).header("x-signature", &line);
            let answer = looks.answers.ask(ask).await?;
            if matches!(answer.status, 401 | 403) {
                let what = format!("a signed webhook request is answered by {}", answer.status);
                seen.push(Evidence::new(what, &answer.place));
            }
        }
        if asked {
            Ok(Outcome::Seen(seen))
        } else {
            Ok(Outcome::Unasked("the route table has no webhook"))
        }
    })
}

fn cross_origin(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for route in looks.routes.public_pages() {
            for ask in [
                Ask::get(route.target()).header("origin", "https://evil.example"),
                Ask::new("OPTIONS", route.target())
                    .header("origin", "https://evil.example")
                    .header("access-control-request-method", "POST"),
            ] {
                let answer = looks.answers.ask(ask).await?;
                let allowed = answer.header("access-control-allow-origin");
                if matches!(allowed, "*" | "null" | "https://evil.example") {
                    seen.push(Evidence::new(
                        format!("any origin may read responses (`{allowed}`)"),
                        &answer.place,
                    ));
                }
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn get_changes(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let unsafe_alone = looks.routes.all().iter().filter(|route| {
            route.is_unsafe() && !route.is_webhook() && !looks.routes.has("GET", &route.path)
        });
        let mut seen = Vec::new();
        for route in unsafe_alone {
            let answer = looks.answers.ask(Ask::get(route.target())).await?;
            let sent_to_sign_in = answer.is_redirect()
                && answer.local_location(&looks.answers.origin()) == Some(looks.sign_in_path());
            if answer.status < 400 && !sent_to_sign_in {
                let what = format!(
                    "a route for {} only answers a GET by {}",
                    route.method, answer.status
                );
                seen.push(Evidence::new(what, &answer.place));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}
