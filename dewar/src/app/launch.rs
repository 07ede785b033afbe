use std::path::Path;
use std::sync::Arc;

use super::build::Parts;
use super::config::Config;
use super::rooms::Rooms;
use super::{Dewar, RouteTable};
use crate::accounts::{self, Accounts};
use crate::audit::{Clock, Finding, Log, Mode, Severity, Word, owner_only};
use crate::csrf::{Signed, Webhooks};
use crate::database::{Db, Migration, Table};
use crate::dependencies;
use crate::forms::Intake;
use crate::https::{self, Certificates, LocalAuthority};
use crate::pages::{Assets, Languages, Templates};
use crate::roles::Access;
use crate::secrets::KeyRing;
use crate::sessions::{self, Sessions};
use crate::uploads::{self, Uploads};

/// What an application is made of, before its rooms are open.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) table: RouteTable,
    pub(super) clock: Clock,
    /// What is already known to be wrong.
    pub(super) findings: Vec<Finding>,
}

/// The rooms, open, with the certificate to serve with and what the rooms had to say.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) dewar: Dewar,
    pub(super) certificates: Arc<Certificates>,
    pub(super) authority: Option<LocalAuthority>,
    pub(super) findings: Vec<Finding>,
}

/// Everything that forbids the launch, and what beside it was found.
pub(super) type Refused = Vec<Finding>;

impl Plan {
    /// Asks what can be asked before anything is opened, so that a slip in the settings makes no directory.
    pub(super) fn questions(&mut self) -> Result<(), Refused> {
        let Self {
            config,
            parts,
            table,
            findings,
            ..
        } = self;
        findings.append(&mut parts.findings);
        findings.extend(table.findings());
        let roles: Vec<&str> = parts.roles.iter().map(|role| role.name).collect();
        findings.extend(config.sessions.findings(&roles));
        findings.extend(config.accounts.findings(config.mode, &roles));
        findings.extend(https::check(&config.https, config.mode));
        findings.extend(parts_of_the_program(parts.lock_file));
        if self.config.mode == Mode::Production {
            let missing = self.what_the_operator_brings();
            self.findings.extend(missing);
        }
        refuse_if_any(&self.findings)
    }

    /// What is wrong with the files that production makes none of: keys and certificate. They are asked for together with
    /// the settings, so that an installation that lacks three things is told of three.
    fn what_the_operator_brings(&self) -> Vec<Finding> {
        let keys = self.config.data.join("keys");
        let ring = KeyRing::open_or_create(&keys, self.config.mode).err();
        let certificate = https::unusable(&self.config.https, self.clock.now());
        let webhooks = Webhooks::load(&keys, &senders(&self.table), self.clock.clone()).err();
        [ring, certificate, webhooks]
            .into_iter()
            .flatten()
            .flatten()
            .collect()
    }

    /// The migrations of all rooms and of the application, in the order in which they run.
    pub(super) fn migrations(&self) -> Vec<Migration> {
        let rooms = [
            accounts::MIGRATIONS,
            sessions::MIGRATIONS,
            uploads::MIGRATIONS,
        ];
        rooms
            .into_iter()
            .flatten()
            .cloned()
            .chain(self.parts.migrations.iter().cloned())
            .collect()
    }

    fn models(&self) -> Vec<Table> {
        accounts::models()
            .into_iter()
            .chain(self.parts.models.iter().cloned())
            .collect()
    }

    /// Opens the keys, which come before everything that is written.
    pub(super) fn keys(&self) -> Result<KeyRing, Refused> {
        owner_only::create_directory(&self.config.data)
            .map_err(|error| vec![no_data(&self.config.data, &error)])?;
        KeyRing::open_or_create(&self.config.data.join("keys"), self.config.mode)
    }

    /// Opens the database, as it is.
    pub(super) fn database(&self) -> Result<Db, Refused> {
        let file = self.config.data.join("database.sqlite");
        Db::open(&file, &self.config.database)
            .map_err(|error| failed(Word::Database, "database-open", &error))
    }

    /// Opens every room, in the order in which they lean on each other, and asks each its questions.
    ///
    /// # Errors
    /// Everything that forbids the launch, at once where it can be: a room that cannot be opened ends it.
    pub(super) async fn open(mut self) -> Result<Opened, Refused> {
        self.questions()?;
        let ring = self.keys()?;
        self.findings.extend(ring.findings());
        let (config, clock) = (&self.config, &self.clock);
        let log = Log::open(
            config.data.join("audit.jsonl"),
            ring.chain_keys(),
            clock.clone(),
        )
        .map_err(|error| failed(Word::Audit, "audit-log-open", &error))?;
        let db = self.tables().await?;
        let prepared = https::prepare(&config.https, &config.data, config.mode, clock.now())?;
        let sessions = self.sessions(&db, &log).await?;
        let accounts = Accounts::open(self.accounts_needs(&db, &log, &sessions))
            .map_err(|error| failed(Word::Accounts, "accounts-open", &error))?;
        let uploads = self.files(&db, &log).await?;
        let intake = Intake::new(config.forms, config.uploads.quarantine());
        let webhooks = Webhooks::load(
            &config.data.join("keys"),
            &senders(&self.table),
            clock.clone(),
        )?;
        let (assets, languages, templates) = self.pages();

        let mut findings = self.findings;
        findings.extend(log.findings());
        findings.extend(prepared.findings);
        findings.extend(uploads::findings(&config.uploads, &[]));
        findings.extend(languages.findings().iter().cloned());
        findings.extend(languages.unknown_in(&self.parts.templates));
        findings.extend(templates.findings().iter().cloned());
        refuse_if_any(&findings)?;
        let dewar = Dewar::new(Rooms {
            accounts,
            assets,
            clock: clock.clone(),
            db,
            intake,
            languages,
            log,
            ring,
            sessions,
            templates,
            uploads,
            webhooks,
        });
        Ok(Opened {
            dewar,
            certificates: prepared.certificates,
            authority: prepared.authority,
            findings,
        })
    }

    /// The database, brought up to date, with every model compared with its table.
    async fn tables(&self) -> Result<Db, Refused> {
        let db = self.database()?;
        let ready = async {
            db.migrate(&self.migrations()).await?;
            db.register(&self.models()).await
        };
        let wrong = |error| failed(Word::Database, "database-migrate", &error);
        ready.await.map_err(wrong)?;
        Ok(db)
    }

    /// The sessions, in the store that the settings name.
    async fn sessions(&self, db: &Db, log: &Log) -> Result<Sessions, Refused> {
        let mut roles = self.parts.roles.iter();
        let administrator = roles.find(|role| role.administrator);
        let administrator = administrator.map(|role| role.name);
        let (config, clock) = (self.config.sessions.clone(), self.clock.clone());
        Sessions::open(db.clone(), config, administrator, clock, log.clone()).await
    }

    /// The kept files, without what a killed process left half done.
    async fn files(&self, db: &Db, log: &Log) -> Result<Uploads, Refused> {
        let config = self.config.uploads.clone();
        let wrong = |error| failed(Word::Uploads, "uploads-open", &error);
        let uploads =
            Uploads::open(config, db.clone(), log.clone(), self.clock.clone()).map_err(wrong)?;
        uploads.sweep().await.map_err(wrong)?;
        Ok(uploads)
    }

    /// What is shown, and in which languages.
    fn pages(&self) -> (Assets, Languages, Templates) {
        let parts = &self.parts;
        let assets = Assets::load(&parts.static_files);
        let languages = parts
            .languages
            .as_ref()
            .map_or_else(Languages::english, |(first, files)| {
                Languages::load(first, files)
            });
        let templates = Templates::load(&parts.templates, assets.clone(), self.config.mode);
        (assets, languages, templates)
    }

    fn accounts_needs(&self, db: &Db, log: &Log, sessions: &Sessions) -> accounts::Needs {
        let roles = &self.parts.roles;
        accounts::Needs {
            clock: self.clock.clone(),
            config: self.config.accounts.clone(),
            db: db.clone(),
            log: log.clone(),
            roles: accounts::Roles {
                administrator: roles
                    .iter()
                    .find(|role| role.administrator)
                    .map(|role| role.name),
                all: roles.iter().map(|role| role.name).collect(),
            },
            sessions: sessions.clone(),
            site: self.config.name.clone(),
        }
    }
}

fn refuse_if_any(findings: &[Finding]) -> Result<(), Refused> {
    if findings.iter().any(|finding| finding.refuses_launch) {
        Err(findings.to_vec())
    } else {
        Ok(())
    }
}

/// The senders that stand in the route table, each once.
fn senders(table: &RouteTable) -> Vec<Signed> {
    let mut senders: Vec<Signed> = Vec::new();
    for entry in table.entries() {
        if let Access::Webhook(by) = entry.access
            && !senders.contains(&by)
        {
            senders.push(by);
        }
    }
    senders
}

fn parts_of_the_program(lock_file: Option<&str>) -> Vec<Finding> {
    let Some(text) = lock_file else {
        let finding = Finding::warn(
            Word::Dependencies,
            "dependencies-unknown",
            "the program does not know its own parts",
        )
        .severity(Severity::Low)
        .why("whoever runs it cannot ask it whether an advisory concerns it")
        .fix("give the application its lock file: `.lock_file(include_str!(\"../Cargo.lock\"))`")
        .asvs(&["15.1.2"]);
        return vec![finding];
    };
    match dependencies::Parts::of_lock_file(text) {
        Ok(parts) => parts.findings(),
        Err(error) => failed(Word::Dependencies, "dependencies-unreadable", &error),
    }
}

fn no_data(directory: &Path, error: &std::io::Error) -> Finding {
    let title = format!(
        "the data directory {} cannot be used: {error}",
        directory.display()
    );
    Finding::refuse(Word::Secrets, "secrets-no-data-directory", title)
        .why("keys, database and files live there, for one user alone")
        .fix("name a directory that this user may write: `--data DIR`, `data = \"DIR\"` in dewar.toml, or DEWAR_DATA")
}

/// A room that cannot be opened, with the whole chain of causes, which is what the operator needs.
pub(super) fn failed(
    word: Word,
    id: &'static str,
    error: &(dyn std::error::Error + 'static),
) -> Refused {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        why = format!("{why}: {deeper}");
        source = deeper.source();
    }
    vec![
        Finding::refuse(
            word,
            id,
            format!("the room `{}` cannot be opened", word.as_str()),
        )
        .why(why)
        .fix("mend what the cause names, and start again"),
    ]
}
