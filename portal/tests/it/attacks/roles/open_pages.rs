//! Every form of the portal on an open page, while the record that it shows is changed or replaced.

use std::collections::BTreeSet;

use dewar::App;
use dewar::roles::Access;
use dewar::testing::{Browser, FormOnPage};
use image::ImageFormat;

use crate::company::{PASSWORD, Portal, document, post, sign_in};
use crate::files::crafted::picture;

/// Routes whose page shows no record that the form changes, each with the reason. A new route belongs here or into [`forms`].
const NOTHING_IS_SHOWN: [(&str, &str); 24] = [
    (
        "/documents/tickets",
        "makes a ticket for the person who asks",
    ),
    ("/sign-up", "makes an account"),
    ("/sign-in", "makes a session"),
    ("/sign-in/with/{provider}", "only leads to the provider"),
    (
        "/account/providers",
        "connects what this browser has proved, with the account of the same address",
    ),
    (
        "/account/providers/{id}/connect",
        "only leads to the provider",
    ),
    (
        "/account/providers/{id}/disconnect",
        "the id is random, and of one identity",
    ),
    ("/confirm/with/{provider}", "only leads to the provider"),
    ("/forgot", "says nothing of the account"),
    (
        "/reset/{token}",
        "the token is of one account, and spent once",
    ),
    ("/setup/{token}", "the token is spent once"),
    ("/sign-out", "ends the session that sends it"),
    ("/account/password", "the password of now is sent along"),
    (
        "/account/sessions/end-others",
        "ends all but one, whichever they are",
    ),
    (
        "/confirm",
        "the password is sent along, and what waits is sealed",
    ),
    (
        "/second-factor",
        "the code is sent along, and what waits is sealed",
    ),
    (
        "/account/second-factor",
        "the secret of the page is sealed, and its code is sent along",
    ),
    (
        "/account/second-factor/codes",
        "replaces all codes, and the page shows none",
    ),
    (
        "/account/second-factor/remove",
        "removes all that the account has",
    ),
    ("/documents", "makes a document"),
    ("/account/tokens", "makes a token"),
    (
        "/account/tokens/{id}/revoke",
        "the id is random, and of one token",
    ),
    ("/notices", "makes a notice"),
    (
        "/admin/jobs/{id}/retry",
        "an id is of one job for ever, and only a failed job runs again",
    ),
];

/// The routes in [`forms`].
const BOUND: [&str; 16] = [
    "/account/name",
    "/account/picture",
    "/account/sessions/{id}/end",
    "/account/telephone",
    "/admin/users/{id}/disable",
    "/admin/users/{id}/enable",
    "/admin/users/{id}/roles",
    "/admin/users/{id}/sign-out",
    "/admin/users/{id}/unlock",
    "/documents/{id}/comments",
    "/documents/{id}/delete",
    "/documents/{id}/edit",
    "/documents/{id}/shares",
    "/documents/{id}/shares/{user}/end",
    "/notices/{id}/withdraw",
    "/reviews/{id}",
];

/// A form, and what happens to its record between the page and the post.
struct Open<'a> {
    route: &'static str,
    browser: &'a Browser,
    /// The page with the form.
    page: String,
    path: String,
    fields: &'static [(&'static str, &'static str)],
    /// Each of these makes the page outdated.
    between: Vec<String>,
}

/// The form on its page, filled in.
async fn form(open: &Open<'_>) -> FormOnPage {
    let page = open.browser.get(&open.page).await;
    let mut form = page.form(&open.path);
    for (name, value) in open.fields {
        form = match *name {
            "decision" => form.choose(name, value),
            _ => form.fill(name, value),
        };
    }
    if open.path.ends_with("/picture") {
        form = form.file("picture", "me.png", picture(20, 10, ImageFormat::Png));
    }
    form
}

/// Statements that change a record, or replace a deleted one by another.
fn changed_and_replaced(id: i64) -> Vec<String> {
    vec![
        // A tag is part of what the page shows.
        format!(
            "INSERT INTO document_tags SELECT {id}, 'draft' || version FROM documents WHERE id = {id};
             UPDATE documents SET version = version + 1 WHERE id = {id}"
        ),
        format!("UPDATE documents SET title = title || '!', version = version + 1 WHERE id = {id}"),
        format!("UPDATE documents SET created_at = created_at + 1 WHERE id = {id}"),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn forms<'a>(
    ada: &'a Browser,
    rob: &'a Browser,
    grace: &'a Browser,
    session: &str,
) -> Vec<Open<'a>> {
    let plan = || "/documents/1".to_owned();
    let below = |act: &str| format!("/documents/1/{act}");
    let users = || "/admin/users".to_owned();
    let renamed = |id: i64| {
        vec![format!(
            "UPDATE dewar_users SET name = name || 'x' WHERE id = {id}"
        )]
    };
    let open = |route, browser, page: String, path: String, fields, between| Open {
        route,
        browser,
        page,
        path,
        fields,
        between,
    };
    let of_ben = |act: &str| format!("/admin/users/2/{act}");
    let text: &[(&str, &str)] = &[("title", "Better"), ("description", "")];
    vec![
        open(
            "/documents/{id}/comments",
            ada,
            plan(),
            below("comments"),
            &[("comment", "Good.")],
            changed_and_replaced(1),
        ),
        open(
            "/documents/{id}/shares",
            ada,
            plan(),
            below("shares"),
            &[("email", "ben@example.org")],
            changed_and_replaced(1),
        ),
        open(
            "/documents/{id}/shares/{user}/end",
            ada,
            plan(),
            below("shares/2/end"),
            &[],
            vec![
                "UPDATE shares SET created_at = created_at + 1".to_owned(),
                "UPDATE shares SET mark = mark + 1".to_owned(),
            ],
        ),
        open(
            "/documents/{id}/edit",
            ada,
            below("edit"),
            below("edit"),
            text,
            changed_and_replaced(1),
        ),
        open(
            "/reviews/{id}",
            rob,
            "/reviews/1".to_owned(),
            "/reviews/1".to_owned(),
            &[("decision", "approve")],
            changed_and_replaced(1),
        ),
        open(
            "/notices/{id}/withdraw",
            grace,
            "/".to_owned(),
            "/notices/1/withdraw".to_owned(),
            &[],
            vec![
                "UPDATE notices SET title = title || 'x'".to_owned(),
                "UPDATE notices SET published_at = 9".to_owned(),
            ],
        ),
        open(
            "/admin/users/{id}/unlock",
            grace,
            users(),
            of_ben("unlock"),
            &[],
            renamed(2),
        ),
        open(
            "/admin/users/{id}/roles",
            grace,
            users(),
            of_ben("roles"),
            &[],
            [
                renamed(2),
                vec!["INSERT INTO dewar_user_roles VALUES (2, 'reviewer')".to_owned()],
            ]
            .concat(),
        ),
        open(
            "/admin/users/{id}/sign-out",
            grace,
            users(),
            of_ben("sign-out"),
            &[],
            renamed(2),
        ),
        open(
            "/admin/users/{id}/disable",
            grace,
            users(),
            of_ben("disable"),
            &[],
            renamed(2),
        ),
        open(
            "/admin/users/{id}/enable",
            grace,
            users(),
            of_ben("enable"),
            &[],
            renamed(2),
        ),
        open(
            "/account/name",
            ada,
            "/account".to_owned(),
            "/account/name".to_owned(),
            &[("name", "Ada L")],
            renamed(1),
        ),
        open(
            "/account/picture",
            ada,
            "/account".to_owned(),
            "/account/picture".to_owned(),
            &[],
            vec![
                "UPDATE dewar_users SET picture = 'another' WHERE id = 1".to_owned(),
                "UPDATE dewar_users SET picture = NULL".to_owned(),
            ],
        ),
        open(
            "/account/telephone",
            ada,
            "/account/telephone".to_owned(),
            "/account/telephone".to_owned(),
            &[("telephone", "+41 44 668 18 01")],
            vec!["DELETE FROM profiles".to_owned()],
        ),
        open(
            "/account/sessions/{id}/end",
            ada,
            "/account/sessions".to_owned(),
            session.to_owned(),
            &[],
            Vec::new(),
        ),
        // Last: its file is deleted a moment later.
        open(
            "/documents/{id}/delete",
            ada,
            below("delete"),
            below("delete"),
            &[],
            changed_and_replaced(1),
        ),
    ]
}

#[test]
fn every_form_of_the_portal_is_bound_to_its_page_or_says_why_not() {
    let scratch = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(scratch.path()).unwrap()).route_table();
    let known: BTreeSet<&str> = BOUND
        .into_iter()
        .chain(NOTHING_IS_SHOWN.map(|(route, _)| route))
        .collect();
    // Programs have no page; what they change names its version.
    let of_pages = table
        .entries()
        .iter()
        .filter(|entry| !matches!(entry.access, Access::Api(_)));
    let unsafe_routes = of_pages.filter(|entry| entry.method != "GET");
    let missing: Vec<&str> = unsafe_routes
        .map(|entry| entry.path)
        .filter(|path| !known.contains(path))
        .collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: bind each to what its page shows, with `RecordVersion`, or say why not"
    );
}

/// ASVS: V2.3.1, V8.2.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stands_open_does_nothing_to_what_it_does_not_show() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("ben").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let grace = portal.administrator().await;
    document(&ada, "Plan").await;
    post(&grace, "/notices", "title=Old&body=Tea.").await;
    post(&ada, "/account/telephone", "telephone=%2B41446681800").await;
    for _ in 0..2 {
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    }
    // Strangers guess ben's password, until the list of users shows that he is locked.
    for _ in 0..120 {
        sign_in(&portal.visitor(), "ben@example.org", "not the right one").await;
        if grace
            .get("/admin/users")
            .await
            .text()
            .contains("/admin/users/2/unlock")
        {
            break;
        }
    }
    let sessions = ada.get("/account/sessions").await;
    let session = sessions
        .attribute("form[action$='/end']", "action")
        .unwrap();
    let forms = forms(&ada, &rob, &grace, &session);
    let routes: BTreeSet<&str> = forms.iter().map(|open| open.route).collect();
    assert_eq!(routes, BTreeSet::from(BOUND));
    for open in forms {
        for between in &open.between {
            let old = form(&open).await;
            portal.outside(between).await;
            let before = portal.everything();
            let answer = open.browser.submit(old).await;
            let status = answer.status();
            assert_eq!(status, 409, "{} after {between}", open.path);
            assert_eq!(portal.everything(), before, "{} after {between}", open.path);
        }
        let answer = open.browser.submit(form(&open).await).await;
        assert_eq!(answer.status(), 303, "{}: {}", open.path, answer.text());
    }
}

/// A session is ended by its own random name: a session that began later is not.
///
/// ASVS: V7.5.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn an_old_page_of_sessions_ends_none_that_began_since() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    let page = ada.get("/account/sessions").await;
    let end = page.attribute("form[action$='/end']", "action").unwrap();
    let (old, again) = (page.form(&end), page.form(&end));
    assert_eq!(ada.submit(old).await.status(), 303);
    let new = portal.visitor();
    sign_in(&new, "ada@example.org", PASSWORD).await;
    let before = portal.everything();
    assert_eq!(ada.submit(again).await.status(), 404);
    assert_eq!(portal.everything(), before);
    assert_eq!(new.get("/account").await.status(), 200);
}

/// The page shows the comment again. Its author reads the change and sends it once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_comment_on_what_was_changed_is_not_lost() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let comments = format!("{path}/comments");
    let form = ada
        .get(&path)
        .await
        .form(&comments)
        .fill("comment", "I agree.");
    portal
        .outside("UPDATE documents SET title = 'Something else', version = version + 1")
        .await;
    let refused = ada.submit(form).await;
    assert_eq!(refused.status(), 409);
    assert!(
        refused.text().contains("Something else")
            && refused
                .text()
                .contains("It was changed since you opened this page")
    );
    let again = refused.form(&comments);
    assert_eq!(again.value("comment").as_deref(), Some("I agree."));
    assert_eq!(ada.submit(again).await.status(), 303);
}

/// The portal's clock stands still here: both shares have the same second.
///
/// ASVS: V8.2.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_was_ended_and_given_again_is_another_one() {
    let portal = Portal::open().await;
    let (ada, _) = (portal.member("ada").await, portal.member("ben").await);
    let path = document(&ada, "Plan").await;
    let end = format!("{path}/shares/{}/end", portal.id_of("ben").await);
    let share = async || post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    let shares = async || portal.count("SELECT count(*) FROM shares").await;
    share().await;
    let old = ada.get(&path).await.form(&end);
    assert_eq!(post(&ada, &end, "").await.status(), 303);
    share().await;
    assert_eq!(ada.submit(old).await.status(), 409);
    assert_eq!(shares().await, 1, "the old page ended the new share");
    let new = ada.get(&path).await.form(&end);
    assert_eq!(ada.submit(new).await.status(), 303);
    assert_eq!(shares().await, 0);
}
