//! The program that only runs jobs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::app;
use crate::app::commands;
use crate::jobs::{Job, JobContext, JobError};

#[derive(Serialize, Deserialize)]
struct Nothing;

impl Job for Nothing {
    const NAME: &'static str = "nothing";

    async fn run(self, _: &JobContext) -> Result<(), JobError> {
        Ok(())
    }
}

/// A letter that the server sealed with a new key would fail here, and a payload too.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_jobs_learns_the_keys_that_the_server_uses() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let migrated = commands::run_with(app(&data, &["migrate"], &[]), std::io::empty()).await;
    migrated.unwrap();
    let worker = app(&data, &["jobs", "run"], &[]).job::<Nothing>();
    let worker = tokio::spawn(commands::run_with(worker, std::io::empty()));
    let log = || std::fs::read_to_string(data.join("audit.jsonl")).unwrap_or_default();
    // The worker reads the file every few seconds, and it may not have read it at all when the first new key comes.
    while !log().contains("is the current key") {
        assert!(!worker.is_finished(), "the worker ended");
        let rotated = app(&data, &["keys", "rotate"], &[]);
        commands::run_with(rotated, std::io::empty()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    worker.abort();
}
