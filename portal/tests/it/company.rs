//! The users of the tests, each a browser with a portal of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use dewar::accounts::NewUser;
use dewar::api::{TokenHolder, TokenRequest};
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::mail::Letter;
use dewar::sessions::UserId;
use dewar::testing::{Authenticator, Browser, Cookies, RawRequest, TestResponse};
use dewar::{App, Db, Uploads, accounts};
use rusqlite::{Connection, OpenFlags, Row};
use tempfile::TempDir;
use test_servers::Http2;

use crate::bucket::{self, ON_DISK};
use crate::outside;

/// Reverts the migration of audiences, for a database of an older program.
pub(crate) const WITHOUT_AUDIENCES: &str = "DROP TRIGGER documents_find_audiences;
    DROP TRIGGER documents_change_audiences;
    DROP TRIGGER shares_add_audience;
    DROP TRIGGER shares_end_audience;
    DROP TRIGGER shares_change_audience;
    DROP VIEW documents_with_audiences;
    DROP TABLE document_audiences;";

pub(crate) const PASSWORD: &str = "a quiet lake before the rain";

/// The setting for a file of SQLite, whichever database the tests use.
pub(crate) const ON_SQLITE: (&str, &str) = ("DEWAR_DATABASE_URL", "sqlite:database.sqlite");

/// The setting for administrators without a second factor: for tests of the page that asks for the password.
pub(crate) const PASSWORD_ALONE: (&str, &str) = ("DEWAR_ACCOUNTS_SECOND_FACTOR_ROLES", "nobody");

/// The portal's letter about a decision, whose template it has.
#[derive(Letter)]
#[letter(template = "letters/decided")]
pub(crate) struct Told<'a> {
    pub(crate) id: i64,
    pub(crate) title: &'a str,
    pub(crate) approved: bool,
    pub(crate) reason: Option<&'a str>,
}

/// A portal for one test, with a clock that the test sets.
pub(crate) struct Portal {
    pub(crate) running: Running,
    pub(crate) clock: Clock,
    pub(crate) data: TempDir,
    authority: Vec<u8>,
    /// The schema of its tables, if they are in PostgreSQL.
    schema: Option<String>,
    /// The authenticator apps of the administrators, by their names.
    apps: Mutex<BTreeMap<String, Arc<Authenticator>>>,
    /// Whether administrators need one.
    needs_apps: bool,
}

impl Portal {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// Opens a portal whose database and files are on the disk, for what only they have, and for the program itself.
    pub(crate) async fn on_sqlite() -> Self {
        Self::open_with(&[ON_SQLITE, ON_DISK]).await
    }

    /// The files that it has: on the disk, without the lock, and in the bucket.
    pub(crate) fn stored_files(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.data.path().join("uploads"));
        files.retain(|path| path.file_name().is_some_and(|name| name != "lock"));
        let bucket = bucket::folder(self.uploads()).map(|folder| folder.join("kept"));
        let bucket = bucket.filter(|folder| folder.exists());
        files.extend(bucket.iter().flat_map(|folder| files_below(folder)));
        files
    }

    /// Opens a portal with the data in this directory, and with settings.
    pub(crate) async fn open_in_with(data: TempDir, settings: &[(&str, &str)]) -> Self {
        Self::serve(data, settings).await
    }

    /// Opens a portal with settings, named as in the environment.
    pub(crate) async fn open_with(settings: &[(&str, &str)]) -> Self {
        Self::serve(tempfile::tempdir().unwrap(), settings).await
    }

    async fn serve(data: TempDir, settings: &[(&str, &str)]) -> Self {
        Self::with_more(data, settings, |app| app).await
    }

    /// Opens a portal that has more than the real one: the jobs of an attack.
    pub(crate) async fn with_more(
        data: TempDir,
        settings: &[(&str, &str)],
        more: impl FnOnce(App) -> App,
    ) -> Self {
        let clock = Clock::manual(Clock::system().now());
        let app = App::in_directory_with(&data, settings.iter().copied()).unwrap();
        let app = more(portal::app(app)).clock(clock.clone());
        let running = app.start().await.unwrap();
        let authority = fs::read(running.authority_file().unwrap()).unwrap();
        let schema = outside::schema(running.dewar().db()).await;
        Self {
            running,
            clock,
            data,
            authority,
            schema,
            apps: Mutex::default(),
            needs_apps: !settings.contains(&PASSWORD_ALONE),
        }
    }

    /// Stops it, and keeps its data.
    pub(crate) async fn close(self) -> TempDir {
        self.running.stop().await.unwrap();
        self.data
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        self.running.dewar().uploads()
    }

    pub(crate) fn db(&self) -> &Db {
        self.running.dewar().db()
    }

    /// A visitor.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(self.running.url(), &self.authority)
    }

    /// A connection for HTTP/2 frames by hand.
    pub(crate) async fn http2(&self) -> Http2 {
        let connecting = Http2::connect(self.running.url(), &self.authority, &[]);
        connecting.await.unwrap()
    }

    /// A user with these roles, signed in through the form. An administrator sets up the second factor that the role needs.
    pub(crate) async fn person(&self, name: &str, roles: &[&str]) -> Browser {
        add(&self.running, name, roles).await;
        let browser = self.visitor();
        let answer = sign_in(&browser, &address(name), PASSWORD).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        if self.needs_apps && roles.contains(&"administrator") {
            self.add_app(&browser, name).await;
        }
        browser
    }

    /// Adds an authenticator app to the user of this browser.
    pub(crate) async fn add_app(&self, browser: &Browser, name: &str) -> Arc<Authenticator> {
        let app = Authenticator::add(browser, accounts::FACTORS, &self.clock).await;
        let app = Arc::new(app);
        // The letter about it leaves now, and changes no row later.
        self.running.dewar().accounts().settle().await;
        let mut apps = self.apps.lock().unwrap();
        apps.insert(name.to_lowercase(), Arc::clone(&app));
        app
    }

    /// The app of a user.
    pub(crate) fn app_of(&self, name: &str) -> Arc<Authenticator> {
        Arc::clone(&self.apps.lock().unwrap()[&name.to_lowercase()])
    }

    /// Signs in a user who has an app, with both factors.
    pub(crate) async fn sign_in_with_app(&self, browser: &Browser, name: &str) -> TestResponse {
        let asks = sign_in(browser, &address(name), PASSWORD).await;
        assert_eq!(asks.status(), 200, "{}", asks.text());
        let app = self.app_of(name);
        app.answer(browser, &asks, &self.clock).await
    }

    pub(crate) async fn member(&self, name: &str) -> Browser {
        self.person(name, &["member"]).await
    }

    /// The number of a user's account.
    pub(crate) async fn id_of(&self, name: &str) -> i64 {
        let email = format!("{name}@example.org");
        let found = self.running.dewar().accounts().find_by_email(&email).await;
        found.unwrap().unwrap().id.get()
    }

    pub(crate) async fn administrator(&self) -> Browser {
        self.person("grace", &["administrator"]).await
    }

    /// An API token of a user, and its id.
    pub(crate) async fn api_token(&self, name: &str, scopes: &[&str]) -> (String, String) {
        let holder = TokenHolder::Person(UserId::new(self.id_of(name).await));
        let request = TokenRequest {
            name: "nightly",
            scopes,
            days: 30,
        };
        let tokens = self.running.dewar().api_tokens();
        let (text, info) = tokens.create(None, holder, request).await.unwrap();
        // The owner's letter about it leaves now, and changes no row later.
        self.running.dewar().accounts().settle().await;
        (text.expose().clone(), info.id)
    }

    /// A request of a program: with a token, and without a cookie.
    pub(crate) fn program(&self, token: &str, method: &str, path: &str) -> RawRequest {
        let raw = self.visitor().raw(method, path).cookies(Cookies::No);
        raw.header("authorization", format!("Bearer {token}"))
    }

    /// How many rows a literal count finds.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.db().query(sql, []).await.unwrap()[0].get(0).unwrap()
    }

    /// All data of the portal except its log: every row of every table, read without the framework, and the names of all files.
    /// Two results are equal if nothing was changed.
    pub(crate) fn everything(&self) -> String {
        let all = match &self.schema {
            Some(schema) => with_files(outside::rows(schema), self.data.path()),
            None => everything_in(self.data.path()),
        };
        let bucket = bucket::folder(self.uploads()).map(|folder| folder.join("kept"));
        let objects = bucket.filter(|folder| folder.exists());
        let objects = objects.map_or(0, |folder| files_below(&folder).len());
        format!("{all}\nobjects: {objects}")
    }

    /// Changes the database without the framework, like somebody who got at it. It waits on a thread of its own: a transaction
    /// of the portal that holds the lock goes on meanwhile.
    pub(crate) async fn outside(&self, sql: &str) {
        let (sql, schema) = (sql.to_owned(), self.schema.clone());
        let file = self.data.path().join("database.sqlite");
        let change = move || match schema {
            Some(schema) => drop(outside::psql(&schema, &sql)),
            None => Connection::open(file).unwrap().execute_batch(&sql).unwrap(),
        };
        tokio::task::spawn_blocking(change).await.unwrap();
    }

    /// The audit log as text, after all entries were written.
    pub(crate) async fn log(&self) -> String {
        self.running.dewar().log().flush().await;
        fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap()
    }
}

/// The rows of a table that do not change by themselves.
pub(crate) fn steady(table: &str) -> &str {
    match table {
        "dewar_files" => "(SELECT * FROM dewar_files WHERE state <> 'leaving')",
        // When a session was last used is written after the response.
        "dewar_sessions" => {
            "(SELECT token_hash, id, user_id, generation, created_at, proved_at, roles, device, address FROM dewar_sessions)"
        }
        // Sending goes on beside the requests: it writes attempts, the state and the reason, and empties the content.
        "dewar_letters" => {
            "(SELECT id, kind, template, address, address_key, cause, queued_at, useless_at FROM dewar_letters)"
        }
        // The parts of an attachment go when its letter was sent.
        "dewar_letter_parts" => "(SELECT 1 AS one WHERE 1 = 0)",
        // A refused request counts for its rate limit.
        "dewar_rate_limits" => "(SELECT 1 AS one WHERE 1 = 0)",
        // So is the last use of a token.
        "dewar_api_tokens" => {
            "(SELECT id, token_mac, user_id, generation, name, scopes, created_by, created_at, expires_at, revoked_at, made_in \
             FROM dewar_api_tokens)"
        }
        other => other,
    }
}

/// All rows of all tables, and the names of all files except those that change by themselves: a file without its row is deleted a
/// moment later, and then its row in `dewar_files`.
pub(crate) fn everything_in(data: &Path) -> String {
    let file = data.join("database.sqlite");
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let leaving = lines(
        &db,
        "SELECT id FROM dewar_files WHERE state = 'leaving'",
        |row| row.get(0),
    );
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'dewar_audit_%'
        AND name <> 'sqlite_sequence' ORDER BY name";
    let tables: Vec<String> = lines(&db, sql, |row| row.get(0));
    let mut all = Vec::new();
    for table in tables {
        let rows = steady(&table);
        all.extend(lines(&db, &format!("SELECT * FROM {rows}"), |row| {
            let columns = 0..row.as_ref().column_count();
            let values: Vec<_> = columns
                .map(|at| row.get_ref(at))
                .collect::<Result<_, _>>()?;
            Ok(format!("{table}: {values:?}"))
        }));
    }
    with_files((all, leaving), data)
}

/// These rows, and the names of the files, without those of the files that are leaving.
fn with_files((mut all, leaving): (Vec<String>, Vec<String>), data: &Path) -> String {
    let files = files_below(data);
    let names = files.iter().map(|path| path.display().to_string());
    let changes_by_itself = |name: &str| {
        let plain = name.replace('/', "");
        let leaves = leaving.iter().any(|id| plain.ends_with(id.as_str()));
        leaves || name.contains(".sqlite") || name.contains("audit.jsonl")
    };
    all.extend(names.filter(|name| !changes_by_itself(name)));
    all.join("\n")
}

/// An account with these roles, at [`address`] and with the common password.
pub(crate) async fn add(running: &Running, name: &str, roles: &[&str]) -> UserId {
    let person = NewUser {
        email: &address(name),
        name,
        password: PASSWORD,
    };
    let accounts = running.dewar().accounts();
    accounts.add(person, roles).await.unwrap()
}

pub(crate) fn address(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase())
}

pub(crate) async fn sign_in(browser: &Browser, email: &str, password: &str) -> TestResponse {
    let page = browser.get("/sign-in").await;
    let form = page
        .form("/sign-in")
        .fill("email", email)
        .fill("password", password);
    browser.submit(form).await
}

/// Hands a document in through the form; the response redirects to it.
pub(crate) async fn hand_in(
    browser: &Browser,
    title: &str,
    file: &str,
    bytes: &[u8],
) -> TestResponse {
    let page = browser.get("/documents/new").await;
    let form = page
        .form("/documents")
        .fill("title", title)
        .file("file", file, bytes.to_vec());
    browser.submit(form).await
}

/// The path of a new text document.
pub(crate) async fn document(browser: &Browser, title: &str) -> String {
    let answer = hand_in(browser, title, "note.txt", b"What was agreed.\n").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

/// A valid token for this browser's session, or for its pre-session.
pub(crate) async fn token(browser: &Browser) -> String {
    let page = browser.get("/account").await;
    let form = if page.status() == 200 {
        page.form("/sign-out")
    } else {
        browser.get("/sign-in").await.form("/sign-in")
    };
    form.value("csrf_token").unwrap()
}

/// The page with the form for this path, among others or as the page that asks for confirmation.
fn page_with(path: &str) -> Option<String> {
    let (before, act) = path.rsplit_once('/')?;
    match (path.split('/').nth(1)?, act) {
        ("admin", _) => Some("/admin/users".to_owned()),
        ("account", "name" | "picture") => Some("/account".to_owned()),
        ("account", "telephone") | ("documents", "delete") => Some(path.to_owned()),
        ("documents", "comments" | "shares") => Some(before.to_owned()),
        ("documents", "end") => Some(before.split("/shares/").next()?.to_owned()),
        ("notices", "withdraw") => Some("/".to_owned()),
        _ => None,
    }
}

/// The sealed version beside this form on that page, if the page is in reach.
pub(crate) async fn shown(browser: &Browser, path: &str) -> Option<String> {
    let page = browser.get(&page_with(path)?).await;
    // The unlock button is only beside locked users, and carries the same version as the other buttons.
    let action = path.replace("/unlock", "/disable");
    let field = format!("form[action=\"{action}\"] input[name=version]");
    (page.status() == 200).then(|| page.attribute(&field, "value"))?
}

/// Posts fields as the application's own page would, with the sealed version of the record that it shows.
pub(crate) async fn post(browser: &Browser, path: &str, fields: &str) -> TestResponse {
    let shown = if fields.contains("version=") {
        None
    } else {
        shown(browser, path).await
    };
    let separator = if fields.is_empty() { "" } else { "&" };
    let fields = match shown {
        Some(version) => format!("{fields}{separator}version={}", encoded(&version)),
        None => fields.to_owned(),
    };
    send(browser, path, &fields).await
}

/// Posts these fields and a token, and nothing else.
pub(crate) async fn send(browser: &Browser, path: &str, fields: &str) -> TestResponse {
    let token = token(browser).await;
    let request = browser
        .raw("POST", path)
        .header("sec-fetch-site", "same-origin");
    let request = request.header("accept", "text/html");
    let separator = if fields.is_empty() { "" } else { "&" };
    request
        .form(&format!("csrf_token={token}{separator}{fields}"))
        .send()
        .await
        .unwrap()
}

/// The sealed version in a form, ready to be posted along; empty if the page is out of reach.
pub(crate) async fn version(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await;
    if page.status() != 200 {
        return String::new();
    }
    let sealed = page.form(path).value("version").unwrap();
    format!("&version={}", encoded(&sealed))
}

pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Decides like the reviewer's page.
pub(crate) async fn decide(browser: &Browser, path: &str, fields: &str) -> TestResponse {
    let version = version(browser, path).await;
    post(browser, path, &format!("{fields}{version}")).await
}

fn lines(
    db: &Connection,
    sql: &str,
    line: impl FnMut(&Row<'_>) -> rusqlite::Result<String>,
) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], line).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// All files below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
