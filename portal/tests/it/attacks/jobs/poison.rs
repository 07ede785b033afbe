//! Jobs that do not work, and what they may not do to the others.

use super::*;

/// The job of an older program, and the one of today: the same name, another payload.
#[derive(Serialize, Deserialize)]
struct Older {
    person: String,
}

impl Job for Older {
    const NAME: &'static str = "remind";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Newer {
    person: i64,
}

impl Job for Newer {
    const NAME: &'static str = "remind";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

/// A payload that no longer parses fails after its attempts, names no value, and stops no other job.
///
/// ASVS: V1.5.2, V16.2.5, V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_payload_that_no_longer_parses_fails_alone_and_is_not_shown() {
    const PERSON: &str = "ada-the-first@example.org";
    let data = tempfile::tempdir().unwrap();
    let portal = Portal::with_more(data, &[], |app| app.job::<Older>()).await;
    let tx = portal.db().begin().await.unwrap();
    let job = Older {
        person: PERSON.to_owned(),
    };
    enqueue_in(&portal, &tx, &job).await;
    tx.commit().await.unwrap();
    let data = portal.close().await;
    let portal = Portal::with_more(data, &[], |app| with_jobs(app).job::<Newer>()).await;
    enqueue(&portal, 1, Then::Done, "").await;
    run_to_the_end(&portal).await;
    assert_eq!(ran_in(&portal), [1]);
    let problem = "the payload does not fit this version of the program";
    assert_eq!(
        rows(&portal).await,
        [("failed".to_owned(), 3, problem.to_owned())]
    );
    let root = portal.administrator().await;
    let page = root.get(jobs::PAGE).await.text();
    assert!(
        page.contains(problem) && !page.contains("ada-the-first"),
        "{page}"
    );
    assert!(!portal.log().await.contains("ada-the-first"));
}

/// Rows that somebody changed in the database run as nothing, and do not stop the others.
///
/// ASVS: V1.5.2, V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_row_runs_as_nothing_and_stops_no_other_job() {
    let portal = open(&[]).await;
    for number in 1..=6 {
        enqueue(&portal, number, Then::Done, "").await;
    }
    let of = |number| format!("(SELECT MIN(id) + {number} FROM dewar_jobs WHERE name = 'act')");
    let copied = format!(
        "UPDATE dewar_jobs SET payload = (SELECT payload FROM dewar_jobs AS o WHERE o.id = {}) WHERE id = {}",
        of(4),
        of(0)
    );
    for change in [
        copied,
        format!("UPDATE dewar_jobs SET payload = '' WHERE id = {}", of(1)),
        format!(
            "UPDATE dewar_jobs SET payload = 'AAAA' WHERE id = {}",
            of(2)
        ),
        format!(
            "UPDATE dewar_jobs SET name = 'no-such-job' WHERE id = {}",
            of(3)
        ),
    ] {
        portal.outside(&change).await;
    }
    run_to_the_end(&portal).await;
    assert_eq!(ran_in(&portal), [5, 6]);
    let problem = "the payload cannot be opened with the keys of this node";
    let unopened = || ("failed".to_owned(), 3, problem.to_owned());
    let unknown = ("waiting".to_owned(), 0, String::new());
    assert_eq!(
        rows(&portal).await,
        [unopened(), unopened(), unopened(), unknown]
    );
}

/// A payload that is too large is refused with its request, and nothing of the request is stored.
///
/// ASVS: V2.3.3, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_too_large_is_refused_with_its_transaction() {
    let portal = open(&[]).await;
    let ada = portal.member("ada").await;
    assert_eq!(ask(&ada, &portal, "/attack/member", "huge").await, 500);
    let named = "SELECT count(*) FROM dewar_users WHERE name = 'Ordered'";
    assert_eq!(
        (rows(&portal).await.len(), portal.count(named).await),
        (0, 0)
    );
    assert_eq!(ask(&ada, &portal, "/attack/member", "small").await, 303);
    assert_eq!(
        (rows(&portal).await.len(), portal.count(named).await),
        (1, 1)
    );
}

/// A job that panics and one that never ends are failed attempts. The others run, and the pages respond.
///
/// ASVS: V16.5.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_or_never_ends_stops_no_other_job_and_no_page() {
    let portal = open(&[]).await;
    enqueue(&portal, 1, Then::Panic, "").await;
    let tx = portal.db().begin().await.unwrap();
    enqueue_in(&portal, &tx, &Endless).await;
    tx.commit().await.unwrap();
    enqueue(&portal, 2, Then::Done, "").await;
    run_to_the_end(&portal).await;
    assert_eq!(ran_in(&portal), [1, 2, 1, 1]);
    assert_eq!(
        rows(&portal).await,
        [
            ("failed".to_owned(), 3, "it panicked".to_owned()),
            (
                "failed".to_owned(),
                2,
                "it took longer than its timeout".to_owned()
            ),
        ]
    );
    assert_eq!(portal.visitor().get("/").await.status(), 200);
}

/// Jobs that fail together come back few times, later each time, and not together.
///
/// ASVS: V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_failing_jobs_ends_and_is_spread_out() {
    const JOBS: i64 = 40;
    let portal = open(&[]).await;
    for number in 0..JOBS {
        let then = if number % 2 == 0 {
            Then::Fail
        } else {
            Then::AtOnce
        };
        enqueue(&portal, number, then, "").await;
    }
    portal.running.run_jobs().await.unwrap();
    portal.running.run_jobs().await.unwrap();
    assert_eq!(ran_in(&portal).len(), 40, "no attempt follows at once");
    let due = "SELECT count(DISTINCT due_at) FROM dewar_jobs WHERE state = 'waiting' AND problem = 'it failed'";
    assert!(portal.count(due).await > 1, "they come back together");
    run_to_the_end(&portal).await;
    assert_eq!(ran_in(&portal).len(), 3 * 40);
    portal.running.run_jobs().await.unwrap();
    assert_eq!(ran_in(&portal).len(), 3 * 40);
}

/// A job that enqueues more of itself fills the queue to its bound and no further. The schedules, and the jobs that wait, run.
///
/// ASVS: V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_multiplies_ends_at_the_bound_of_the_queue() {
    let portal = open(&[("DEWAR_JOBS_MAX_WAITING", "10")]).await;
    enqueue(&portal, 1, Then::Multiply, "").await;
    for _ in 0..4 {
        portal.running.run_jobs().await.unwrap();
        let left = rows(&portal).await;
        let waiting = left.iter().filter(|row| row.0 == "waiting").count();
        assert!((2..=11).contains(&waiting), "{left:?}");
        // With a full queue, the ticks of the portal's own schedules are due too.
        portal.clock.advance(Duration::from_secs(2 * 3600));
    }
    assert!(ran_in(&portal).len() > 10);
    assert_eq!(portal.visitor().get("/").await.status(), 200);
}

/// A field of a job's payload becomes no header and no line of a letter (CWE-93).
///
/// ASVS: V1.3.11
#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_a_job_adds_no_header_to_its_letter() {
    let portal = open(&[]).await;
    let words =
        "Plans\r\nBcc: eve@example.org\r\nContent-Type: text/html\r\n\r\nYour account is locked";
    enqueue(&portal, 1, Then::Write, words).await;
    portal.running.run_jobs().await.unwrap();
    let letters = portal.running.letters().await;
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}");
    };
    let one = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(letter.subject(), format!("Approved: {one}"));
    let outbox = crate::company::files_below(&portal.data.path().join("outbox"));
    let written = std::fs::read_to_string(&outbox[0]).unwrap();
    let (head, _) = written.split_once("\r\n\r\n").unwrap();
    for line in head.lines() {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        assert!(name != "bcc", "{head}");
    }
    assert_eq!(
        head.matches("Content-Type: multipart/").count(),
        1,
        "{head}"
    );
    let begins = |word: &str| letter.text().lines().any(|line| line.starts_with(word));
    assert!(
        !begins("Bcc") && !begins("Your account"),
        "{}",
        letter.text()
    );
}
