use super::launch::{Plan, failed};
use crate::accounts;
use crate::audit::{Finding, Mode, Severity, Word, exposed};
use crate::database::{Db, Error, of_file};
use crate::https::acme::Acme;
use crate::secrets::KeyRing;
use crate::{https, roles, uploads};

impl Plan {
    /// What `check` asks: every question that can be asked without changing anything. No key is made and no table
    /// changed, also where the application runs beside it.
    pub(super) async fn examine(mut self) -> Vec<Finding> {
        if let Err(refused) = self.questions() {
            return refused;
        }
        let mut findings = std::mem::take(&mut self.findings);
        let config = &self.config;
        findings.extend(uploads::findings(&config.uploads));
        findings.extend(exposed(&config.data.join("audit.jsonl")));
        // A file that was named is asked for even where it is missing: none is made.
        let source = self.source();
        if source.is_named() || source.file().exists() {
            match self.keys() {
                Ok(ring) => findings.extend(ring.findings()),
                Err(refused) => findings.extend(refused),
            }
        }
        if config.https.files.is_some() {
            let prepared =
                https::prepare(&config.https, &config.data, config.mode, self.clock.now());
            let said = prepared.map_or_else(|refused| refused, |prepared| prepared.findings);
            // The settings were judged among the questions.
            let new = said
                .into_iter()
                .filter(|finding| !findings.contains(finding));
            let new: Vec<Finding> = new.collect();
            findings.extend(new);
        }
        let file = config.data.join("database.sqlite");
        let of_file = of_file(&file);
        let closed = !of_file.iter().any(|finding| finding.refuses_launch);
        findings.extend(of_file);
        if closed && file.exists() {
            match self.tables_as_they_are().await {
                Ok(said) => findings.extend(said),
                Err(error) => findings.extend(failed(Word::Database, "database-open", &error)),
            }
        }
        findings
    }

    /// Compares the tables with the program, and migrates none.
    async fn tables_as_they_are(&self) -> Result<Vec<Finding>, Error> {
        let file = self.config.data.join("database.sqlite");
        let db = Db::open(&file, &self.config.database)?;
        let mut findings: Vec<Finding> = db.findings().await?.into_iter().collect();
        let waiting = match db.migrations_pending(&self.migrations()).await {
            Ok(waiting) => waiting,
            Err(error) => {
                findings.extend(failed(Word::Database, "database-migrate", &error));
                return Ok(findings);
            }
        };
        if !waiting.is_empty() {
            findings.push(migrations_wait(&waiting));
            return Ok(findings);
        }
        if let Err(error) = db.register(&self.models()).await {
            findings.extend(failed(Word::Database, "database-migrate", &error));
        }
        findings.extend(self.certificate_as_it_stands(&db).await);
        let administrator = self.administrator();
        let holders = accounts::holders(&db, administrator.unwrap_or_default()).await?;
        findings.extend(roles::findings(administrator, holders));
        Ok(findings)
    }
}

impl Plan {
    /// What is known of the certificate that comes by ACME; nothing is ordered for the question.
    async fn certificate_as_it_stands(&self, db: &Db) -> Vec<Finding> {
        let https = &self.config.https;
        let Some(config) = https.acme.clone() else {
            return Vec::new();
        };
        // Keys that are wrong were reported above.
        let Ok(ring) = KeyRing::open_or_create(self.source(), Mode::Production) else {
            return Vec::new();
        };
        let shared = (db.clone(), ring, self.clock.clone());
        match Acme::open(config, https.hosts.clone(), shared).await {
            Ok(acme) => acme.findings(),
            Err(error) => failed(Word::Https, "https-acme-open", &error),
        }
    }
}

fn migrations_wait(names: &[&str]) -> Finding {
    let title = format!("migrations wait: {}", names.join(", "));
    Finding::warn(Word::Database, "database-migrations-wait", title)
        .severity(Severity::Info)
        .why("The tables are those of an older program; the next start or `migrate` changes them.")
        .fix("make a backup, then run `migrate`")
}
