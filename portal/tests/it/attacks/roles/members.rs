//! Documents are for members: anybody else, and former members, reach no page of them.

use dewar::App;

use crate::company::{PASSWORD, Portal, document, hand_in, post, sign_in};

const DOCUMENTS: &str = "SELECT count(*) FROM documents";

/// ASVS: V8.3.2, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_none_any_longer_hands_nothing_in() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    let path = document(&ada, "While a member").await;
    // The page is open when the role is taken away.
    let form = ada.get("/documents/new").await.form("/documents");
    let form = form.fill("title", "Late").file("file", "late.txt", "x\n");
    assert_eq!(post(&grace, "/admin/users/1/roles", "").await.status(), 303);
    // A user's session gets a new token when the user's roles change, so only the other tables stay the same.
    let everything = || {
        let rows = portal.everything();
        let rows = rows
            .lines()
            .filter(|row| !row.starts_with("dewar_sessions"));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = everything();
    assert_eq!(ada.submit(form.clone()).await.status(), 403);
    for page in [
        "/documents",
        "/documents/new",
        &path,
        &format!("{path}/file"),
    ] {
        assert_eq!(ada.get(page).await.status(), 403, "{page}");
    }
    for (page, fields) in [
        ("comments", "comment=x"),
        ("shares", "email=a@example.org"),
        ("delete", ""),
    ] {
        let answer = post(&ada, &format!("{path}/{page}"), fields).await;
        assert_eq!(answer.status(), 403, "{page}");
    }
    assert_eq!(everything(), before, "nothing was changed");
    assert_eq!(ada.get("/account").await.status(), 200, "the account stays");

    let roles = post(&grace, "/admin/users/1/roles", "roles=member").await;
    assert_eq!(roles.status(), 303);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert_eq!(portal.count(DOCUMENTS).await, 2);
}

/// The role comes from the program, not from the form; and it is only that of a member.
///
/// ASVS: V8.2.1, V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_up_is_a_member_and_nothing_more() {
    let portal = Portal::open().await;
    let eve = portal.visitor();
    let form = eve.get("/sign-up").await.form("/sign-up");
    let form = form.fill("name", "Eve").fill("email", "eve@example.org");
    eve.submit(form.fill("password", PASSWORD)).await;
    sign_in(&eve, "eve@example.org", PASSWORD).await;
    let handed_in = hand_in(&eve, "Mine", "note.txt", b"x\n").await;
    assert_eq!(handed_in.status(), 303);
    for page in [
        "/reviews",
        "/admin/users",
        "/admin/audit",
        "/admin/jobs",
        "/notices/new",
    ] {
        assert_eq!(eve.get(page).await.status(), 403, "{page}");
    }
    let roles = portal
        .running
        .dewar()
        .accounts()
        .find_by_email("eve@example.org");
    assert_eq!(roles.await.unwrap().unwrap().roles, ["member"]);
}

/// A mistake in the code or the settings.
///
/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_portal_in_which_everybody_would_be_an_administrator_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    let app = |role| portal::app(App::in_directory(&data).unwrap()).sign_up_as(role);
    let refused = app(portal::Role::Administrator).start().await.unwrap_err();
    let told = format!("{refused:?} {refused}");
    assert!(told.contains("accounts-role-administrator"), "{told}");
    let running = app(portal::Role::Member).start().await.unwrap();
    running.stop().await.unwrap();
}

/// Each heading is complete by itself: a reviewer who is no member reads the waiting documents, and nothing else.
///
/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_reads_what_waits_and_no_other_file() {
    let portal = Portal::open().await;
    let (ada, rob) = (
        portal.member("ada").await,
        portal.person("rob", &["reviewer"]).await,
    );
    let path = document(&ada, "Waits").await;
    let review = path.replace("/documents/", "/reviews/");
    let file = rob.get(&format!("{review}/file")).await;
    assert_eq!(file.bytes().as_ref(), b"What was agreed.\n");
    assert!(
        !rob.get(&review)
            .await
            .text()
            .contains(&format!("href=\"{path}\""))
    );
    assert_eq!(rob.get(&format!("{path}/file")).await.status(), 403);
    assert_eq!(ada.get(&format!("{review}/file")).await.status(), 403);
    let decided = crate::company::decide(&rob, &review, "decision=approve").await;
    assert_eq!(decided.status(), 303);
    assert_eq!(rob.get(&format!("{review}/file")).await.status(), 404);
}
