//! Every acknowledged change has its entry in the audit log, whenever the program is killed.

use dewar::accounts;
use dewar::audit::Clock;
use dewar::testing::{Authenticator, Browser};
use image::ImageFormat;

use super::{Program, browser, in_process};
use crate::company::{PASSWORD, add, decide, document, post, sign_in, version};
use crate::files::crafted::picture;

/// Every recorded change of a visitor, with its entry: event, actor, subject, outcome and detail. The last two are parts of the
/// entry's text.
#[expect(clippy::too_many_lines, reason = "a list of all that changes")]
async fn changes(ada: &Browser, rob: &Browser, grace: &Browser, visitor: &Browser) -> Vec<Told> {
    const BEN: &str = "2";
    let user = |act: &str| format!("/admin/users/{BEN}/{act}");
    let mut told = Vec::new();
    let mut done = |status: u16, event, actor: Option<&'static str>, subject, detail| {
        assert_eq!(status, 303, "{event} {subject} {detail}");
        told.push(Told(event, actor, subject, detail));
    };

    let plan = document(ada, "Plan").await;
    done(303, "upload_stored", None, "1", "");
    let sent = post(ada, &format!("{plan}/shares"), "email=ben@example.org").await;
    let shared = "privilege_permissions_changed";
    done(
        sent.status().as_u16(),
        shared,
        Some("1"),
        "document 1",
        "user 2 may read it",
    );
    let sent = post(ada, &format!("{plan}/shares/{BEN}/end"), "").await;
    let ended = "user 2 may no longer read it by sharing";
    done(
        sent.status().as_u16(),
        shared,
        Some("1"),
        "document 1",
        ended,
    );
    let review = plan.replace("/documents/", "/reviews/");
    let sent = decide(rob, &review, "decision=reject&reason=No").await;
    done(
        sent.status().as_u16(),
        "sensitive_update",
        Some("3"),
        "document 1",
        "",
    );
    let edit = format!("{plan}/edit");
    let fields = format!(
        "title=Better&description=&tags={}",
        version(ada, &edit).await
    );
    let sent = post(ada, &edit, &fields).await;
    done(
        sent.status().as_u16(),
        "sensitive_update",
        Some("1"),
        "document 1",
        "changed, was rejected",
    );
    let sent = post(ada, &format!("{plan}/delete"), "").await;
    done(sent.status().as_u16(), "upload_delete", None, "1", "");

    let form = ada
        .get("/account")
        .await
        .form("/account/name")
        .fill("name", "Ada Lovelace");
    let sent = ada.submit(form).await;
    done(
        sent.status().as_u16(),
        "user_updated",
        Some("1"),
        "1",
        "name",
    );
    let form = ada.get("/account").await.form("/account/picture");
    let sent = ada
        .submit(form.file("picture", "me.png", picture(20, 10, ImageFormat::Png)))
        .await;
    done(
        sent.status().as_u16(),
        "user_updated",
        Some("1"),
        "1",
        "picture",
    );
    let form = ada
        .get("/account/telephone")
        .await
        .form("/account/telephone");
    let sent = ada.submit(form.fill("telephone", "+41 44 668 18 00")).await;
    done(
        sent.status().as_u16(),
        "sensitive_update",
        Some("1"),
        "telephone of user 1",
        "",
    );
    let form = ada.get("/account/password").await.form("/account/password");
    let new = "nine blue lanterns drift";
    let form = form
        .fill("current_password", PASSWORD)
        .fill("new_password", new);
    let sent = ada.submit(form).await;
    done(
        sent.status().as_u16(),
        "authn_password_change",
        Some("1"),
        "1",
        "",
    );

    for (act, fields, event, detail) in [
        (
            "roles",
            "roles=member&roles=reviewer",
            "authz_change",
            "from [member] to [member reviewer]",
        ),
        ("unlock", "", "authz_admin", "unlocked"),
        ("sign-out", "", "authz_admin", "signed out everywhere"),
        ("disable", "", "user_archived", "disabled"),
        ("enable", "", "user_updated", "enabled"),
    ] {
        let sent = post(grace, &user(act), fields).await;
        done(sent.status().as_u16(), event, Some("4"), BEN, detail);
    }
    let form = visitor.get("/sign-up").await.form("/sign-up");
    let form = form.fill("name", "Eve").fill("email", "eve@example.org");
    let sent = visitor.submit(form.fill("password", PASSWORD)).await;
    done(sent.status().as_u16(), "user_created", Some("5"), "5", "");
    told
}

/// Event, actor, subject and a part of the detail.
#[derive(Debug)]
struct Told(
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
);

/// ASVS: V16.2.1, V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn each_acknowledged_change_is_in_the_log_whenever_the_program_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let running = in_process(data.path()).await;
    for (name, roles) in [
        ("Ada", &["member"][..]),
        ("Ben", &["member"]),
        ("Rob", &["reviewer", "member"]),
        ("Grace", &["administrator"]),
    ] {
        add(&running, name, roles).await;
    }
    running.stop().await.unwrap();

    let (program, url) = Program::serve(data.path());
    let someone = || browser(data.path(), &url);
    let (ada, rob, grace) = (someone(), someone(), someone());
    for (browser, name) in [(&ada, "ada"), (&rob, "rob"), (&grace, "grace")] {
        let signed = sign_in(browser, &format!("{name}@example.org"), PASSWORD).await;
        assert_eq!(signed.status(), 303);
    }
    Authenticator::add(&grace, accounts::FACTORS, &Clock::system()).await;
    // This lock keeps the log from being written: from here on the entries are only rows.
    let log = std::fs::File::open(data.path().join("audit.jsonl")).unwrap();
    log.lock().unwrap();
    let before = std::fs::metadata(data.path().join("audit.jsonl"))
        .unwrap()
        .len();
    let told = changes(&ada, &rob, &grace, &someone()).await;
    let after = std::fs::metadata(data.path().join("audit.jsonl"))
        .unwrap()
        .len();
    assert_eq!(before, after, "the log was written all the same");
    program.kill();
    log.unlock().unwrap();

    let running = in_process(data.path()).await;
    let latest = running.dewar().log().latest(500, None).await.unwrap();
    for Told(event, actor, subject, detail) in &told {
        let found = latest.iter().filter(|entry| {
            entry.event == *event
                && (actor.is_none() || entry.actor.as_deref() == *actor)
                && (event.starts_with("upload_") || entry.subject.as_deref() == Some(*subject))
                && entry.detail.as_deref().unwrap_or_default().contains(detail)
        });
        assert!(
            found.count() >= 1,
            "{event} {subject} {detail}: {latest:#?}"
        );
    }
    running.stop().await.unwrap();
}
