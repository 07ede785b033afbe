//! Jobs: who may see and start them, and what one of them can do to the others.

mod nodes;
mod poison;
mod secrets;

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use dewar::database::Tx;
use dewar::forms::{Email, Line};
use dewar::jobs::{self, Job, JobContext, JobError, Jobs, Queue};
use dewar::testing::{Browser, Cookies};
use dewar::{App, Db, Dewar, Form, Redirect, post};
use portal::Role;
use serde::{Deserialize, Serialize};

use crate::company::{Portal, Told, encoded, send, token};

/// The jobs that ran: whose test, and which one.
static RAN: LazyLock<Mutex<Vec<(String, i64)>>> = LazyLock::new(Mutex::default);

fn ran() -> MutexGuard<'static, Vec<(String, i64)>> {
    RAN.lock().unwrap()
}

/// The numbers of the jobs of this portal that ran, in their order.
fn ran_in(portal: &Portal) -> Vec<i64> {
    let tag = tag(portal);
    let ran = ran();
    let own = ran.iter().filter(|(whose, _)| *whose == tag);
    own.map(|(_, number)| *number).collect()
}

/// What distinguishes the jobs of a portal from those of other tests.
fn tag(portal: &Portal) -> String {
    portal.data.path().display().to_string()
}

/// What a job of an attack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    /// Asks to be tried again at once.
    AtOnce,
    Done,
    Fail,
    /// Fails with an error whose text has the words of the payload.
    FailWithWords,
    /// Never works.
    GiveUp,
    /// Enqueues two more of itself.
    Multiply,
    Panic,
    /// Sends a letter with the words.
    Write,
}

/// A job that does as its payload says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Act {
    tag: String,
    number: i64,
    then: Then,
    words: String,
}

impl Job for Act {
    const NAME: &'static str = "act";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        ran().push((self.tag.clone(), self.number));
        match self.then {
            Then::AtOnce => Err(JobError::retry("again").after(Duration::ZERO)),
            Then::Done => Ok(()),
            Then::Fail => Err(JobError::retry("it failed")),
            Then::FailWithWords => Err(std::io::Error::other(self.words))?,
            Then::GiveUp => Err(JobError::permanent("it never works")),
            Then::Multiply => {
                let tx = context.db().begin().await?;
                for _ in 0..2 {
                    context.jobs().enqueue(&tx, &self).await?;
                }
                tx.commit().await?;
                Ok(())
            }
            Then::Panic => panic!("on purpose: {}", self.words),
            Then::Write => {
                let letter = Told {
                    id: self.number,
                    title: &self.words,
                    approved: true,
                    reason: None,
                };
                let to = Email::parse("ada@example.org").unwrap();
                let mailer = context.state::<Dewar>()?.mailer();
                let tx = context.db().begin().await?;
                mailer.send(&tx, to, &letter).await?;
                tx.commit().await?;
                Ok(())
            }
        }
    }
}

/// A job without an end, with the time of a moment.
#[derive(Serialize, Deserialize)]
struct Endless;

impl Job for Endless {
    const NAME: &'static str = "endless";
    const QUEUE: Queue = Queue::new("slow", 1);
    const MAX_ATTEMPTS: u32 = 2;
    const TIMEOUT: Duration = Duration::from_millis(20);

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        std::future::pending().await
    }
}

/// What a request enqueues.
#[derive(Form, Debug)]
struct Order {
    tag: Line<400>,
    words: Line<100>,
}

/// Enqueues a job for the caller. The word `huge` is a payload that is too large.
async fn order(db: Db, jobs: Jobs, form: Form<Order>) -> dewar::Result<Redirect> {
    let order = form.or_reject()?;
    let words = order.words.as_str();
    let is_huge = words == "huge";
    let act = Act {
        tag: order.tag.to_string(),
        number: 0,
        then: Then::Done,
        words: if is_huge {
            "x".repeat(64 * 1024)
        } else {
            words.to_owned()
        },
    };
    let tx = db.begin().await?;
    tx.execute("UPDATE dewar_users SET name = 'Ordered'", [])
        .await?;
    jobs.enqueue(&tx, &act).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

const MANY: &str = "the test of a bound sends many";

fn with_jobs(app: App) -> App {
    app.job::<Act>()
        .job::<Endless>()
        .public([post("/attack/visitor", order).dangerous_without_rate_limit(MANY)])
        .role(
            Role::Member,
            [post("/attack/member", order).dangerous_without_rate_limit(MANY)],
        )
}

async fn open(settings: &[(&str, &str)]) -> Portal {
    Portal::with_more(tempfile::tempdir().unwrap(), settings, with_jobs).await
}

/// Enqueues a job that counts for no owner.
async fn enqueue(portal: &Portal, number: i64, then: Then, words: &str) {
    let act = Act {
        tag: tag(portal),
        number,
        then,
        words: words.to_owned(),
    };
    let tx = portal.db().begin().await.unwrap();
    enqueue_in(portal, &tx, &act).await;
    tx.commit().await.unwrap();
}

async fn enqueue_in(portal: &Portal, tx: &Tx, job: &impl Job) {
    let jobs = portal.running.dewar().jobs();
    jobs.enqueue(tx, job).await.unwrap();
}

/// The jobs of attacks: state, attempts and problem.
async fn rows(portal: &Portal) -> Vec<(String, i64, String)> {
    let sql = "SELECT state, attempts, COALESCE(problem, '') FROM dewar_jobs
        WHERE name <> 'index-documents' AND name <> 'remove-old-notices' ORDER BY id";
    let rows = portal.db().query(sql, []).await.unwrap();
    let rows = rows.iter();
    rows.map(|row| {
        (
            row.get(0).unwrap(),
            row.get(1).unwrap(),
            row.get(2).unwrap(),
        )
    })
    .collect()
}

/// Lets all attempts of all jobs happen.
async fn run_to_the_end(portal: &Portal) {
    for _ in 0..12 {
        portal.running.run_jobs().await.unwrap();
        portal.clock.advance(Duration::from_secs(2 * 3600));
    }
}

/// The status of a request for a job from the member's or the visitor's page.
async fn ask(browser: &Browser, portal: &Portal, path: &str, words: &str) -> u16 {
    let fields = format!("tag={}&words={words}", encoded(&tag(portal)));
    send(browser, path, &fields).await.status().as_u16()
}

/// The path that lets the failed job run again.
async fn failed(portal: &Portal) -> String {
    enqueue(portal, 1, Then::GiveUp, "").await;
    portal.running.run_jobs().await.unwrap();
    let sql = "SELECT id FROM dewar_jobs WHERE state = 'failed'";
    format!("/admin/jobs/{}/retry", portal.count(sql).await)
}

/// Only an administrator sees jobs and lets them run again, and only by the button of the page.
///
/// ASVS: V8.2.1, V8.3.1, V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_s_own_click_lets_a_job_run_again() {
    let portal = open(&[]).await;
    let retry = failed(&portal).await;
    let root = portal.person("grace", &["member", "administrator"]).await;
    let ada = portal.member("ada").await;
    let others = [
        (portal.visitor(), 303, 401),
        (portal.person("ned", &[]).await, 403, 403),
        (ada.another(), 303, 401),
        (portal.person("rob", &["reviewer"]).await, 403, 403),
    ];
    for (number, (browser, read, changed)) in others.iter().enumerate() {
        let page = browser.get(jobs::PAGE).await;
        assert_eq!(page.status(), *read, "{number}");
        assert!(!page.text().contains("it never works"), "{}", page.text());
        let sent = send(browser, &retry, "").await;
        assert_eq!(sent.status(), *changed, "{number}: {}", sent.text());
    }
    let (api, _) = portal.api_token("grace", &["documents_read"]).await;
    for (method, path) in [("GET", jobs::PAGE), ("POST", &retry)] {
        let answer = portal.program(&api, method, path).send().await.unwrap();
        assert_ne!(answer.status(), 200, "{method}");
        assert!(!answer.text().contains("it never works"));
    }
    // In the administrator's browser, without the page's own token.
    let theirs = token(&ada).await;
    let foreign = format!("csrf_token={theirs}");
    for (site, fields) in [
        ("same-origin", ""),
        ("same-origin", "csrf_token="),
        ("same-origin", foreign.as_str()),
        ("cross-site", ""),
    ] {
        let request = root.raw("POST", &retry).header("sec-fetch-site", site);
        let answer = request.form(fields).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{site} {fields}");
    }
    let link = root
        .raw("GET", &retry)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(link.send().await.unwrap().status(), 403);
    assert_eq!(root.get(&retry).await.status(), 405);
    let without = root.raw("POST", &retry).cookies(Cookies::No);
    assert_eq!(without.form("").send().await.unwrap().status(), 403);
    portal.running.run_jobs().await.unwrap();
    assert_eq!(ran_in(&portal), [1], "none of them let it run");
    // The button works, once.
    let page = root.get(jobs::PAGE).await;
    let form = || page.form(&retry);
    let (one, other) = tokio::join!(root.submit(form()), root.submit(form()));
    let mut statuses = [one.status().as_u16(), other.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    portal.running.run_jobs().await.unwrap();
    assert_eq!(ran_in(&portal), [1, 1]);
}

/// Numbers that are no job, and states that are none, change and show nothing.
///
/// ASVS: V2.2.1, V1.2.4
#[tokio::test(flavor = "multi_thread")]
async fn made_up_numbers_and_states_of_jobs_lead_nowhere() {
    let portal = open(&[]).await;
    failed(&portal).await;
    enqueue(&portal, 2, Then::Done, "").await;
    let root = portal.administrator().await;
    for id in [
        "0",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
        "1%20OR%201=1",
        "2", // it waits, and has not failed
        "%00",
    ] {
        let answer = send(&root, &format!("/admin/jobs/{id}/retry"), "").await;
        let status = answer.status().as_u16();
        assert!((400..500).contains(&status), "{id}: {status}");
    }
    for query in [
        "state=failed'--",
        "state=%00",
        "state=waiting%27%20OR%201",
        "page=AAAA",
        "page=-1",
        "state=failed&state=waiting",
    ] {
        let answer = root.get(&format!("{}?{query}", jobs::PAGE)).await;
        assert!(
            answer.status().as_u16() < 500,
            "{query}: {}",
            answer.status()
        );
    }
    let states: BTreeSet<_> = rows(&portal).await.into_iter().map(|row| row.0).collect();
    assert_eq!(
        states,
        BTreeSet::from(["failed".to_owned(), "waiting".to_owned()])
    );
}

/// One person, and one network without a session, has a bounded share of the queue, whatever their jobs become.
///
/// ASVS: V2.4.1, V15.4.4
#[tokio::test(flavor = "multi_thread")]
async fn one_person_does_not_fill_the_queue() {
    let settings = [
        ("DEWAR_JOBS_MAX_PER_OWNER", "3"),
        ("DEWAR_JOBS_MAX_FAILED", "2"),
    ];
    let portal = open(&settings).await;
    let eve = portal.member("eve").await;
    let ada = portal.member("ada").await;
    let again = portal.visitor();
    let signed = crate::company::sign_in(&again, "eve@example.org", crate::company::PASSWORD);
    assert_eq!(signed.await.status(), 303);
    for _ in 0..3 {
        assert_eq!(ask(&eve, &portal, "/attack/member", "a").await, 303);
    }
    // Another session is no other person, and neither is another route.
    for path in ["/attack/member", "/attack/visitor"] {
        for browser in [&eve, &again] {
            assert_eq!(ask(browser, &portal, path, "a").await, 429, "{path}");
        }
    }
    for _ in 0..3 {
        assert_eq!(
            ask(&portal.visitor(), &portal, "/attack/visitor", "a").await,
            303
        );
    }
    assert_eq!(
        ask(&portal.visitor(), &portal, "/attack/visitor", "a").await,
        429
    );
    assert_eq!(rows(&portal).await.len(), 6);
    assert_eq!(ask(&ada, &portal, "/attack/member", "a").await, 303);
    portal.running.run_jobs().await.unwrap();
    assert_eq!(ran_in(&portal).len(), 7);
    assert_eq!(ask(&eve, &portal, "/attack/member", "a").await, 303);
}
