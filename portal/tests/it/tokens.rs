//! The commands `tokens add`, `list` and `revoke`, run like in a script.

use std::path::Path;

use dewar::testing::Cookies;
use serde_json::{Value, json};

use crate::commands::{portal, portal_with, printed, told};
use crate::company::PASSWORD;
use crate::killed::{Program, browser};

fn add_ada(data: &Path) {
    let add = "users add --email ada@example.org --role member --password-stdin";
    printed(&portal_with(data, add, PASSWORD));
}

fn listed(data: &Path) -> Vec<Value> {
    serde_json::from_str(&printed(&portal(data, "tokens list --json"))).unwrap()
}

/// A running portal sees what the commands do, from the next request on.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_added_listed_used_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    add_ada(data);
    let (_program, url) = Program::serve_with(data, &[]);
    let add = "tokens add --email ada@example.org --name nightly --scope documents_read --days 7";
    let token = printed(&portal(data, add)).trim_end().to_owned();
    assert!(token.starts_with("dewar_") && token.len() == 65, "{token}");
    let status = async |path: &str| {
        let raw = browser(data, &url).raw("GET", path).cookies(Cookies::No);
        let raw = raw.header("authorization", format!("Bearer {token}"));
        raw.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("/api/documents").await, 200);
    let all = listed(data);
    let (id, created) = (
        all[0]["id"].as_str().unwrap(),
        all[0]["created_at"].as_i64().unwrap(),
    );
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["name"], "nightly");
    assert_eq!(all[0]["scopes"], json!(["documents_read"]));
    assert_eq!(all[0]["user"], 1);
    assert_eq!(all[0]["expires_at"], created + 7 * 24 * 3600);
    let lines = printed(&portal(data, "tokens list"));
    assert!(lines.contains(&format!(
        "{id} active   user 1     nightly [documents_read]"
    )));
    let revoked = printed(&portal(data, &format!("tokens revoke {id}")));
    assert_eq!(revoked, format!("The token {id} no longer works.\n"));
    assert_eq!(status("/api/documents").await, 401);
    let lines = printed(&portal(data, "tokens list"));
    assert!(lines.contains(&format!("{id} revoked")), "{lines}");
    let secret = token.get(6..58).unwrap();
    // Nobody reads a token again.
    for text in [lines, serde_json::to_string(&listed(data)).unwrap()] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// With `--json` a script reads the token and its id.
#[test]
fn a_service_s_token_belongs_to_nobody() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let add =
        "tokens add --service --name backup --scope documents_read --scope comments_write --json";
    let made: Value = serde_json::from_str(&printed(&portal(data, add))).unwrap();
    assert_eq!(made["user"], Value::Null);
    assert_eq!(made["scopes"], json!(["comments_write", "documents_read"]));
    assert!(made["token"].as_str().unwrap().starts_with("dewar_"));
    assert_eq!(listed(data)[0]["id"], made["id"]);
    assert_eq!(listed(data)[0].get("token"), None);
    let id = made["id"].as_str().unwrap();
    let revoked = printed(&portal(data, &format!("tokens revoke {id} --json")));
    let revoked: Value = serde_json::from_str(&revoked).unwrap();
    assert_eq!(revoked, json!({ "id": id, "revoked": true }));
}

/// The message names the mistake, and no token is made.
#[test]
fn a_mistake_makes_no_token_and_says_what_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    add_ada(data);
    printed(&portal_with(
        data,
        "users add --email ned@example.org --password-stdin",
        PASSWORD,
    ));
    let ada = "tokens add --email ada@example.org --name x";
    for (arguments, status, part) in [
        (
            format!("{ada} --scope admin"),
            1,
            "comments_write, documents_read, documents_write",
        ),
        (
            format!("{ada} --scope documents_read --days 91"),
            1,
            "one to 90 days",
        ),
        (ada.to_owned(), 2, "--scope"),
        (
            format!("{ada} --service --scope documents_read"),
            2,
            "--service",
        ),
        (
            "tokens add --name x --scope documents_read".to_owned(),
            2,
            "--service",
        ),
        (
            "tokens add --email eve@example.org --name x --scope documents_read".to_owned(),
            1,
            "no account has the address eve@example.org",
        ),
        // The scope is a member's.
        (
            "tokens add --email ned@example.org --name x --scope documents_read".to_owned(),
            1,
            "the user has not its role",
        ),
        (
            "tokens revoke aaaa".to_owned(),
            1,
            "no token that works has the id",
        ),
    ] {
        let output = portal(data, &arguments);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments}: {told}");
        assert!(told.contains(part), "{arguments}: {told}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
    assert!(listed(data).is_empty());
}

#[test]
fn a_disabled_account_gets_no_token() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let nothing = portal(data, "tokens list");
    assert_eq!(printed(&nothing), "");
    assert!(told(&nothing).contains("the database does not exist yet"));
    add_ada(data);
    printed(&portal(data, "users disable --email ada@example.org"));
    let add = "tokens add --email ada@example.org --name x --scope documents_read";
    let output = portal(data, add);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("disabled"), "{}", told(&output));
    assert!(listed(data).is_empty());
}
