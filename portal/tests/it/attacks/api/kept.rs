//! Where a token is kept, and who makes one.

use std::fs;
use std::time::Duration;

use crate::company::{Portal, document, files_below, send};

use super::{ALL, comment, read, write};

const TOKENS: &str = "/account/tokens";
const COUNT: &str = "SELECT count(*) FROM dewar_api_tokens";

/// After the page that shows it once, a token is on no page, in no log and in no file of the portal.
///
/// ASVS: V11.4.2, V13.3.1, V14.3.2, V16.2.5
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_nowhere_after_the_page_that_shows_it() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let form = ada.get(TOKENS).await.form(TOKENS);
    let form = form.fill("name", "Laptop").fill("days", "7");
    let form = form.choose("scopes", "comments_write");
    let made = ada.submit(form).await;
    assert_eq!(made.status(), 200, "{}", made.text());
    let cached = made.header("cache-control").unwrap_or_default();
    assert!(cached.contains("no-store"), "{cached}");
    let token = made.texts("code.token")[0].clone();
    let used = write(&portal, &token, &format!("/api{path}/comments"), &comment()).await;
    assert_eq!(used.status(), 200, "{}", used.text());
    assert!(!used.text().contains(&token));
    let refused = read(&portal, &token, "/api/documents").await;
    assert!(!refused.text().contains(&token));
    for page in [TOKENS, "/account", &path] {
        assert!(!ada.get(page).await.text().contains(&token), "{page}");
    }
    let grace = portal.administrator().await;
    for page in ["/admin/audit", "/admin/users", "/admin"] {
        assert!(!grace.get(page).await.text().contains(&token), "{page}");
    }
    let log = portal.log().await;
    assert!(log.contains("authn_token_created") && log.contains("authn_token_first_use"));
    // Its middle alone would do, too.
    let secret = &token.as_bytes()[6..58];
    let data = portal.close().await;
    for file in files_below(data.path()) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!found, "{}", file.display());
    }
}

/// A stolen session makes no token without the password, and no form gives one more than the person has.
///
/// ASVS: V7.5.1, V8.2.2, V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_token_with_more_than_they_have() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let nobody = portal.person("ned", &[]).await;
    let honest = "name=Laptop&days=7&scopes=documents_read";
    for (field, status) in [
        ("user=2", 400),
        ("owner_id=2", 400),
        ("expires_at=9999999999", 400),
        ("days=3650", 422),
        ("days=365", 422),
        ("scopes=admin", 422),
        ("scopes=*", 422),
    ] {
        let name = field.split('=').next().unwrap();
        let others: Vec<&str> = honest
            .split('&')
            .filter(|pair| !pair.starts_with(&format!("{name}=")))
            .chain([field])
            .collect();
        let answer = send(&ada, TOKENS, &others.join("&")).await;
        assert_eq!(answer.status(), status, "{field}");
    }
    // The scopes are a member's.
    assert_eq!(send(&nobody, TOKENS, honest).await.status(), 422);
    portal.clock.advance(Duration::from_secs(11 * 60));
    assert_eq!(send(&ada, TOKENS, honest).await.status(), 403);
    assert_eq!(portal.count(COUNT).await, 0);
    let again = portal.visitor();
    crate::company::sign_in(&again, "ada@example.org", crate::company::PASSWORD).await;
    assert_eq!(send(&again, TOKENS, honest).await.status(), 200);
    assert_eq!(portal.count(COUNT).await, 1);
    portal.running.stop().await.unwrap();
}

/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_revokes_the_token_of_somebody_else() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let eve = portal.member("eve").await;
    let (token, id) = portal.api_token("ada", &ALL).await;
    assert!(!eve.get(TOKENS).await.text().contains(&id));
    let revoke = format!("{TOKENS}/{id}/revoke");
    assert_eq!(send(&eve, &revoke, "").await.status(), 404);
    let list = async || read(&portal, &token, "/api/documents").await.status();
    assert_eq!(list().await, 200);
    assert_eq!(send(&ada, &revoke, "").await.status(), 303);
    assert_eq!(list().await, 401);
    portal.running.stop().await.unwrap();
}
