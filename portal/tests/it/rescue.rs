//! The commands for a user who cannot sign in, on the real program.

use crate::commands::{portal, portal_with, printed, told};
use crate::company::{PASSWORD, sign_in};
use crate::killed::{Program, browser};

const NEW: &str = "another quiet lake at dawn";
const ADA: &str = "ada@example.org";

/// Fault F3: anybody can send a hundred wrong passwords in a day. Here a few represent them.
#[tokio::test(flavor = "multi_thread")]
async fn the_only_administrator_is_let_in_by_a_command() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let add = format!("users add --email {ADA} --role administrator --password-stdin");
    printed(&portal_with(data, &add, PASSWORD));
    let no_mail = [("DEWAR_MAIL_TRANSPORT", "none")];
    let (_program, url) = Program::serve_with(data, &no_mail);
    let status = async |password: &str| {
        let answer = sign_in(&browser(data, &url), ADA, password).await;
        answer.status().as_u16()
    };
    // The wait doubles with each failure, so it is longer than an attempt takes in the end, on any machine.
    let mut last = 0;
    for _ in 0..30 {
        last = status("not the right password").await;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let unlocked = printed(&portal(data, &format!("users unlock --email {ADA}")));
    assert!(unlocked.contains("is unlocked"), "{unlocked}");
    assert_eq!(status(PASSWORD).await, 303);

    let set = format!("users set-password --email {ADA} --password-stdin");
    let short = portal_with(data, &set, "short");
    assert_eq!(short.status.code(), Some(1));
    assert!(told(&short).contains("15"), "{}", told(&short));
    printed(&portal_with(data, &set, &format!("{NEW}\n")));
    assert_eq!(status(PASSWORD).await, 422);
    assert_eq!(status(NEW).await, 303);

    let link = printed(&portal(
        data,
        &format!("users set-password --email {ADA} --link"),
    ));
    let path = link.lines().find_map(|line| line.split_once("/reset/"));
    let path = format!("/reset/{}", path.unwrap().1);
    let owner = browser(data, &url);
    let form = owner.get(&path).await.form(&path);
    let answer = owner.submit(form.fill("password", PASSWORD)).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(status(PASSWORD).await, 303);
    assert_eq!(owner.get(&path).await.status(), 410);

    for (arguments, status) in [
        ("users unlock --email nobody@example.org", 1),
        ("users set-password --email nobody@example.org --link", 1),
        ("users set-password --email ada@example.org", 2),
        (
            "users set-password --email ada@example.org --link --password-stdin",
            2,
        ),
    ] {
        let output = portal(data, arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
}
