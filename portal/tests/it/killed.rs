//! `kill -9` at any moment: after the next start nothing is incomplete.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use dewar::audit::{Log, Mode};
use dewar::database::{Config, Db, Migration};
use dewar::secrets::KeyRing;
use dewar::testing::{Browser, wait_until};
use dewar::{App, app::Running};

use crate::company::{ON_SQLITE, PASSWORD, add, hand_in, sign_in};

mod events;
mod files;
mod full;
mod orders;
mod program;

/// The real program, ended by its process id however the test ends.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it and waits for the address that it prints.
    pub(crate) fn serve(data: &Path) -> (Self, String) {
        Self::serve_with(data, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn serve_with(data: &Path, environment: &[(&str, &str)]) -> (Self, String) {
        let (program, printed) = Self::begin(data, environment);
        (program, Self::address(printed))
    }

    /// Starts it and reads all its output until it serves.
    pub(crate) fn welcome(data: &Path) -> (Self, Vec<String>) {
        let (program, mut printed) = Self::begin(data, &[]);
        // It is printed at once, so one read is enough.
        let mut text = vec![0; 64 * 1024];
        let length = printed.read(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text[..length]).into_owned();
        std::thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
        let lines = text.lines().map(|line| line.trim().to_owned());
        (program, lines.collect())
    }

    fn begin(data: &Path, environment: &[(&str, &str)]) -> (Self, ChildStdout) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
            .args([
                "serve",
                "--https",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(data)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let printed = child.stdout.take().unwrap();
        (Self(child), printed)
    }

    /// The address that a program prints, which was started elsewhere.
    fn address(printed: ChildStdout) -> String {
        let lines = BufReader::new(printed).lines();
        let mut lines = lines.map(|line| line.unwrap().trim().to_owned());
        let url = lines
            .find(|line| line.starts_with("https://"))
            .expect("the program printed no address");
        // Reads on, because a full pipe would block the program.
        std::thread::spawn(move || lines.for_each(drop));
        url
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The certificate of the local authority, in PEM.
pub(crate) fn authority(data: &Path) -> Vec<u8> {
    fs::read(data.join("local-authority/authority.pem")).unwrap()
}

pub(crate) fn browser(data: &Path, url: &str) -> Browser {
    Browser::new(url, &authority(data))
}

async fn in_process(data: &Path) -> Running {
    portal::app(App::in_directory_with(data, [ON_SQLITE]).unwrap())
        .start()
        .await
        .unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let all = paths.flat_map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    });
    all.filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_killed_half_way_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let running = in_process(data.path()).await;
    add(&running, "Ada", &["member"]).await;
    running.stop().await.unwrap();

    let (program, url) = Program::serve(data.path());
    let ada = browser(data.path(), &url);
    assert_eq!(
        sign_in(&ada, "ada@example.org", PASSWORD).await.status(),
        303
    );
    let token = ada
        .get("/documents/new")
        .await
        .form("/documents")
        .value("csrf_token")
        .unwrap()
        .to_owned();
    let session = ada.cookie("__Host-session").unwrap().value().to_owned();
    let head = format!(
        "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x\r\n\
         content-disposition: form-data; name=\"title\"\r\n\r\nHalf\r\n--x\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"half.txt\"\r\n\r\n"
    );
    let request = format!(
        "POST /documents HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncookie: __Host-session={session}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: 9000000\r\n\r\n{head}"
    );
    let mut socket = ada.socket().await.unwrap();
    socket.send(request.as_bytes()).await.unwrap();
    let uploads = data.path().join("uploads");
    socket.send(&vec![b'a'; 512 * 1024]).await.unwrap();
    wait_until("it is under way", async || {
        !files_below(&uploads).is_empty()
    })
    .await;
    assert_eq!(files_below(&uploads).len(), 1, "it was really under way");
    program.kill();
    assert_eq!(files_below(&uploads).len(), 1, "nobody has tidied up");

    let running = in_process(data.path()).await;
    assert_eq!(files_below(&uploads), Vec::<PathBuf>::new());
    let rows = "SELECT (SELECT count(*) FROM documents) + (SELECT count(*) FROM dewar_files)";
    assert_eq!(
        running.dewar().db().query(rows, []).await.unwrap()[0]
            .get::<i64>(0)
            .unwrap(),
        0
    );
    let ada = browser(data.path(), running.url());
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(
        hand_in(&ada, "Whole", "whole.txt", b"whole\n")
            .await
            .status(),
        303
    );
    running.stop().await.unwrap();
    let ring = KeyRing::open_or_create(&data.path().join("keys"), Mode::Development).unwrap();
    Log::verify_file(data.path().join("audit.jsonl"), ring.chain_keys()).expect("the log is whole");
}

const LONG: &[Migration] = &[
    Migration::new("long_0001", "CREATE TABLE first (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT"),
    Migration::new(
        "long_0002",
        "CREATE TABLE second (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT) STRICT;
         INSERT INTO second WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
             SELECT i, 'row ' || i FROM n;
         CREATE INDEX second_by_text ON second (text);",
    ),
];

/// The part of the killed process; without its variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, in a process of its own"]
async fn migrates_for_long() {
    let Some(file) = std::env::var_os("KILLED_DATABASE") else {
        return;
    };
    let db = Db::open(Path::new(&file), &Config::default()).unwrap();
    db.migrate(LONG).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_killed_half_way_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("database.sqlite");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::migrates_for_long"])
        .env("KILLED_DATABASE", &file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let program = Program(child);
    let log = data.path().join("database.sqlite-wal");
    let size = || fs::metadata(&log).map_or(0, |file| file.len());
    // SQLite writes pages into its log while the long statement runs.
    wait_until("it is under way", async || size() > 1024 * 1024).await;
    program.kill();
    assert!(size() > 1024 * 1024, "it was really under way: {}", size());

    let db = Db::open(&file, &Config::default()).unwrap();
    let tables = db
        .query(
            "SELECT name FROM sqlite_schema WHERE name IN ('first', 'second')",
            [],
        )
        .await
        .unwrap();
    let tables: Vec<String> = tables.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(
        tables,
        ["first"],
        "the first is done, the second is not there at all"
    );
    assert_eq!(db.migrations_pending(LONG).await.unwrap(), ["long_0002"]);
    assert_eq!(db.migrate(LONG).await.unwrap(), ["long_0002"]);
    let rows = db.query("SELECT count(*) FROM second", []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 3_000_000);
}
