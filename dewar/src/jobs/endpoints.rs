//! The page for administrators.

use serde::Serialize;

use super::handle::{JobId, Jobs};
use super::rows::{self, Listed, STATES};
use crate::audit::{Entry, Event};
use crate::database::Db;
use crate::forms::{Cursor, Keyset, Line, Path, Query};
use crate::pages::{Error, Message, Page, Paged, Redirect, RequestContext};
use crate::secrets::KeyRing;

/// The path of the page. Mount [`page`] there, and [`retry`] at `/admin/jobs/{id}/retry`, under the administrator's role.
pub const PAGE: &str = "/admin/jobs";

/// The number of jobs on a page.
const SHOWN: usize = 50;

/// The latest first, because ids only grow.
const LATEST: Keyset<i64> = Keyset::new("dewar jobs, the latest first");

/// Which jobs the page shows.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Which {
    /// `failed`, `running` or `waiting`; `failed` without it.
    pub state: Option<Line<10>>,
    /// The place in the list.
    pub page: Option<Cursor>,
}

/// A job for the page.
#[derive(Debug, Serialize)]
struct JobView {
    id: i64,
    name: String,
    /// When it failed, or is due.
    at: i64,
    attempts: u32,
    problem: Option<String>,
}

/// `GET /admin/jobs`: the jobs that failed, run or wait, of all nodes, without their payloads.
///
/// ```
/// use dewar::{App, get, jobs, post, roles::Role};
/// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Staff { Member, #[role(administrator)] Administrator }
/// fn app(app: App) -> App {
///     app.role(Staff::Administrator, [
///         get(jobs::PAGE, jobs::page),
///         post("/admin/jobs/{id}/retry", jobs::retry),
///     ])
/// }
/// ```
///
/// # Errors
/// The database cannot be read; 400 for a place in another list.
pub async fn page(jobs: Jobs, keys: KeyRing, Query(which): Query<Which>) -> Result<Page, Error> {
    let wanted = which.state.as_ref().map(Line::as_str);
    let known = STATES.into_iter().find(|state| Some(*state) == wanted);
    let state = known.unwrap_or("failed");
    let place = LATEST.open(&keys, which.page.as_ref())?;
    let db = &jobs.inner.db;
    let found = Paged::read(place, SHOWN, |at| async move {
        rows::list(db, state, &at, SHOWN).await
    });
    let found = found.await?;
    let links = LATEST.links(&keys, &found, |job| job.id)?;
    let address = |cursor: String| format!("{PAGE}?state={state}&page={cursor}");
    let views: Vec<JobView> = found.rows.into_iter().map(view).collect();
    Ok(Page::new("jobs/list.html")
        .with("state", state)
        .with("counts", jobs.counts().await?)
        .with("previous", links.previous.map(address))
        .with("next", links.next.map(address))
        .with("jobs", views))
}

fn view(job: Listed) -> JobView {
    JobView {
        id: job.id,
        name: job.name,
        at: job.failed_at.unwrap_or(job.due_at),
        attempts: job.attempts,
        problem: job.problem,
    }
}

/// `POST /admin/jobs/{id}/retry`: lets a failed job run again, with all its attempts.
///
/// # Errors
/// 404 if there is no such failed job, or one with its key waits already.
pub async fn retry(
    db: Db,
    jobs: Jobs,
    context: RequestContext,
    Path(id): Path<i64>,
) -> Result<Redirect, Error> {
    let tx = db.begin().await?;
    if !jobs.retry(&tx, JobId::new(id)).await? {
        return Err(Error::not_found().public(Message::new("jobs-not-failed")));
    }
    let entry = Entry::new(Event::AuthzAdmin).subject(format_args!("job {id}"));
    let entry = context.describe(entry.detail("tried again"));
    tx.record(&context.services().log, entry).await?;
    tx.commit().await?;
    Ok(Redirect::to(PAGE).flash(Message::new("jobs-retried")))
}
