//! A request whose body has only partly arrived, and rights or records that are taken away before the rest arrives (CWE-367).

use std::time::Duration;

use dewar::testing::{Browser, PATIENCE, Socket};

use crate::company::{Portal, document, encoded, post, shown, token};

/// A request that lacks the last byte of its body.
struct HalfSent {
    socket: Socket,
    last: u8,
}

impl HalfSent {
    /// Sends all but the end of a form, with the sealed values of its page.
    async fn begin(browser: &Browser, path: &str, fields: &str) -> Self {
        let version = shown(browser, path).await;
        let version = version.map(|version| format!("&version={}", encoded(&version)));
        let body = format!(
            "csrf_token={}{}&{fields}",
            token(browser).await,
            version.unwrap_or_default()
        );
        let session = browser.cookie("__Host-session").unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\naccept: text/html\r\n\
             cookie: __Host-session={}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            session.value(),
            body.len()
        );
        let (last, begun) = body.as_bytes().split_last().unwrap();
        let mut socket = browser.socket().await.unwrap();
        socket
            .send(&[head.as_bytes(), begun].concat())
            .await
            .unwrap();
        Self {
            socket,
            last: *last,
        }
    }

    /// Sends the end, later than a network would, and returns the status.
    async fn end(mut self) -> u16 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        self.socket.send(&[self.last]).await.unwrap();
        let heard = self.socket.hear(PATIENCE).await;
        heard.status().unwrap_or_else(|| panic!("{}", heard.text()))
    }
}

/// ASVS: V7.4.2, V8.3.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_were_taken_away_meanwhile_are_gone_for_the_rest_of_a_request() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let mallory = portal.person("mallory", &["administrator"]).await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let user = async |name: &str| format!("/admin/users/{}", portal.id_of(name).await);
    let (hers, eves) = (user("mallory").await, user("eve").await);
    // A request whose user loses nothing succeeds, however slow it is.
    let slow = HalfSent::begin(&ada, "/account/name", "name=Ada+Slow").await;
    assert_eq!(slow.end().await, 303);

    let roles = format!("{eves}/roles");
    let promoting = HalfSent::begin(&mallory, &roles, "roles=administrator").await;
    let answer = post(&grace, &format!("{hers}/roles"), "roles=member").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(promoting.end().await, 401);
    let administrators = "SELECT count(*) FROM dewar_user_roles WHERE role = 'administrator'";
    assert_eq!(portal.count(administrators).await, 1);

    let renaming = HalfSent::begin(&ada, "/account/name", "name=Ada+Gone").await;
    let adas = user("ada").await;
    let answer = post(&grace, &format!("{adas}/disable"), "").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(renaming.end().await, 401);
    let renamed = "SELECT count(*) FROM dewar_users WHERE name = 'Ada Gone'";
    assert_eq!(portal.count(renamed).await, 0);
    assert!(
        portal
            .log()
            .await
            .contains("the session changed during the upload")
    );
}

/// ASVS: V2.3.1, V8.2.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_changed_or_taken_away_meanwhile_is_not_acted_on() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let ben = portal.member("ben").await;
    portal.member("eve").await;
    let plans = document(&ada, "Plans").await;
    let share = format!("{plans}/shares");
    let answer = post(&ada, &share, "email=ben%40example.org").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let comments = format!("{plans}/comments");

    let (sharing, commenting) = (
        HalfSent::begin(&ada, &share, "email=eve%40example.org").await,
        HalfSent::begin(&ben, &comments, "comment=Agreed").await,
    );
    let edit = format!("{plans}/edit");
    let version = crate::company::version(&ada, &edit).await;
    let answer =
        crate::company::send(&ada, &edit, &format!("title=Secret&description={version}")).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(sharing.end().await, 409);
    assert_eq!(commenting.end().await, 409);

    let commenting = HalfSent::begin(&ben, &comments, "comment=Agreed").await;
    let answer = post(&ada, &format!("{plans}/delete"), "").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(commenting.end().await, 404);
    let written = "SELECT (SELECT count(*) FROM comments) + (SELECT count(*) FROM shares)";
    assert_eq!(portal.count(written).await, 0);
}
