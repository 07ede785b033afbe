use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn sent(set: &[(&str, &str)], to: &str) -> Option<String> {
    let mut jar = Jar::default();
    for (from, cookie) in set {
        jar.receive(cookie, &url(from));
    }
    jar.header(&url(to), Setting::SameSite)
}

const AT: &str = "https://a.example/docs/list";

#[test]
fn a_host_cookie_must_keep_all_its_promises() {
    for refused in [
        "__Host-s=1; Path=/",
        "__Host-s=1; Secure; Path=/docs",
        "__Host-s=1; Secure", // the default path is /docs
        "__Host-s=1; Secure; Path=/; Domain=a.example",
        "__hOsT-s=1; Path=/",
        "__Secure-s=1",
        "s=1; SameSite=None",
        "s=\u{1}; Path=/",
        "nameless",
        "=1",
    ] {
        assert_eq!(sent(&[(AT, refused)], AT), None, "{refused}");
    }
    let kept = sent(&[(AT, "__Host-s=1; Secure; Path=/; HttpOnly")], AT);
    assert_eq!(kept.as_deref(), Some("__Host-s=1"));
}

#[test]
fn a_secure_cookie_neither_comes_from_nor_goes_to_plain_http() {
    assert_eq!(
        sent(
            &[("http://a.example/", "s=1; Secure")],
            "https://a.example/"
        ),
        None
    );
    assert_eq!(
        sent(
            &[("https://a.example/", "s=1; Secure")],
            "http://a.example/"
        ),
        None
    );
    let overlaid = [
        ("https://a.example/", "s=1; Secure"),
        ("http://a.example/", "s=evil"),
    ];
    assert_eq!(
        sent(&overlaid, "https://a.example/").as_deref(),
        Some("s=1")
    );
}

#[test]
fn the_path_decides_and_the_longer_one_comes_first() {
    let set = [(AT, "a=1; Path=/"), (AT, "b=2"), (AT, "c=3; Path=/doc")];
    assert_eq!(sent(&set, AT).as_deref(), Some("b=2; a=1"));
    assert_eq!(
        sent(&set, "https://a.example/docs").as_deref(),
        Some("b=2; a=1")
    );
    assert_eq!(
        sent(&set, "https://a.example/docsx").as_deref(),
        Some("a=1")
    );
}

#[test]
fn only_a_domain_attribute_reaches_subdomains_and_never_a_foreign_one() {
    let set = [(AT, "a=1; Path=/"), (AT, "b=2; Path=/; Domain=.A.example")];
    assert_eq!(sent(&set, "https://x.a.example/").as_deref(), Some("b=2"));
    assert_eq!(sent(&set, "https://nota.example/"), None);
    assert_eq!(sent(&[(AT, "a=1; Domain=b.example")], AT), None);
    assert_eq!(
        sent(
            &[("https://127.0.0.1/", "a=1; Domain=0.0.1")],
            "https://127.0.0.1/"
        ),
        None
    );
}

#[test]
fn max_age_outranks_expires_and_both_end_a_cookie() {
    let past = "a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT";
    assert_eq!(sent(&[(AT, past)], AT), None);
    assert_eq!(sent(&[(AT, "a=1"), (AT, "a=; Max-Age=0")], AT), None);
    let both = format!("{past}; Max-Age=60");
    let mut jar = Jar::default();
    jar.receive(&both, &url(AT));
    assert_eq!(
        jar.header(&url(AT), Setting::SameSite).as_deref(),
        Some("a=1")
    );
    jar.forward(Duration::seconds(61));
    assert_eq!(jar.header(&url(AT), Setting::SameSite), None);
    assert!(jar.live().is_empty());
}

#[test]
fn same_site_decides_what_another_sites_page_can_send() {
    let mut jar = Jar::default();
    for cookie in [
        "s=1; SameSite=Strict",
        "l=2; SameSite=Lax",
        "d=3",
        "n=4; SameSite=None; Secure",
    ] {
        jar.receive(cookie, &url("https://a.example/"));
    }
    let header = |setting| jar.header(&url("https://a.example/"), setting);
    assert_eq!(
        header(Setting::SameSite).as_deref(),
        Some("s=1; l=2; d=3; n=4")
    );
    assert_eq!(
        header(Setting::CrossSiteLink).as_deref(),
        Some("l=2; d=3; n=4")
    );
    assert_eq!(header(Setting::CrossSiteForm).as_deref(), Some("n=4"));
}
