//! The room as a whole, without HTTP.
mod attached;
mod lists;
mod messages;
mod queued;
mod sent;

use std::borrow::Cow;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::server::{Destination, Server};
use super::*;
use crate::audit::{Clock, Log, Mode};
use crate::database::{self, Db};
use crate::forms::Email;
use crate::pages::{Assets, Bundle, Languages, LetterTemplates, Templates};
use crate::secrets::KeyRing;
use test_servers::MailServer;

/// Has another program read a letter: a script of Python, which prints JSON.
#[expect(
    clippy::disallowed_types,
    reason = "another program has to read the letter, and its command has no text of a visitor"
)]
fn read_by_python(reader: &str, letter: &str) -> serde_json::Value {
    let python = std::process::Command::new("python3")
        .args(["-c", reader])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = python.unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(letter.as_bytes()).unwrap();
    drop(stdin);
    let done = python.wait_with_output().unwrap();
    assert!(done.status.success(), "{letter}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A note with two values.
#[derive(Debug, Letter)]
#[letter(template = "letters/note")]
pub(super) struct Note<'a> {
    pub(super) title: &'a str,
    pub(super) words: &'a str,
}

/// A letter in text and in HTML.
#[derive(Debug, Letter)]
#[letter(template = "letters/rich")]
pub(super) struct Rich<'a> {
    pub(super) title: &'a str,
    pub(super) id: u32,
}

/// A letter in HTML alone.
#[derive(Debug, Letter)]
#[letter(template = "letters/bare")]
pub(super) struct Bare<'a> {
    pub(super) title: &'a str,
}

/// A letter with a link that expires.
#[derive(Debug, Letter)]
#[letter(template = "letters/short", valid_minutes = 60)]
pub(super) struct Short {
    pub(super) link: String,
}

/// A letter of a mailing list.
#[derive(Debug, Letter)]
#[letter(template = "letters/news", list = "news")]
pub(super) struct News<'a> {
    pub(super) title: &'a str,
}

const FILES: [(&str, &str); 7] = [
    (
        "letters/note.txt",
        "Subject: {{ t(\"letter-welcome\") }}: {{ title }}\n\nHello,\n{{ words }}\n\n{{ words|quoted }}\n\n{{ origin }}/notes\n",
    ),
    (
        "letters/rich.txt",
        "Subject: {{ title }}\n\n{{ title }}: {{ origin }}/rich/{{ id }}\n",
    ),
    (
        "letters/rich.html",
        "<p style=\"color: #333\" title=\"{{ title }}\">{{ title }}</p><a href=\"{{ origin }}/rich/{{ id }}\">Read</a>",
    ),
    (
        "letters/bare.html",
        "<title>{{ title }}</title><h1>Hello</h1><p>It is <a href=\"{{ origin }}/bare\">here</a>.</p>",
    ),
    (
        "letters/news.txt",
        "Subject: {{ title }}\n\nNews. No more of them:\n{{ unsubscribe }}\n",
    ),
    (
        "letters/news.html",
        "<p>News: {{ title }}. <a href=\"{{ unsubscribe }}\">No more of them</a></p>",
    ),
    (
        "letters/short.txt",
        "Subject: A link\n\nIt expires:\n{{ link }}\n",
    ),
];

fn bundle() -> Bundle {
    Bundle::inside(
        |name| {
            let mut files = FILES.into_iter();
            let (_, text) = files.find(|(file, _)| *file == name)?;
            Some(Cow::Borrowed(text.as_bytes()))
        },
        || FILES.map(|(name, _)| Cow::Borrowed(name)).into(),
    )
}

pub(super) fn templates(bundle: Bundle) -> LetterTemplates {
    let html = Templates::load(&[bundle], Assets::default(), Mode::Production);
    assert_eq!(html.findings(), []);
    LetterTemplates::load(&[bundle], html)
}

pub(super) struct House {
    pub(super) mailer: Mailer,
    pub(super) clock: Clock,
    pub(super) db: Db,
    pub(super) log: Log,
    pub(super) ring: KeyRing,
    pub(super) config: Config,
    pub(super) folder: tempfile::TempDir,
}

impl House {
    pub(super) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_800_000_000);
        let db = Db::temporary().unwrap();
        db.migrate(&[MIGRATIONS, database::MIGRATIONS].concat())
            .await
            .unwrap();
        let log = Log::open(folder.path().join("audit.log"), [7; 32], clock.clone()).unwrap();
        let mut config = Config {
            destination: Destination::Outbox(folder.path().join("outbox")),
            from: "Paperhouse <no-reply@example.org>".to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let ring = KeyRing::ephemeral();
        let parts = (db.clone(), log.clone(), ring.clone());
        Self {
            mailer: Mailer::open(needs(config.clone(), &clock, parts)).unwrap(),
            clock,
            db,
            log,
            ring,
            config,
            folder,
        }
    }

    /// The same application after a kill.
    pub(super) fn again(&self) -> Mailer {
        let parts = (self.db.clone(), self.log.clone(), self.ring.clone());
        Mailer::open(needs(self.config.clone(), &self.clock, parts)).unwrap()
    }

    /// Queues a letter in a transaction of its own.
    pub(super) async fn send(&self, to: &str, letter: &impl Letter) -> Result<LetterStatus, Error> {
        let tx = self.db.begin().await?;
        let status = self.mailer.send(&tx, address(to), letter).await?;
        tx.commit().await?;
        Ok(status)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The letters in the outbox.
    pub(super) async fn letters(&self) -> Vec<String> {
        self.mailer.settle().await;
        letters_in(&self.folder.path().join("outbox"))
    }

    pub(super) async fn states(&self) -> Vec<(String, Option<String>)> {
        let find = "SELECT state, reason FROM dewar_letters ORDER BY id";
        let rows = self.db.query(find, []).await.unwrap();
        let state = |row: &database::Row| (row.get(0).unwrap(), row.get(1).unwrap());
        rows.iter().map(state).collect()
    }
}

fn needs(config: Config, clock: &Clock, (db, log, ring): (Db, Log, KeyRing)) -> Dependencies {
    Dependencies {
        clock: clock.clone(),
        config,
        db,
        log,
        ring,
        templates: templates(bundle()),
        languages: Languages::english(),
        letters: vec![
            LetterType::of::<Note<'_>>(),
            LetterType::of::<Rich<'_>>(),
            LetterType::of::<Bare<'_>>(),
            LetterType::of::<Short>(),
            LetterType::of::<News<'_>>(),
        ],
        base_url: "https://portal.example.org/".to_owned(),
        host: "portal.example.org".to_owned(),
    }
}

pub(super) fn address(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(super) fn letters_in(outbox: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(outbox)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let read = |path| std::fs::read_to_string(path).unwrap();
    files.into_iter().map(read).collect()
}

/// The settings for this mail server, with trust in its authority.
pub(super) fn settings(folder: &Path, server: &MailServer, user: &str) -> Server {
    let authority = folder.join("authority.pem");
    std::fs::write(&authority, server.authority_pem()).unwrap();
    Server {
        authority: Some(authority),
        ..Server::parse(&server.transport(user)).unwrap()
    }
}
