//! Jobs: what a handler enqueues, who fills which share, and the page for administrators.

use dewar::audit::Clock;
use dewar::database::Migration;
use dewar::jobs::{self, Job, JobContext, JobError};
use dewar::roles::Role;
use dewar::testing::{Browser, Site, TestResponse};
use dewar::{App, Db, Jobs, Redirect, accounts, get, post};
use serde::{Deserialize, Serialize};

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
enum Staff {
    Member,
    #[role(administrator)]
    Administrator,
}

/// Writes the time into a table, or gives up.
#[derive(Serialize, Deserialize)]
struct Note {
    fails: bool,
}

impl Job for Note {
    const NAME: &'static str = "note";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        if self.fails {
            return Err(JobError::permanent("it cannot be noted"));
        }
        let now = context.dewar()?.clock().now();
        let currency = context.state::<Shop>()?.currency;
        let insert = "INSERT INTO noted (at, currency) VALUES (?, ?)";
        let values = [now.into(), currency.into()];
        context.db().execute(insert, values).await?;
        Ok(())
    }
}

#[derive(Clone)]
struct Shop {
    currency: &'static str,
}

async fn enqueue(db: Db, jobs: Jobs) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    jobs.enqueue(&tx, &Note { fails: false }).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

async fn enqueue_and_fail(db: Db, jobs: Jobs) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    jobs.enqueue(&tx, &Note { fails: false }).await?;
    Err(dewar::Error::forbidden())
}

async fn give_up(db: Db, jobs: Jobs) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    jobs.enqueue(&tx, &Note { fails: true }).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

const NOTED: Migration = Migration::new(
    "noted_0001",
    "CREATE TABLE noted (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, currency TEXT NOT NULL) STRICT",
);

fn app(app: App) -> App<Shop> {
    app.with_state(|_| Shop { currency: "EUR" })
        .job::<Note>()
        .migrations([NOTED])
        .public([
            get("/sign-in", accounts::sign_in_page),
            post("/sign-in", accounts::sign_in),
        ])
        .signed_in([
            get("/account/sessions", accounts::sessions_page),
            post("/sign-out", accounts::sign_out),
            get("/notes/new", enqueue),
            post("/notes", enqueue).dangerous_without_rate_limit("the test sends many"),
            post("/notes/failing", enqueue_and_fail),
            post("/notes/hopeless", give_up),
        ])
        .role(Staff::Member, [])
        .role(
            Staff::Administrator,
            [
                get(jobs::PAGE, jobs::page),
                post("/admin/jobs/{id}/retry", jobs::retry),
            ],
        )
}

async fn send(browser: &Browser, path: &str) -> TestResponse {
    let page = browser.get("/account/sessions").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    let request = browser
        .raw("POST", path)
        .header("sec-fetch-site", "same-origin")
        .header("accept", "text/html");
    let request = request.form(&format!("csrf_token={token}"));
    request.send().await.unwrap()
}

async fn noted(site: &Site) -> usize {
    let rows = site.db().query("SELECT at FROM noted", []).await.unwrap();
    rows.len()
}

async fn rows(site: &Site) -> usize {
    let rows = site.db().query("SELECT id FROM dewar_jobs", []);
    rows.await.unwrap().len()
}

/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_after_its_request_and_never_without_it() {
    let site = Site::start(app).await;
    let ada = site.sign_in_as(Staff::Member).await;
    assert_eq!(send(&ada, "/notes").await.status(), 303);
    assert_eq!((rows(&site).await, noted(&site).await), (1, 0));
    assert_eq!(site.run_jobs().await, 1);
    assert_eq!((rows(&site).await, noted(&site).await), (0, 1));
    assert_eq!(send(&ada, "/notes/failing").await.status(), 403);
    assert_eq!(rows(&site).await, 0, "the transaction was rolled back");
    // A link on another site cannot make her enqueue anything.
    assert_eq!(ada.get("/notes/new").await.status(), 500);
    assert_eq!((rows(&site).await, site.run_jobs().await), (0, 0));
}

/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_person_leaves_room_for_others() {
    let site = Site::start_with([("DEWAR_JOBS_MAX_PER_OWNER", "3")], app).await;
    let eve = site.sign_in_as(Staff::Member).await;
    let ada = site.sign_in_as(Staff::Member).await;
    for _ in 0..3 {
        assert_eq!(send(&eve, "/notes").await.status(), 303);
    }
    let refused = send(&eve, "/notes").await;
    assert_eq!(refused.status(), 429);
    assert!(
        refused.text().contains("still waiting"),
        "{}",
        refused.text()
    );
    assert_eq!(send(&ada, "/notes").await.status(), 303);
    assert_eq!(site.run_jobs().await, 4);
    assert_eq!(send(&eve, "/notes").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_failed_jobs_and_lets_them_run_again() {
    let site = Site::start(app).await;
    let ada = site.sign_in_as(Staff::Member).await;
    let root = site.sign_in_as(Staff::Administrator).await;
    assert_eq!(send(&ada, "/notes/hopeless").await.status(), 303);
    assert_eq!(site.run_jobs().await, 1);
    let page = root.get(jobs::PAGE).await;
    assert_eq!(page.status(), 200);
    let text = page.text();
    assert!(
        text.contains("it cannot be noted") && text.contains("<code lang=\"en\">note</code>"),
        "{text}"
    );
    let waiting = root.get("/admin/jobs?state=waiting").await;
    assert!(waiting.text().contains("No jobs in this state"));
    // Nobody else sees the page, or starts a job.
    assert_eq!(ada.get(jobs::PAGE).await.status(), 403);
    assert_eq!(send(&ada, "/admin/jobs/1/retry").await.status(), 403);
    assert_eq!(site.run_jobs().await, 0);
    let retried = root.submit(page.form("/admin/jobs/1/retry")).await;
    assert_eq!(retried.status(), 303);
    assert_eq!(
        send(&root, "/admin/jobs/1/retry").await.status(),
        404,
        "it waits already"
    );
    assert_eq!(site.run_jobs().await, 1);
    site.dewar().log().flush().await;
    let log = std::fs::read_to_string(site.data().join("audit.jsonl")).unwrap();
    assert!(
        log.contains("\"job 1\"") && log.contains("tried again"),
        "{log}"
    );
}

#[derive(Serialize, Deserialize)]
struct Nightly;

impl Job for Nightly {
    const NAME: &'static str = "nightly";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let insert = "INSERT INTO noted (at, currency) VALUES (?, 'EUR')";
        let now: &Clock = context.clock();
        context.db().execute(insert, [now.now().into()]).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_job_runs_when_its_time_has_come() {
    let site = Site::start(|unscheduled| app(unscheduled).daily_at("03:30", &Nightly)).await;
    site.clock()
        .advance(std::time::Duration::from_secs(24 * 3_600));
    assert_eq!(site.run_jobs().await, 1);
    assert_eq!(noted(&site).await, 1);
}
