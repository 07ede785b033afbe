//! Typed text is data, wherever it goes: into the database, a template, a format string, a letter, a number.

use std::fs;
use std::path::Path;

use crate::company::{Portal, document, files_below, hand_in, post, shown, token};

/// ASVS: V1.1.2, V1.3.7, V1.3.10
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_kept_as_typed_and_is_no_markup_template_or_format() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (number, title) in [
        "<b>a</b> &amp; \"b\" 'c'",
        "{{ 7 * 7 }} {% include \"layout.html\" %} {# a #}",
        "%s%n%99999d {0} {title:>99999} ${7*7} $(id)",
        "%3Cb%3E &lt;b&gt; \\u003cb\\u003e",
    ]
    .into_iter()
    .enumerate()
    {
        let path = document(&ada, title).await;
        let rows = portal
            .db()
            .query("SELECT title FROM documents ORDER BY id", []);
        assert_eq!(rows.await.unwrap()[number].get::<String>(0).unwrap(), title);
        for page in [&path, "/documents"] {
            let page = ada.get(page).await;
            assert_eq!(page.status(), 200);
            // The browser reads the typed text: it was escaped once, and at the end.
            let seen = page.texts("h1, td, th, li, a");
            assert!(seen.iter().any(|text| text.contains(title)), "{seen:#?}");
            assert!(page.texts("main b").is_empty(), "{}", page.text());
        }
    }
}

/// ASVS: V1.3.5
#[tokio::test(flavor = "multi_thread")]
async fn formatted_text_runs_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (number, hostile) in [
        "<p>a</p><script>alert(1)</script>",
        "<p onclick=\"alert(1)\">a</p><img src=x onerror=alert(1)>",
        "<p>a <a href=\"javascript:alert(1)\">b</a> <a href=\"data:text/html,x\">c</a></p>",
        "<style>p{background:url(//evil.example)}</style><p style=\"color:red\">a</p>",
        "<svg><script>alert(1)</script></svg><math><mtext><style><img src=x onerror=alert(1)></style></mtext></math><p>a</p>",
        "<p>a</p>[b](javascript:alert(1)) [url=javascript:alert(1)]c[/url] <iframe src=//evil.example></iframe>",
    ]
    .into_iter()
    .enumerate()
    {
        let page = ada.get("/documents/new").await;
        let form = page.form("/documents").fill("title", &format!("Plan {number}"));
        let form = form.fill("description", hostile).file("file", "note.txt", "x\n");
        let answer = ada.submit(form).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let page = ada.get(answer.location().unwrap()).await;
        for selector in [
            "main script:not([src])", "main style", "main svg", "main math", "main iframe", "main img[onerror]",
            "main [onclick]", "main p[style]", "main a[href^='javascript']", "main a[href^='data']",
        ] {
            assert!(page.attribute(selector, "class").is_none() && page.texts(selector).is_empty(), "{selector}: {hostile}");
        }
        assert!(page.texts("main p").iter().any(|text| text.starts_with('a')), "{}", page.text());
    }
}

/// ASVS: V1.3.11
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_typed_becomes_a_header_or_another_letter() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let sign_up = async |name: &str, email: &str| {
        let page = visitor.get("/sign-up").await;
        let form = page
            .form("/sign-up")
            .tamper("name", name)
            .tamper("email", email);
        let form = form.tamper("password", crate::company::PASSWORD);
        visitor.submit(form).await.status().as_u16()
    };
    for email in [
        "a@example.org\r\nBcc: eve@example.org",
        "a@example.org%0d%0aBcc: eve@example.org",
        "a@example.org, eve@example.org",
        "\"a\r\nRCPT TO:<eve@example.org>\"@example.org",
        "a@example.org\u{2028}Bcc: eve@example.org",
        "<eve@example.org>a@example.org",
        "a@example.org\0",
    ] {
        assert_eq!(sign_up("Ada", email).await, 422, "{email:?}");
    }
    assert_eq!(
        sign_up("Ada\r\nBcc: eve@example.org", "a@example.org").await,
        422
    );
    let outbox = portal.data.path().join("outbox");
    assert_eq!(sign_up("Ada", "ada@example.org").await, 303);
    portal.running.dewar().accounts().settle().await;
    let letters = files_below(&outbox);
    assert_eq!(letters.len(), 1);
    let letter = fs::read_to_string(&letters[0]).unwrap();
    assert!(
        letter.contains("To: ada@example.org") && !letter.contains("eve@"),
        "{letter}"
    );
}

/// ASVS: V1.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_does_not_fit_is_refused_and_never_wraps() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    for number in [
        "0",
        "-1",
        "10001",
        "2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551617",
        "1e5",
        "1e99999999999999999999",
        "184467440737095516170e-1",
        "0x1",
        "1.5",
        "1e-1",
        "+1",
    ] {
        let query = format!("{path}?before={}", number.replace('+', "%2b"));
        let fits = ["10001", "2147483648", "9223372036854775807", "1e5"].contains(&number);
        let status = if fits { 200 } else { 400 };
        assert_eq!(ada.get(&query).await.status(), status, "{number}");
        let answer = ada
            .get(&format!("/documents/{number}{}", "0".repeat(4)))
            .await;
        assert_eq!(answer.status(), 404, "{number}");
    }
    // A form accepts every spelling that HTML allows; an address of a record has only one.
    for number in ["1", "1.0", "1e3"] {
        let answer = ada.get(&format!("{path}?before={number}")).await;
        assert_eq!(answer.status(), 200, "{number}");
    }
    for number in ["1.0", "1e0", "01"] {
        let answer = ada.get(&format!("/documents/{number}")).await;
        assert_eq!(answer.status(), 404, "{number}");
    }
    assert_eq!(ada.get(&path).await.status(), 200);
    // The delivered program also checks arithmetic on numbers in range for overflow.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let profiles = fs::read_to_string(root).unwrap();
    let (_, release) = profiles.split_once("[profile.release]").unwrap();
    let release = release.split("\n[").next().unwrap();
    assert!(release.contains("overflow-checks = true"), "{release}");
}

/// ASVS: V1.4.1, V1.4.3
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_nothing_behind() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    let before = portal.everything();
    for _ in 0..10 {
        let page = ada.get("/documents/new").await;
        let form = page.form("/documents").tamper("title", "");
        let form = form.file("file", "note.txt", vec![b'x'; 100_000]);
        assert_eq!(ada.submit(form).await.status(), 422);
        let page = ada.get("/documents/new").await;
        let form = page.form("/documents").fill("title", "Plan");
        let form = form.file("file", "note.txt", vec![b'x'; 100_000]);
        assert_eq!(ada.submit(form.tamper("owner_id", "1")).await.status(), 400);
    }
    let changes_by_itself =
        |line: &&str| !line.starts_with("dewar_sessions") && !line.starts_with("dewar_throttles");
    let after = portal.everything();
    let (before, after): (Vec<&str>, Vec<&str>) = (
        before.lines().filter(changes_by_itself).collect(),
        after.lines().filter(changes_by_itself).collect(),
    );
    assert_eq!(before, after);
    // No line of the workspace is `unsafe`.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
    for member in [
        "dewar",
        "dewar-macros",
        "dewar-audit",
        "portal",
        "bench",
        "test-servers",
    ] {
        assert!(
            read(&format!("{member}/Cargo.toml")).contains("[lints]\nworkspace = true"),
            "{member}"
        );
    }
}

/// ASVS: V1.5.1, V1.5.2, V1.5.3
#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_form_describes_is_made_of_what_is_sent() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let token = token(&ada).await;
    let send = async |kind: &str, body: &str| {
        let request = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin");
        let request = request
            .header("content-type", kind)
            .header("x-csrf-token", &token);
        request
            .body(body.to_owned())
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let entity = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><comment>&b;</comment>";
    for (kind, body) in [
        ("application/xml", entity),
        ("text/xml", entity),
        ("application/xhtml+xml", entity),
        ("application/x-java-serialized-object", "\u{0}sr"),
        (
            "application/x-yaml",
            "comment: !!python/object/apply:os.system [id]",
        ),
        ("application/json; charset=utf-16", "{\"comment\":\"hi\"}"),
    ] {
        assert!([400, 415].contains(&send(kind, body).await), "{kind}");
    }
    for body in [
        r#"{"comment":"hi","$type":"System.Diagnostics.Process"}"#,
        r#"{"comment":{"@class":"java.lang.Runtime"}}"#,
        r#"{"comment":"hi","__proto__":{"author_id":1}}"#,
        r#"{"comment":"hi"} {"comment":"ho"}"#,
        r#"{'comment':'hi'}"#,
        r#"{"comment":"hi",}"#,
        r#"{"comment":"\ud800"}"#,
        "{\"comment\":\"hi\"}\0",
        "\u{feff}{\"comment\":\"hi\"}",
        r#"{"comment":NaN}"#,
    ] {
        assert_eq!(send("application/json", body).await, 400, "{body}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    let version = shown(&ada, &path).await.unwrap();
    let good = format!(r#"{{"comment":"hi","version":"{version}"}}"#);
    assert_eq!(send("application/json", &good).await, 303);
    assert_eq!(post(&ada, &path, "comment=%68%69").await.status(), 303);
    // The same text, whichever way it came.
    let same = "SELECT count(*) FROM comments WHERE body = 'hi'";
    assert_eq!(portal.count(same).await, 2);
}

/// ASVS: V1.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_cannot_be_seen_is_refused_wherever_it_is_typed() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for hidden in [
        '\u{34f}',
        '\u{115f}',
        '\u{17b4}',
        '\u{180b}',
        '\u{2065}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{ffa0}',
        '\u{1d173}',
        '\u{e0100}',
        '\u{e0fff}',
    ] {
        let answer = hand_in(&ada, &format!("Pl{hidden}an"), "note.txt", b"x\n").await;
        assert_eq!(answer.status(), 422, "U+{:04X}", u32::from(hidden));
    }
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    let answer = hand_in(&ada, "Plan \u{2764}\u{fe0f}", "note.txt", b"x\n").await;
    assert_eq!(answer.status(), 303);
}
