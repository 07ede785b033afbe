use super::*;

fn answer(kind: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let all: Vec<&str> = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(all.len() <= 1, "{name} is sent {} times", all.len());
    all.concat()
}

#[test]
fn the_policy_that_is_sent_is_the_one_in_the_table() {
    let nonce = Nonce::new();
    let mut headers = answer("text/html");
    apply(&mut headers, Some(&nonce), Transport::Certificate, None);
    let documented = TABLE.iter().find(|rule| rule.when == When::Html).unwrap();
    let documented = documented
        .value
        .to_str()
        .unwrap()
        .replace("{nonce}", nonce.as_str());
    assert_eq!(text(&headers, "content-security-policy"), documented);
}

/// XHTML runs scripts as HTML does; any other type is no page.
#[test]
fn every_kind_of_page_gets_the_policy_of_pages() {
    let nonce = Nonce::new();
    for (kind, is_page) in [
        ("text/html", true),
        ("TEXT/HTML; charset=utf-8", true),
        ("application/xhtml+xml", true),
        ("image/svg+xml", false),
        ("text/plain", false),
    ] {
        let mut headers = answer(kind);
        apply(&mut headers, Some(&nonce), Transport::Certificate, None);
        let policy = text(&headers, "content-security-policy");
        assert_eq!(policy.contains(nonce.as_str()), is_page, "{kind}");
        assert_eq!(policy.contains("sandbox"), !is_page, "{kind}");
    }
}

#[test]
fn a_handler_cannot_weaken_a_header() {
    let mut headers = answer("text/html; charset=utf-8");
    for rule in &TABLE {
        if rule.when != When::Default {
            headers.append(&rule.name, HeaderValue::from_static("weak"));
            headers.append(&rule.name, HeaderValue::from_static("weaker"));
        }
    }
    for name in &REMOVED {
        headers.append(name, HeaderValue::from_static("dewar/1"));
    }
    let transports = [
        Transport::Certificate,
        Transport::CertificatePreload,
        Transport::LocalAuthority,
        Transport::Plain,
    ];
    for transport in transports {
        let mut headers = headers.clone();
        apply(&mut headers, Some(&Nonce::new()), transport, None);
        for (name, value) in &headers {
            assert!(
                !value.to_str().unwrap().contains("weak"),
                "{name} is {value:?}"
            );
        }
        assert!(REMOVED.iter().all(|name| !headers.contains_key(name)));
    }
}

#[test]
fn strict_transport_security_is_sent_only_with_a_real_certificate() {
    let sent = |transport| {
        let mut headers = answer("text/html");
        apply(&mut headers, None, transport, None);
        text(&headers, "strict-transport-security")
    };
    assert_eq!(
        sent(Transport::Certificate),
        "max-age=63072000; includeSubDomains"
    );
    assert_eq!(
        sent(Transport::CertificatePreload),
        "max-age=63072000; includeSubDomains; preload"
    );
    assert_eq!(sent(Transport::LocalAuthority), "");
    assert_eq!(sent(Transport::Plain), "");
}

#[test]
fn what_is_not_a_page_can_do_nothing() {
    for kind in [
        "application/json",
        "image/svg+xml",
        "text/plain",
        "text/htm",
        "application/pdf",
    ] {
        let mut headers = answer(kind);
        apply(
            &mut headers,
            Some(&Nonce::new()),
            Transport::Certificate,
            None,
        );
        let policy = text(&headers, "content-security-policy");
        assert!(
            policy.ends_with("sandbox") && !policy.contains("nonce"),
            "{kind}: {policy}"
        );
    }
    let mut headers = answer("TEXT/HTML");
    apply(
        &mut headers,
        Some(&Nonce::new()),
        Transport::Certificate,
        Some(Inert::new()),
    );
    assert!(text(&headers, "content-security-policy").ends_with("sandbox"));
}

#[test]
fn an_answer_that_says_nothing_is_not_cached() {
    let mut headers = answer("text/css");
    apply(&mut headers, None, Transport::Certificate, None);
    assert_eq!(text(&headers, "cache-control"), "no-store, max-age=0");
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, immutable"),
    );
    apply(&mut headers, None, Transport::Certificate, None);
    assert_eq!(text(&headers, "cache-control"), "public, immutable");
}

#[test]
fn text_has_a_charset() {
    let sent = |kind| {
        let mut headers = answer(kind);
        apply(&mut headers, None, Transport::Certificate, None);
        text(&headers, "content-type")
    };
    assert_eq!(sent("text/css"), "text/css; charset=utf-8");
    assert_eq!(
        sent("text/plain; Charset=us-ascii"),
        "text/plain; Charset=us-ascii"
    );
    assert_eq!(sent("image/png"), "image/png");
}

#[test]
fn every_header_says_why_and_who_asks_for_it() {
    for rule in &TABLE {
        assert!(
            rule.why.len() > 20 && !rule.source.is_empty(),
            "{}",
            rule.name
        );
    }
}

#[test]
fn the_book_prints_the_table() {
    const PAGE: &str = include_str!("../../../../docs/practices/https.md");
    let (_, rest) = PAGE.split_once("<!-- headers -->\n").unwrap();
    let (printed, _) = rest.split_once("<!-- /headers -->").unwrap();
    assert!(
        printed == markdown_table(),
        "put what `cargo run -p portal -- https headers` prints between the marks in docs/practices/https.md:\n{}",
        markdown_table()
    );
}

#[test]
fn the_table_sends_reports_to_where_they_are_taken() {
    let path = crate::https::REPORTS_PATH;
    for name in ["content-security-policy", "reporting-endpoints"] {
        let rule = TABLE
            .iter()
            .find(|rule| rule.name == name && rule.when == When::Html)
            .unwrap();
        assert!(rule.value.to_str().unwrap().contains(path), "{name}");
    }
    let mut headers = answer("application/json");
    headers.insert(
        "reporting-endpoints",
        HeaderValue::from_static("csp=\"//evil.example\""),
    );
    apply(
        &mut headers,
        Some(&Nonce::new()),
        Transport::Certificate,
        None,
    );
    assert!(!headers.contains_key("reporting-endpoints"));
}

#[test]
fn the_auditor_takes_what_the_table_sends() {
    for rule in &TABLE {
        if let Requirement::OneOf(values) = rule.taken {
            let sent = rule.value.to_str().unwrap().to_ascii_lowercase();
            assert!(values.contains(&&*sent), "{}", rule.name);
        }
    }
}
