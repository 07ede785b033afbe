use dewar::audit::{Practice, Severity};
use dewar::https::{HeaderRule, REMOVED, Requirement, TABLE, When};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, HttpResponse, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "https-plain",
        word: Practice::Https,
        severity: Severity::High,
        what: "plain HTTP redirects to the same host by HTTPS, and takes no form",
        why: "an attacker on the network reads and changes unencrypted traffic",
        fix: "answer plain HTTP with 301 to the same host, and anything but GET and HEAD with 403",
        cwe: Some(319),
        asvs: &["4.1.2", "12.2.1"],
        look: plain,
    },
    Check {
        id: "https-headers",
        word: Practice::Https,
        severity: Severity::Medium,
        what: "every response, errors too, has the security headers",
        why: "another site can frame, sniff, cache or load a response without them",
        fix: "send the headers of `dewar::https::TABLE` with every response, the outermost layer last",
        cwe: Some(693),
        asvs: &["3.4.4", "3.4.5", "3.4.8", "3.5.8", "14.3.2"],
        look: headers,
    },
    Check {
        id: "https-csp",
        word: Practice::Https,
        severity: Severity::Medium,
        what: "every response has a content security policy that starts from nothing and runs no inline script",
        why: "one injection in a template is enough to run a script in every visitor's browser",
        fix: "default-src 'none', script-src with a nonce that is new in every response, base-uri and frame-ancestors 'none'",
        cwe: Some(1021),
        asvs: &["3.4.3", "3.4.6"],
        look: policy,
    },
    Check {
        id: "https-hsts",
        word: Practice::Https,
        severity: Severity::Medium,
        what: "Strict-Transport-Security holds for a year, for sub-domains too; a host that is this machine sends none",
        why: "the first request of a visit travels in clear; on localhost it would outlive this application for all others",
        fix: "Strict-Transport-Security: max-age=63072000; includeSubDomains",
        cwe: Some(523),
        asvs: &["3.4.1"],
        look: strict_transport,
    },
    Check {
        id: "https-reveals",
        word: Practice::Https,
        severity: Severity::Low,
        what: "no header names the server's software",
        why: "an attacker who looks for vulnerable servers finds this one in a list",
        fix: "remove Server, X-Powered-By and similar headers from every response",
        cwe: Some(200),
        asvs: &["13.4.6"],
        look: reveals,
    },
    Check {
        id: "https-host",
        word: Practice::Https,
        severity: Severity::High,
        what: "a request for a host that is not the application's is refused",
        why: "links in mail and cached pages contain a host that the attacker chose",
        fix: "keep a list of hosts and answer others with 421",
        cwe: Some(644),
        asvs: &["4.1.3"],
        look: unknown_host,
    },
    Check {
        id: "https-charset",
        word: Practice::Https,
        severity: Severity::Low,
        what: "every text response declares its charset",
        why: "a browser that guesses another charset may read text as markup",
        fix: "Content-Type: text/html; charset=utf-8",
        cwe: Some(173),
        asvs: &["4.1.1"],
        look: charset,
    },
];

fn plain(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        if !looks.answers.has_plain() {
            return Ok(Outcome::Unasked(
                "no address for plain HTTP was given (--plain http://…)",
            ));
        }
        let mut seen = Vec::new();
        let answer = looks.answers.ask(Ask::get("/zq9?zq9=1").plain()).await?;
        let to = answer.header("location");
        let there = format!("{}/zq9?zq9=1", looks.answers.origin());
        if !answer.is_redirect() {
            seen.push(Evidence::new(
                format!("plain HTTP answers {} itself", answer.status),
                &answer.place,
            ));
        } else if to != there {
            seen.push(Evidence::new(
                format!("plain HTTP redirects to `{to}` instead of `{there}`"),
                &answer.place,
            ));
        }
        if answer.cookies().next().is_some() {
            seen.push(Evidence::new("plain HTTP sets a cookie", &answer.place));
        }
        let sent = looks
            .answers
            .ask(Ask::new("POST", "/").form([("password", "zq9")]).plain())
            .await?;
        if sent.status < 400 {
            seen.push(Evidence::new(
                format!("an unencrypted form is answered by {}", sent.status),
                &sent.place,
            ));
        }
        let foreign = Ask::get("/").header("host", "evil.example").plain();
        let answer = looks.answers.ask(foreign).await?;
        if answer.header("location").contains("evil.example") {
            seen.push(Evidence::new(
                "plain HTTP redirects to a host that the attacker named",
                &answer.place,
            ));
        }
        Ok(Outcome::Seen(seen))
    })
}

fn headers(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            let faults = TABLE.iter().filter_map(|rule| header_fault(rule, answer));
            seen.extend(faults.map(|fault| Evidence::new(fault, &answer.place)));
            let cached = answer.header_whole("cache-control").to_ascii_lowercase();
            if answer.is_page() && !cached.contains("no-store") {
                seen.push(Evidence::new(
                    "a page may be kept in caches (no `cache-control: no-store`)",
                    &answer.place,
                ));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

/// The problem of one header. The table also knows the values that are right on sites of another framework.
fn header_fault(rule: &HeaderRule, answer: &HttpResponse) -> Option<String> {
    let name = &rule.name;
    let (Requirement::OneOf(values), When::Always) = (rule.taken, rule.when) else {
        return None;
    };
    // Browsers join a repeated header, and the result is neither value.
    let value = answer.header_whole(name.as_str()).to_ascii_lowercase();
    if value.is_empty() {
        Some(format!("no `{name}`"))
    } else if values.contains(&value.as_str()) {
        None
    } else {
        Some(format!(
            "`{name}: {value}` instead of {}",
            values.join(" or ")
        ))
    }
}

fn policy(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let walked = looks.walk().await?;
        let mut seen = Vec::new();
        let mut nonces: Vec<&str> = Vec::new();
        for answer in walked {
            let policy = answer.header("content-security-policy");
            seen.extend(
                policy_faults(policy)
                    .into_iter()
                    .map(|fault| Evidence::new(fault, &answer.place)),
            );
            if let Some((_, rest)) = policy.split_once("'nonce-") {
                let nonce = rest.split('\'').next().unwrap_or_default();
                if nonces.contains(&nonce) {
                    seen.push(Evidence::new("the policy's nonce repeats", &answer.place));
                }
                if nonce.len() < 22 {
                    seen.push(Evidence::new(
                        "the nonce has fewer than 128 bits",
                        &answer.place,
                    ));
                }
                nonces.push(nonce);
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn policy_faults(policy: &str) -> Vec<String> {
    if policy.is_empty() {
        return vec!["no `content-security-policy`".to_owned()];
    }
    let directives: Vec<(&str, Vec<&str>)> = policy
        .split(';')
        .filter_map(|directive| {
            let mut words = directive.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect();
    let sources = |name: &str| {
        directives
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, sources)| sources.as_slice())
    };
    let mut faults = Vec::new();
    if sources("default-src") != Some(&["'none'"]) {
        faults.push("the policy does not start from `default-src 'none'`".to_owned());
    }
    for name in ["base-uri", "frame-ancestors"] {
        if !matches!(sources(name), Some(["'none'" | "'self'"])) {
            faults.push(format!("the policy has no `{name} 'none'`"));
        }
    }
    for (name, sources) in &directives {
        for source in sources.iter().filter(|source| is_open(name, source)) {
            faults.push(format!("the policy allows {source} in {name}"));
        }
    }
    faults
}

/// Whether a source lets an injected script, style or object in.
fn is_open(directive: &str, source: &str) -> bool {
    let runs = matches!(
        directive,
        "default-src"
            | "script-src"
            | "style-src"
            | "object-src"
            | "script-src-elem"
            | "style-src-elem"
    );
    let open = [
        "'unsafe-inline'",
        "'unsafe-eval'",
        "'unsafe-hashes'",
        "data:",
        "blob:",
        "http:",
        "https:",
        "*",
    ];
    runs && open.contains(&source)
}

fn strict_transport(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            if let Some(fault) = strict_transport_fault(answer, looks.answers.is_loopback()) {
                seen.push(Evidence::new(fault, &answer.place));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn strict_transport_fault(answer: &HttpResponse, is_loopback: bool) -> Option<&'static str> {
    // Two of them count as none (RFC 6797, 8.1), and joined they do not parse.
    let value = answer
        .header_whole("strict-transport-security")
        .to_ascii_lowercase();
    let age = value
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
    match (is_loopback, age) {
        (true, Some(_)) => Some("Strict-Transport-Security is sent for this machine's own name"),
        (true, None) => None,
        (false, None) => Some("no Strict-Transport-Security"),
        (false, Some(age)) if age < 31_536_000 => {
            Some("Strict-Transport-Security holds for less than a year")
        }
        (false, Some(_)) if !value.contains("includesubdomains") => {
            Some("Strict-Transport-Security leaves sub-domains out")
        }
        (false, Some(_)) => None,
    }
}

fn reveals(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            let named = REMOVED
                .iter()
                .filter(|name| answer.headers.contains_key(*name));
            seen.extend(
                named.map(|name| {
                    Evidence::new(format!("the header `{name}` is sent"), &answer.place)
                }),
            );
        }
        Ok(Outcome::Seen(seen))
    })
}

fn unknown_host(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for host in [
            "evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
        ] {
            let answer = looks
                .answers
                .ask(Ask::get("/").header("host", host))
                .await?;
            if answer.status < 400 {
                let what = format!(
                    "a request for the host `{host}` is answered by {}",
                    answer.status
                );
                seen.push(Evidence::new(what, &answer.place));
            }
        }
        let forwarded = Ask::get(looks.sign_in_path()).header("x-forwarded-host", "evil.example");
        let answer = looks.answers.ask(forwarded).await?;
        if answer.text().contains("evil.example")
            || answer.header("location").contains("evil.example")
        {
            seen.push(Evidence::new(
                "a stranger's X-Forwarded-Host is accepted",
                &answer.place,
            ));
        }
        Ok(Outcome::Seen(seen))
    })
}

fn charset(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            let kind = answer.header("content-type").to_ascii_lowercase();
            if kind.starts_with("text/") && !kind.contains("charset=utf-8") {
                seen.push(Evidence::new(
                    format!("`{kind}` declares no charset"),
                    &answer.place,
                ));
            }
            if kind.is_empty() && !answer.body.is_empty() {
                seen.push(Evidence::new(
                    "a body without a content type",
                    &answer.place,
                ));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    #[test]
    fn the_frameworks_own_policies_have_no_fault() {
        for rule in TABLE
            .iter()
            .filter(|rule| rule.name == "content-security-policy")
        {
            assert_eq!(
                policy_faults(rule.value.to_str().unwrap()),
                Vec::<String>::new()
            );
        }
    }

    #[test]
    fn a_policy_with_a_hole_is_seen() {
        let full = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
        assert_eq!(policy_faults(full), Vec::<String>::new());
        for hole in [
            "",
            "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
            "default-src 'none'; frame-ancestors 'none'",
            "default-src 'none'; base-uri 'none'",
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src 'unsafe-inline'",
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; script-src https:",
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'self' 'unsafe-inline'",
        ] {
            assert_eq!(policy_faults(hole).len(), 1, "{hole}");
        }
    }

    #[test]
    fn strict_transport_is_for_hosts_that_others_reach() {
        let fault = |value: &'static str, is_loopback| {
            let mut headers = HeaderMap::new();
            if !value.is_empty() {
                headers.insert("strict-transport-security", value.parse().unwrap());
            }
            let answer = HttpResponse {
                place: String::new(),
                status: 200,
                headers,
                body: Bytes::new(),
            };
            strict_transport_fault(&answer, is_loopback).is_some()
        };
        assert!(!fault("max-age=63072000; includeSubDomains", false));
        for wrong in [
            "",
            "max-age=10; includeSubDomains",
            "max-age=63072000",
            "includeSubDomains",
        ] {
            assert!(fault(wrong, false), "{wrong}");
        }
        assert!(fault("max-age=63072000; includeSubDomains", true));
        assert!(!fault("", true));
    }
}
