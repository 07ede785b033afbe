//! Tokens and their cookies.

use std::collections::HashSet;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use dewar::testing::{Cookie, SameSite};

use super::{COOKIE, is_signed_in, session, thief};
use crate::company::{PASSWORD, Portal, document, files_below, sign_in};

const ADA: &str = "ada@example.org";

/// Session fixation with a session that the server did issue: the attacker's own.
///
/// ASVS: V7.2.4
#[tokio::test]
async fn a_session_of_the_attacker_is_not_taken_over() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let planted = session(&portal.member("eve").await);
    let victim = portal.visitor();
    victim.plant_cookie(COOKIE, planted.value());
    assert!(is_signed_in(&victim).await);
    assert_eq!(sign_in(&victim, ADA, PASSWORD).await.status(), 303);
    assert!(victim.get("/account").await.text().contains(ADA));
    assert_ne!(session(&victim).value(), planted.value());
    // The attacker's session ended too, because the victim's browser signed in over it.
    assert!(!is_signed_in(&thief(&portal, &planted)).await);
}

/// ASVS: V3.3.1, V3.3.2, V3.3.3, V3.3.4, V3.3.5, V7.2.3
#[tokio::test]
async fn every_cookie_goes_to_this_host_over_https_and_to_no_script() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let all = [session(&ada), portal_visitors(&portal).await];
    for cookie in &all {
        assert!(cookie.name().starts_with("__Host-"));
        assert!(cookie.is_secure() && cookie.is_http_only() && cookie.is_host_only());
        assert_eq!((cookie.path(), cookie.same_site()), ("/", SameSite::Lax));
        assert_eq!(
            BASE64URL_NOPAD
                .decode(cookie.value().as_bytes())
                .unwrap()
                .len(),
            32
        );
    }
    // It ends with the browser.
    let answer = sign_in(&ada, ADA, PASSWORD).await;
    let mut lines = answer.headers().get_all("set-cookie").iter();
    let line = lines.find(|line| line.as_bytes().starts_with(COOKIE.as_bytes()));
    let line = line.unwrap().to_str().unwrap().to_lowercase();
    assert!(
        !line.contains("max-age") && !line.contains("expires"),
        "{line}"
    );
    // The flash cookie too, and the header that removes the session cookie.
    let form = ada.get("/account").await.form("/sign-out");
    let answer = ada.submit(form).await;
    let lines: Vec<&str> = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    assert!(!lines.is_empty());
    for line in lines {
        assert!(line.starts_with("__Host-") && line.len() < 4096, "{line}");
        for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.to_lowercase().contains("domain"), "{line}");
    }
}

async fn portal_visitors(portal: &Portal) -> Cookie {
    let visitor = portal.visitor();
    visitor.get("/sign-in").await;
    visitor.cookie("__Host-visitor").unwrap()
}

/// Somebody who reads the database, a backup of it or the log cannot use anybody's session.
///
/// ASVS: V7.2.2, V7.2.3, V16.2.5
#[tokio::test]
async fn no_file_of_the_portal_holds_a_token_or_a_password() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let visitors = portal_visitors(&portal).await;
    document(&ada, "Plan").await;
    portal.running.dewar().log().flush().await;
    let token = session(&ada).value().to_owned();
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
    let hex = HEXLOWER.encode(&bytes);
    let needles = [
        token.as_bytes(),
        &bytes,
        hex.as_bytes(),
        visitors.value().as_bytes(),
        PASSWORD.as_bytes(),
    ];
    let files = files_below(portal.data.path());
    assert!(
        files
            .iter()
            .any(|file| file.ends_with("database.sqlite-wal"))
    );
    let mut read = String::new();
    for file in files {
        let content = std::fs::read(&file).unwrap();
        for needle in needles {
            let found = content.windows(needle.len()).any(|part| part == needle);
            assert!(!found, "{} holds a token or a password", file.display());
        }
        read.push_str(&String::from_utf8_lossy(&content));
    }
    // Proves that the search was complete: the user is in the files.
    assert!(read.contains(ADA));
}

/// ASVS: V7.2.3, V11.5.1
#[tokio::test]
async fn tokens_do_not_resemble_each_other() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let mut tokens = HashSet::new();
    for _ in 0..6 {
        sign_in(&ada, ADA, PASSWORD).await;
        let token = BASE64URL_NOPAD
            .decode(session(&ada).value().as_bytes())
            .unwrap();
        for other in &tokens {
            let alike = token
                .iter()
                .zip::<&Vec<u8>>(other)
                .filter(|(one, two)| one == two)
                .count();
            assert!(alike < 8, "{alike} of 32 bytes are the same");
        }
        tokens.insert(token);
    }
}

/// A token with a changed bit, cut short, extended, empty, or with bytes that break parsers.
///
/// ASVS: V7.2.1, V7.2.3
#[tokio::test]
async fn a_token_that_is_nearly_right_is_wrong() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let token = session(&ada).value().to_owned();
    let mut bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
    bytes[31] ^= 1;
    let changed = BASE64URL_NOPAD.encode(&bytes);
    let short = token.chars().skip(1).collect::<String>();
    let long = "A".repeat(3000);
    let twice = format!("{token}{token}");
    let quoted = format!("\"{token}\"");
    let values = [
        changed.as_str(),
        &short,
        &long,
        &twice,
        &quoted,
        "",
        "' OR 1=1 --",
        "../../etc",
        "\u{e9}",
    ];
    for value in values {
        let cookie = format!("{COOKIE}={value}");
        let answer = portal
            .visitor()
            .raw("GET", "/account")
            .header("cookie", cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401, "{value}");
    }
    assert!(is_signed_in(&ada).await);
}

/// A flood of visitors who only read fills no table.
///
/// ASVS: V7.2.1, V2.4.1
#[tokio::test]
async fn nothing_is_kept_for_visitors() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let before = portal.everything();
    for path in [
        "/",
        "/sign-in",
        "/sign-up",
        "/documents",
        "/no-such-page",
        "/forgot",
    ] {
        let visitor = portal.visitor();
        visitor.get(path).await;
        let answer = visitor.get(path).await;
        assert!(visitor.cookie(COOKIE).is_none());
        // A page without a form sets no cookie at all.
        assert_eq!(
            visitor.cookies().is_empty(),
            answer.forms().is_empty(),
            "{path}"
        );
    }
    assert!(before == portal.everything());
}
