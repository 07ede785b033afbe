//! Jobs and letters of requests, when the program is killed at any moment: after the last start, those of every acknowledged
//! request ran and arrived, and those of a transaction that was rolled back never did.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dewar::app::Running;
use dewar::audit::Clock;
use dewar::database::{Migration, Tx};
use dewar::forms::{self, Email};
use dewar::jobs::{Job, JobContext, JobError, Jobs};
use dewar::mail::Mailer;
use dewar::testing::Browser;
use dewar::{App, Db, Dewar, Redirect, post};
use serde::{Deserialize, Serialize};
use test_servers::{MailServer, MailServerTls};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Program, browser};
use crate::company::{Told, token};

/// The variable with the data directory of the killed program.
const DATA: &str = "KILLED_ORDERS";

const TRANSPORT: &str = "DEWAR_MAIL_TRANSPORT";

const CA_FILE: &str = "DEWAR_MAIL_CA_FILE";

const ORDERS: Migration = Migration::new(
    "orders_0001",
    "CREATE TABLE orders (number INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
     CREATE TABLE ran (id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, kind TEXT NOT NULL) STRICT;",
);

async fn tell(mailer: &Mailer, tx: &Tx, kind: &str, number: i64) -> Result<(), dewar::mail::Error> {
    let title = format!("{kind} {number}");
    let letter = Told {
        id: number,
        title: &title,
        approved: true,
        reason: None,
    };
    let to = Email::parse(&format!("{kind}-{number}@example.org")).unwrap();
    mailer.send(tx, to, &letter).await.map(drop)
}

/// A job whose changes, letter and end are one transaction.
#[derive(Serialize, Deserialize)]
struct Once {
    number: i64,
}

impl Job for Once {
    const NAME: &'static str = "once";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let tx = context.db().begin().await?;
        let insert = "INSERT INTO ran (number, kind) VALUES (?, 'once')";
        tx.execute(insert, [self.number.into()]).await?;
        let mailer = context.state::<Dewar>()?.mailer();
        tell(mailer, &tx, "once", self.number).await?;
        context.finish_in(&tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A job that may run again after its change.
#[derive(Serialize, Deserialize)]
struct Again {
    number: i64,
}

impl Job for Again {
    const NAME: &'static str = "again";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let insert = "INSERT INTO ran (number, kind) VALUES (?, 'again')";
        context.db().execute(insert, [self.number.into()]).await?;
        Ok(())
    }
}

/// Stores the order, its two jobs and its letter in one transaction.
async fn store(tx: &Tx, (jobs, mailer): (&Jobs, &Mailer), number: i64) -> dewar::Result {
    let insert = "INSERT INTO orders (number) VALUES (?)";
    tx.execute(insert, [number.into()]).await?;
    jobs.enqueue(tx, &Once { number }).await?;
    jobs.enqueue(tx, &Again { number }).await?;
    Ok(tell(mailer, tx, "order", number).await?)
}

async fn order(
    db: Db,
    jobs: Jobs,
    mailer: Mailer,
    forms::Path(number): forms::Path<i64>,
) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    store(&tx, (&jobs, &mailer), number).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

/// The same, and then rolled back.
async fn withdraw(
    db: Db,
    jobs: Jobs,
    mailer: Mailer,
    forms::Path(number): forms::Path<i64>,
) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    store(&tx, (&jobs, &mailer), number).await?;
    Err(dewar::Error::forbidden())
}

fn app(app: App) -> App {
    const MANY: &str = "the test sends as many as it can";
    portal::app(app)
        .migrations([ORDERS])
        .job::<Once>()
        .job::<Again>()
        .public([
            post("/orders/{id}", order).dangerous_without_rate_limit(MANY),
            post("/orders/{id}/withdrawn", withdraw).dangerous_without_rate_limit(MANY),
        ])
}

/// The settings of every start, without those of the mail server.
fn fixed() -> Vec<(String, String)> {
    let settings = [
        ("DEWAR_FORMS_RATE_LIMIT", "1000000"),
        ("DEWAR_JOBS_MAX_PER_OWNER", "100000"),
        ("DEWAR_MAIL_SENDER_LIMIT", "100000"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    settings.into()
}

/// The program that is killed; without its variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below, in a process of its own"]
async fn serves() {
    let Some(data) = std::env::var_os(DATA) else {
        return;
    };
    let mut settings = fixed();
    settings.push(("DEWAR_JOBS_CONCURRENCY".to_owned(), "4".to_owned()));
    for name in [TRANSPORT, CA_FILE] {
        let value = std::env::var_os(name).unwrap();
        settings.push((name.to_owned(), value.into_string().unwrap()));
    }
    let program = app(App::in_directory_with(Path::new(&data), settings).unwrap());
    program.run(["serve"]).await.unwrap();
}

/// The mail server, as the program finds it.
type MailSettings = [(&'static str, String); 2];

fn start(data: &Path, mail: &MailSettings) -> (Program, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "killed::orders::serves",
        ])
        .env(DATA, data)
        .envs(mail.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let printed = child.stdout.take().unwrap();
    (Program(child), Program::address(printed))
}

/// An answer of the program.
#[derive(Clone, Copy)]
enum Heard {
    /// The order was acknowledged.
    Stored(i64),
    /// It was refused at the end of its transaction.
    Withdrawn(i64),
}

/// Six senders of orders, every third of which is withdrawn, until the program answers no more.
async fn sending(visitor: Browser, next: &Arc<AtomicI64>) -> UnboundedReceiver<Heard> {
    let fields = format!("csrf_token={}", token(&visitor).await);
    let visitor = Arc::new(visitor);
    let (said, heard) = unbounded_channel();
    for _ in 0..6 {
        let (visitor, said, next) = (Arc::clone(&visitor), said.clone(), Arc::clone(next));
        let fields = fields.clone();
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let is_withdrawn = number % 3 == 0;
                let rest = if is_withdrawn { "/withdrawn" } else { "" };
                let path = format!("/orders/{number}{rest}");
                let request = visitor.raw("POST", &path);
                let request = request.header("sec-fetch-site", "same-origin");
                let Ok(answer) = request.form(&fields).send().await else {
                    return;
                };
                match (answer.status().as_u16(), is_withdrawn) {
                    (303, false) => said.send(Heard::Stored(number)).unwrap(),
                    (403, true) => said.send(Heard::Withdrawn(number)).unwrap(),
                    (status, _) => panic!("{path}: {status} {}", answer.text()),
                }
            }
        });
    }
    heard
}

/// What the senders heard, over all rounds.
#[derive(Default)]
struct Answers {
    stored: BTreeSet<i64>,
    withdrawn: BTreeSet<i64>,
}

impl Answers {
    fn add(&mut self, heard: Heard) {
        match heard {
            Heard::Stored(number) => self.stored.insert(number),
            Heard::Withdrawn(number) => self.withdrawn.insert(number),
        };
    }
}

/// Four rounds, or as many as `KILLED_ROUNDS` says.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test runs is no setting of the program"
)]
fn rounds() -> usize {
    std::env::var("KILLED_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap())
}

/// A number below this one, by chance.
fn chance(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// Starts the program and kills it in the middle of its requests, jobs and letters, again and again.
async fn kill_again_and_again(data: &Path, mail: &MailSettings) -> Answers {
    let mut answers = Answers::default();
    let next = Arc::new(AtomicI64::new(1));
    for _ in 0..rounds() {
        let (program, url) = start(data, mail);
        let mut heard = sending(browser(data, &url), &next).await;
        for _ in 0..10 + chance(60) {
            answers.add(heard.recv().await.unwrap());
        }
        // Any moment of the next requests will do, so nothing depends on how long this is.
        tokio::time::sleep(Duration::from_micros(chance(20_000))).await;
        program.kill();
        while let Some(more) = heard.recv().await {
            answers.add(more);
        }
    }
    answers
}

/// Runs what the killed programs have left, with a clock that is ahead: their leases are over.
async fn run_the_rest(data: &Path, mail: &MailSettings) -> Running {
    let clock = Clock::manual(Clock::system().now() + 3600);
    let mail = mail
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let settings = fixed().into_iter().chain(mail);
    let last = app(App::in_directory_with(data, settings).unwrap());
    let last = last.clock(clock.clone()).start().await.unwrap();
    let left = "SELECT (SELECT count(*) FROM dewar_jobs WHERE name IN ('once', 'again'))
        + (SELECT count(*) FROM dewar_letters WHERE state = 'waiting')";
    for _ in 0..10 {
        last.run_jobs().await.unwrap();
        last.dewar().mailer().settle().await;
        let rows = last.dewar().db().query(left, []).await.unwrap();
        if rows[0].get::<i64>(0).unwrap() == 0 {
            return last;
        }
        clock.advance(Duration::from_secs(3600));
    }
    panic!("jobs or letters are left");
}

/// How often each pair of a kind and a number is there.
type Counts = BTreeMap<(String, i64), usize>;

async fn runs(running: &Running) -> Counts {
    let sql = "SELECT kind, number FROM ran UNION ALL SELECT 'stored', number FROM orders";
    let rows = running.dewar().db().query(sql, []).await.unwrap();
    let mut counts = Counts::new();
    for row in rows {
        let pair = (row.get(0).unwrap(), row.get(1).unwrap());
        *counts.entry(pair).or_default() += 1;
    }
    counts
}

/// The letters that arrived, by kind and number; copies of one have one `Message-ID`.
fn letters(server: &MailServer) -> Counts {
    let mut counts = Counts::new();
    let mut ids: BTreeMap<(String, i64), String> = BTreeMap::new();
    for letter in server.letters() {
        let header = |name: &str| {
            let line = letter.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        let subject = header("Subject: Approved: ");
        let (kind, number) = subject.split_once(' ').unwrap();
        let pair = (kind.to_owned(), number.parse().unwrap());
        let id = header("Message-ID: ");
        let known = ids.entry(pair.clone()).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "{pair:?} are two letters");
        *counts.entry(pair).or_default() += 1;
    }
    counts
}

/// At least once, and not at all for a transaction that was rolled back.
fn check(answers: &Answers, ran: &Counts, arrived: &Counts) {
    let count = |counts: &Counts, kind: &str, number| {
        let found = counts.get(&(kind.to_owned(), number));
        found.copied().unwrap_or(0)
    };
    for number in &answers.stored {
        assert_eq!(count(ran, "stored", *number), 1, "order {number} is lost");
        assert_eq!(count(ran, "once", *number), 1, "job once {number}");
        assert!(
            count(ran, "again", *number) >= 1,
            "job again {number} is lost"
        );
        for kind in ["order", "once"] {
            assert!(
                count(arrived, kind, *number) >= 1,
                "letter {kind} {number} is lost"
            );
        }
    }
    // Whether or not its answer was heard: each third order is withdrawn.
    let all = ran.keys().chain(arrived.keys());
    let undone: Vec<_> = all.filter(|(_, number)| number % 3 == 0).collect();
    assert!(undone.is_empty(), "withdrawn, and yet there: {undone:?}");
    // An order without an answer is there as a whole, or not at all.
    let of = |counts: &Counts, kind: &str| -> BTreeSet<i64> {
        let of_kind = counts.keys().filter(|(one, _)| one == kind);
        of_kind.map(|(_, number)| *number).collect()
    };
    let stored = of(ran, "stored");
    for (counts, kind) in [
        (ran, "once"),
        (ran, "again"),
        (arrived, "order"),
        (arrived, "once"),
    ] {
        assert_eq!(of(counts, kind), stored, "{kind}");
    }
    assert!(
        ran.iter()
            .all(|((kind, _), count)| kind == "again" || *count == 1)
    );
}

/// How many of a kind there were more than once, for whoever runs many rounds.
fn report(answers: &Answers, ran: &Counts, arrived: &Counts) {
    let of = |counts: &Counts, kind: &str| {
        let all = || counts.iter().filter(|((one, _), _)| one == kind);
        let twice = all().filter(|(_, count)| **count > 1).count();
        format!("{kind} {} ({twice} more than once)", all().count())
    };
    let text = format!(
        "{} rounds, {} acknowledged, {} withdrawn; jobs: {}, {}; letters: {}, {}\n",
        rounds(),
        answers.stored.len(),
        answers.withdrawn.len(),
        of(ran, "once"),
        of(ran, "again"),
        of(arrived, "order"),
        of(arrived, "once"),
    );
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn no_job_and_no_letter_of_an_acknowledged_request_is_lost_when_the_program_is_killed() {
    let server = MailServer::open(MailServerTls::Implicit).await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("mail.pem");
    std::fs::write(&authority, server.authority_pem()).unwrap();
    let mail = [
        (TRANSPORT, server.transport("")),
        (CA_FILE, authority.display().to_string()),
    ];
    let data = folder.path().join("data");
    let answers = kill_again_and_again(&data, &mail).await;
    let last = run_the_rest(&data, &mail).await;
    let (ran, arrived) = (runs(&last).await, letters(&server));
    last.stop().await.unwrap();
    report(&answers, &ran, &arrived);
    check(&answers, &ran, &arrived);
    assert!(answers.stored.len() > rounds() && !answers.withdrawn.is_empty());
}
