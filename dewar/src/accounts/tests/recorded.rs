//! Every change of this room is committed together with its audit entry.

use super::*;
use crate::database::Sql;

/// How many entries were recorded in transactions. The count of ids goes back when a transaction is dropped, and stays when a row
/// is removed.
async fn recorded(db: &Db) -> i64 {
    const COUNTED: Sql = Sql::new(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'dewar_audit_waiting'",
        "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('dewar_audit_waiting', 'id')), 0)",
    );
    db.query(COUNTED, []).await.unwrap()[0].get(0).unwrap()
}

/// The newest entry that was recorded in a transaction: its event, its author, and its subject.
async fn newest(db: &Db) -> (String, Option<String>, Option<String>) {
    let sql = "SELECT entry FROM dewar_audit_waiting ORDER BY id DESC LIMIT 1";
    let text: String = db.query(sql, []).await.unwrap()[0].get(0).unwrap();
    let entry: serde_json::Value = serde_json::from_str(&text).unwrap();
    let field = |name: &str| Some(entry["fields"][name].as_str()?.to_owned());
    let event = entry["event"].as_str().unwrap().to_owned();
    (event, field("actor"), field("subject"))
}

/// The log names each action of an administrator, its author and its subject; from the command line too.
///
/// ASVS: V16.2.1, V16.3.3
#[tokio::test]
async fn every_deed_of_an_administrator_names_the_deed_who_did_it_and_to_whom() {
    let house = House::open().await;
    let (accounts, db) = (&house.accounts, &house.db);
    let grace = accounts.add(person("grace@example.org", GOOD), &["administrator"]);
    let grace = grace.await.unwrap();
    let ada = house.join("ada@example.org").await;
    let (by_grace, of_ada) = (Some(grace.to_string()), Some(ada.to_string()));
    let by_command = Some(crate::audit::command_line().to_owned());
    let told = async |event: &str, by: &Option<String>| {
        let expected = (event.to_owned(), by.clone(), of_ada.clone());
        assert_eq!(newest(db).await, expected, "{event}");
    };
    told("user_created", &by_command).await;
    accounts.set_roles(grace, ada, &["reviewer"]).await.unwrap();
    told("authz_change", &by_grace).await;
    for (by, name) in [(Some(grace), &by_grace), (None, &by_command)] {
        accounts.disable(by, ada).await.unwrap();
        told("user_archived", name).await;
        accounts.enable(by, ada).await.unwrap();
        told("user_updated", name).await;
        accounts.unlock(by, ada).await.unwrap();
        told("authz_admin", name).await;
        accounts.sign_out_everywhere(by, ada).await.unwrap();
        told("authz_admin", name).await;
    }
    accounts.set_password(ada, OTHER).await.unwrap();
    told("authn_password_change", &by_command).await;
    accounts.reset_path(ada).await.unwrap();
    told("authn_token_created", &by_command).await;
    accounts.sign_out_everyone().await.unwrap();
    let (event, by, _) = newest(db).await;
    assert_eq!((event.as_str(), by), ("authz_admin", by_command));
}

/// ASVS: V16.2.1
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a list of all that changes")]
async fn no_change_of_an_account_is_committed_without_its_entry() {
    let house = House::open().await;
    let (accounts, db) = (&house.accounts, &house.db);
    let person = |email, name| NewUser {
        email,
        name,
        password: GOOD,
    };
    let mut before = recorded(db).await;
    let mut told = async |what: &str| {
        let now = recorded(db).await;
        assert_eq!(now, before + 1, "{what}");
        before = now;
    };
    let setup = accounts.setup_path().await.unwrap().unwrap();
    told("the setup link").await;
    let token = setup.rsplit('/').next().unwrap();
    let grace = person("grace@example.org", "Grace");
    let grace = accounts.set_up(token, grace, HERE).await.unwrap();
    told("the first administrator").await;
    let ada = person("ada@example.org", "Ada");
    let ada = accounts.add(ada, &["member"]).await.unwrap();
    told("an account by an administrator").await;
    let eve = person("eve@example.org", "Eve");
    accounts.sign_up(eve, HERE).await.unwrap();
    told("a sign-up").await;
    accounts.sign_up(eve, HERE).await.unwrap();
    told("a sign-up with an address that has an account").await;
    accounts.set_roles(grace, ada, &["reviewer"]).await.unwrap();
    told("roles").await;
    accounts.set_name(ada, "Ada L").await.unwrap();
    told("a name").await;
    let tx = db.begin().await.unwrap();
    accounts.set_picture(&tx, ada, None).await.unwrap();
    tx.commit().await.unwrap();
    told("a picture").await;
    accounts.unlock(Some(grace), ada).await.unwrap();
    told("an account unlocked").await;
    accounts
        .sign_out_everywhere(Some(grace), ada)
        .await
        .unwrap();
    told("somebody signed out").await;
    accounts.sign_out_everyone().await.unwrap();
    told("everybody signed out").await;
    accounts.set_password(ada, OTHER).await.unwrap();
    told("a password by the command line").await;
    let path = accounts.reset_path(ada).await.unwrap();
    told("a link by the command line").await;
    let token = path.rsplit('/').next().unwrap();
    accounts.reset(token, GOOD, HERE).await.unwrap();
    told("a password by a link").await;
    accounts.request_reset("ada@example.org", HERE).unwrap();
    accounts.settle().await;
    told("a link by letter").await;
    accounts.disable(Some(grace), ada).await.unwrap();
    told("an account disabled").await;
    accounts.enable(Some(grace), ada).await.unwrap();
    told("an account enabled").await;

    // A change that was not committed has no entry either.
    let last = accounts.disable(Some(ada), grace).await;
    assert!(matches!(last, Err(Error::LastAdministrator)), "{last:?}");
    assert!(accounts.enable(None, UserId::new(99)).await.is_err());
    assert_eq!(recorded(db).await, before);
}
