//! `users import`: a file from elsewhere makes accounts, and takes none over.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::commands::{portal, portal_with, printed, told};
use crate::company::{PASSWORD, sign_in};
use crate::killed::{Program, browser};

/// Werkzeug's `generate_password_hash("seven green kettles sing", "pbkdf2:sha256:1000")`.
const HASH: &str = "pbkdf2:sha256:1000$jGLs3TqtZtuSu8Gz$ff8648e71663c71e32340950302f74d07bd525938cadc2c2ca7180441c3d15b7";
const THEIRS: &str = "seven green kettles sing";

fn write(data: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let file = data.join(name);
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

fn users(data: &Path) -> Vec<Value> {
    serde_json::from_str(&printed(&portal(data, "users list --json"))).unwrap()
}

fn of<'a>(users: &'a [Value], email: &str) -> &'a Value {
    users.iter().find(|user| user["email"] == email).unwrap()
}

/// ASVS: V11.4.2, V6.2.8
#[tokio::test(flavor = "multi_thread")]
async fn imported_users_sign_in_with_their_password_and_a_second_run_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let rows = format!(
        "email,name,password_hash,roles\nada@example.org,Ada,{HASH},member|reviewer\nben@example.org,,,\n"
    );
    let file = write(data, "users.csv", rows);
    let import = format!("users import --from werkzeug {file}");
    let dry = printed(&portal(data, &format!("{import} --dry-run")));
    assert!(
        dry.contains("would be imported: 2") && users(data).is_empty(),
        "{dry}"
    );
    let first = printed(&portal(data, &import));
    assert!(first.contains("Imported users: 2\n"), "{first}");
    let before = users(data);
    assert_eq!(
        of(&before, "ada@example.org")["roles"],
        serde_json::json!(["member", "reviewer"])
    );
    let second = printed(&portal(data, &import));
    assert!(
        second.contains("Imported users: 0\n") && second.contains("stay as they are: 2\n"),
        "{second}"
    );
    assert_eq!(users(data), before);

    let (_program, url) = Program::serve_with(data, &[]);
    for (email, password, status) in [
        ("ada@example.org", THEIRS, 303),
        ("ada@example.org", PASSWORD, 422),
        ("ben@example.org", "!", 422),
        ("ben@example.org", "", 422),
    ] {
        let answer = sign_in(&browser(data, &url), email, password).await;
        assert_eq!(answer.status(), status, "{email} {password}");
    }
}

/// A row of the file has a known address in another spelling, a hash that the attacker made, and more roles.
///
/// ASVS: V8.2.1, V6.3.2
#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_no_account_over_and_gives_nobody_a_role() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let add = "users add --email ada@example.org --name Ada --role member --password-stdin";
    printed(&portal_with(data, add, PASSWORD));
    let before = users(data);
    let rows = format!(
        "email,name,password_hash,roles,active\n\
         \" ADA@Example.org\",Mallory,{HASH},reviewer,false\n\
         eve@example.org,Eve,{HASH},administrator,\n\
         mal@example.org,Mal,{HASH},member|owner,\n\
         bob@example.org,Bob,{HASH},member,\n\
         Bob@example.org,Bob,{HASH},reviewer,\n"
    );
    let file = write(data, "users.csv", rows);
    let import = portal(data, &format!("users import --from csv {file}"));
    assert_eq!(import.status.code(), Some(1), "{}", told(&import));
    let report = String::from_utf8(import.stdout).unwrap();
    for part in [
        "line 3: eve@example.org: the role administrator",
        "line 4: mal@example.org: no role is named \"owner\"; the roles are: ",
        "line 6: Bob@example.org: the same address",
        "Imported users: 1\n",
        "stay as they are: 1\n",
        "Refused rows: 3\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!report.contains(HASH), "{report}");
    let after = users(data);
    assert_eq!(of(&after, "ada@example.org"), &before[0]);
    assert_eq!(
        of(&after, "bob@example.org")["roles"],
        serde_json::json!(["member"])
    );
    assert_eq!(after.len(), 2);
    let (_program, url) = Program::serve_with(data, &[]);
    let taken = sign_in(&browser(data, &url), "ada@example.org", THEIRS).await;
    assert_eq!(taken.status(), 422);
    let owner = sign_in(&browser(data, &url), "ada@example.org", PASSWORD).await;
    assert_eq!(owner.status(), 303);
}

/// ASVS: V2.2.1
#[test]
fn hostile_rows_are_refused_one_by_one_and_write_nothing_into_the_terminal() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let digest = "ab".repeat(64);
    let rows = format!(
        "email,name,password_hash,roles\n\
         nul\0@example.org,Nul,{HASH},\n\
         a@example.org,\"two\nlines\",{HASH},\n\
         b@example.org,\u{1b}]0;owned\u{7},{HASH},\n\
         c\u{1b}[2J@example.org,C,{HASH},\n\
         d@example.org,D,scrypt:67108864:8:1$salt${digest},\n\
         e@example.org,E,{PASSWORD},\n\
         f@example.org,F,$6$salt$hash,\n\
         g@example.org,G,{HASH},member,more\n\
         h\"@example.org,H,{HASH},\n\
         i@example.org,I,\"{HASH}\0\",\n\
         fine@example.org,=1+1,{HASH},\n"
    );
    let file = write(data, "users.csv", rows);
    let import = portal(data, &format!("users import --from csv {file}"));
    let report = String::from_utf8(import.stdout).unwrap();
    assert!(
        report.contains("Imported users: 1\n") && report.contains("Refused rows: 10\n"),
        "{report}"
    );
    assert!(
        report.contains("costs too much to verify") && report.contains("sha512_crypt"),
        "{report}"
    );
    assert!(
        !report.chars().any(|c| c.is_control() && c != '\n'),
        "{report:?}"
    );
    assert!(
        !report.contains(&digest) && !report.contains(PASSWORD),
        "{report}"
    );
    assert_eq!(users(data)[0]["email"], "fine@example.org");

    let long = format!(
        "email,password_hash\nz@example.org,{}\n",
        "x".repeat(1 << 20)
    );
    let file = write(data, "long.csv", long);
    let import = portal(data, &format!("users import --from csv {file}"));
    assert_eq!(import.status.code(), Some(1));
    assert!(told(&import).contains("64 KiB"), "{}", told(&import));
    assert_eq!(users(data).len(), 1);
}

/// The tables of Django and Flask-Security, as they make them, shortened.
fn former(data: &Path, name: &str, tables: &[&str]) -> String {
    let file = data.join(name);
    let db = rusqlite::Connection::open(&file).unwrap();
    for sql in tables {
        db.execute_batch(sql).unwrap();
    }
    drop(db);
    file.display().to_string()
}

const DJANGO: [&str; 6] = [
    "CREATE TABLE auth_user (id integer PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL, is_superuser bool NOT NULL,
        username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
        is_staff bool NOT NULL, is_active bool NOT NULL, first_name varchar(150) NOT NULL)",
    "CREATE TABLE auth_group (id integer PRIMARY KEY AUTOINCREMENT, name varchar(150) NOT NULL UNIQUE)",
    "CREATE TABLE auth_user_groups (id integer PRIMARY KEY AUTOINCREMENT, user_id integer NOT NULL, group_id integer NOT NULL)",
    "INSERT INTO auth_group (name) VALUES ('reviewer')",
    "INSERT INTO auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, first_name) VALUES
        ('pbkdf2_sha256$1000$saltSALT12345678$re2mZpedd7/YDOD4/ym7WUUXJhfXB9XYajx1/gHCmKs=', 1, 'ada', 'Byron', 'ada@example.org', 1, 1, 'Ada'),
        ('!unusable', 0, 'ben@example.org', '', '', 0, 0, '')",
    "INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1)",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_django_database_is_read_and_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let file = former(data, "db.sqlite3", &DJANGO);
    let before = fs::read(&file).unwrap();
    let report = printed(&portal(data, &format!("users import --from django {file}")));
    assert!(report.contains("Imported users: 2\n"), "{report}");
    assert_eq!(fs::read(&file).unwrap(), before);
    let found = users(data);
    let ada = of(&found, "ada@example.org");
    assert_eq!(
        (&ada["name"], &ada["roles"]),
        (&"Ada Byron".into(), &serde_json::json!(["reviewer"]))
    );
    assert!(!of(&found, "ben@example.org")["disabled_at"].is_null());
    let (_program, url) = Program::serve_with(data, &[]);
    let answer = sign_in(&browser(data, &url), "ada@example.org", THEIRS).await;
    assert_eq!(answer.status(), 303);
}

const FLASK: [&str; 5] = [
    "CREATE TABLE \"user\" (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(255) NOT NULL UNIQUE, password VARCHAR(255),
        active BOOLEAN NOT NULL, fs_uniquifier VARCHAR(64) NOT NULL)",
    "CREATE TABLE role (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE)",
    "CREATE TABLE roles_users (user_id INTEGER, role_id INTEGER)",
    "INSERT INTO \"user\" (email, password, active, fs_uniquifier) VALUES ('ada@example.org', '$argon2id$v=19$m=64,t=1,p=1$r7WWEqL0vheCsPZ+b22tVQ$0co/T4B8VEMRoI0Izq8psK9+lNkNY/WiH1Ne11/XIss', 1, 'x')",
    "INSERT INTO role (name) VALUES ('member')",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_flask_security_database_needs_its_salt_which_stays_outside_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let file = former(data, "app.db", &FLASK);
    let import = format!("users import --from flask-security --role member {file}");
    let without = portal(data, &import);
    assert!(
        told(&without).contains("flask_security_salt_file"),
        "{}",
        told(&without)
    );
    let salt = write(data, "salt", "146585145368132386173505678016728509634\n");
    fs::set_permissions(&salt, fs::Permissions::from_mode(0o600)).unwrap();
    let variable = [("DEWAR_ACCOUNTS_FLASK_SECURITY_SALT_FILE", salt.as_str())];
    let output = crate::commands::portal_in(data, &import, &variable);
    assert!(printed(&output).contains("Imported users: 1\n"));
    let (_program, url) = Program::serve_with(data, &variable);
    let answer = sign_in(&browser(data, &url), "ada@example.org", THEIRS).await;
    assert_eq!(answer.status(), 303);
}
