//! A job: work after the response, again after a failure, and every night.

use dewar::database::Migration;
use dewar::jobs::{Job, JobContext, JobError, Jobs};
use dewar::pages::Text;
use dewar::{App, Db, Redirect, get, post};

#[derive(serde::Serialize, serde::Deserialize)]
struct Count;

impl Job for Count {
    const NAME: &'static str = "count";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let add = "INSERT INTO counts (at) VALUES (1)";
        context.db().execute(add, []).await?;
        Ok(())
    }
}

async fn index(db: Db) -> dewar::Result<Text> {
    let rows = db.query("SELECT count(*) FROM counts", []).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    Ok(Text::new(format!("counted {count} times")))
}

async fn count(db: Db, jobs: Jobs) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    jobs.enqueue(&tx, &Count).await?;
    tx.commit().await?;
    Ok(Redirect::to("/"))
}

const COUNTS: Migration = Migration::new(
    "counts",
    "CREATE TABLE counts (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL) STRICT",
);

pub fn app(app: App) -> App {
    app.public([get("/", index), post("/count", count)])
        .daily_at("03:30", &Count)
        .migrations([COUNTS])
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test]
    async fn a_job_of_a_committed_transaction_runs() {
        let site = Site::start(super::app).await;
        let tx = site.db().begin().await.unwrap();
        site.dewar()
            .jobs()
            .enqueue(&tx, &super::Count)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        site.run_jobs().await;
        assert_eq!(site.visitor().get("/").await.text(), "counted 1 times");
    }
}
