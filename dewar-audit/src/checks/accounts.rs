use dewar::audit::{Practice, Severity};
use dewar::secrets::Token;

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Error, HttpResponse, ListedRoute, Sources, forms, try_to_sign_in};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "accounts-tell",
        word: Practice::Accounts,
        severity: Severity::Medium,
        what: "signing in fails alike, whether or not there is such an account",
        why: "an attacker learns which addresses have an account, and tries passwords only there",
        fix: "one sentence and one status for all failures, and a password hash even for an unknown account",
        cwe: Some(204),
        asvs: &["6.3.8"],
        look: tell,
    },
    Check {
        id: "accounts-password-in-address",
        word: Practice::Accounts,
        severity: Severity::High,
        what: "passwords are sent in a body",
        why: "histories, logs and the next site's referrer store addresses",
        fix: "`<form method=\"post\">`",
        cwe: Some(598),
        asvs: &["14.2.1"],
        look: in_address,
    },
    Check {
        id: "accounts-sign-out-by-link",
        word: Practice::Accounts,
        severity: Severity::Low,
        what: "no link signs a user out",
        why: "an image on another site's page signs every visitor out",
        fix: "mount it with `post`, and show a button with a token",
        cwe: Some(352),
        asvs: &["3.5.3"],
        look: sign_out_by_link,
    },
    Check {
        id: "accounts-unthrottled",
        word: Practice::Accounts,
        severity: Severity::High,
        what: "an account that is tried many times in a row is not tried on",
        why: "a program guesses a thousand passwords a minute",
        fix: "count failures of an account and of an address apart, and make each further try wait",
        cwe: Some(307),
        asvs: &["6.3.1"],
        look: unthrottled,
    },
];

/// More failures than a person causes in a minute by mistyping.
const TRIES: usize = 30;

const NO_SIGN_IN: &str = "the route table has no public form to sign in";

/// An address without an account.
fn nobody() -> String {
    let name: String = Token::new()
        .reveal()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    format!("{}@audit.example", name.to_ascii_lowercase())
}

fn tell(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(at) = looks.routes.sign_in() else {
            return Ok(Outcome::Unasked(NO_SIGN_IN));
        };
        let mut faces = Vec::new();
        let strangers = [nobody(), nobody()];
        // With an existing account, this compares the same responses as an attacker.
        let known = looks
            .person
            .as_ref()
            .map(|person| person.email().to_owned());
        for email in strangers.into_iter().chain(known) {
            faces.push(face(looks, at, &email).await?);
        }
        if faces.iter().any(|(status, _)| matches!(status, 429 | 503)) {
            return Ok(Outcome::Unasked(
                "the application rate-limits this address already; try again later",
            ));
        }
        let mut seen = Vec::new();
        let mut others = faces.iter().skip(1);
        if let Some(first) = faces.first()
            && others.any(|other| other != first)
        {
            seen.push(Evidence::new(
                "signing in fails in different ways for different accounts",
                format!("POST {}", at.path),
            ));
        }
        Ok(Outcome::Seen(seen))
    })
}

/// A response without the parts that may differ: the typed address, and random texts.
async fn face(looks: &Sources, at: &ListedRoute, email: &str) -> Result<(u16, String), Error> {
    let answer = try_to_sign_in(&looks.stranger(), at, email, "not the password of anyone").await?;
    Ok((answer.status, without_random(&answer, email)))
}

fn without_random(answer: &HttpResponse, email: &str) -> String {
    let text = answer
        .text()
        .replace(email, "…")
        .replace(&email.replace('@', "&#64;"), "…");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut shape = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_word) {
        let (between, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        shape.push_str(between);
        // A token, a nonce, a request id: long, with a digit or a capital in it.
        let is_random = word.len() >= 16
            && word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        shape.push_str(if is_random { "…" } else { word });
        rest = after;
    }
    shape + rest
}

fn in_address(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await?.iter().filter(|answer| answer.is_page()) {
            if forms(&answer.text())
                .iter()
                .any(|form| form.takes_password && form.method != "post")
            {
                seen.push(Evidence::new(
                    "a form sends a password in the address",
                    &answer.place,
                ));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn sign_out_by_link(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(out) = looks.routes.sign_out() else {
            return Ok(Outcome::Unasked(
                "the route table has no address to sign out",
            ));
        };
        let answer = looks.answers.ask(Ask::get(out.target())).await?;
        let takes_away = answer.cookies().any(|cookie| cookie.removes());
        let mounted =
            looks.routes.has("GET", &out.path) && answer.status < 400 && !answer.is_page();
        let seen = (takes_away || mounted).then(|| {
            Evidence::new(
                format!("a link signs out ({})", answer.status),
                &answer.place,
            )
        });
        Ok(Outcome::Seen(seen.into_iter().collect()))
    })
}

fn unthrottled(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(at) = looks.routes.sign_in() else {
            return Ok(Outcome::Unasked(NO_SIGN_IN));
        };
        let email = nobody();
        for _ in 0..TRIES {
            let answer =
                try_to_sign_in(&looks.stranger(), at, &email, "not the password of anyone").await?;
            if matches!(answer.status, 429 | 503) {
                return Ok(Outcome::Seen(Vec::new()));
            }
        }
        let what = format!("{TRIES} wrong passwords in a row are all looked at");
        Ok(Outcome::Seen(vec![Evidence::new(
            what,
            format!("POST {}", at.path),
        )]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn what_may_differ_is_left_out_and_nothing_else() {
        let shape = |body: &'static str, email: &str| {
            let answer = HttpResponse {
                place: String::new(),
                status: 422,
                headers: HeaderMap::new(),
                body: body.into(),
            };
            without_random(&answer, email)
        };
        let one = shape(
            "a@b.example: no. <input value=\"Aq8-xY_7890123456789012\">",
            "a@b.example",
        );
        let other = shape(
            "c@d.example: no. <input value=\"Zz1_ab-4890123456789099\">",
            "c@d.example",
        );
        assert_eq!(one, other);
        assert_ne!(
            one,
            shape(
                "c@d.example: unknown. <input value=\"Zz1_ab-4890123456789099\">",
                "c@d.example"
            )
        );
    }
}
