//! The checks of the start and of `check`. Both use one list, so that they refuse the same.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::launch::{
    Blueprint, LaunchFindings, PageSetup, causes, failed, no_data, not_migrated, open_data,
    refuse_if_any, senders,
};
use super::run::cannot_listen;
use super::table::RouteTable;
use super::{links, settings};
use crate::accounts::{self, FactorPages};
use crate::audit::owner_only::TooOpen;
use crate::audit::{Finding, Log, Mode, Practice, Reserve, Severity, exposed, owner_only};
use crate::csrf::SenderKeys;
use crate::database::{Db, Error as DatabaseError, of_file, of_passwords};
use crate::dependencies;
use crate::https::acme::Acme;
use crate::mail::Mailer;
use crate::pages::AccountPage;
use crate::secrets::{Below, KeyRing, below};
use crate::uploads::Uploads;
use crate::{api, https, jobs, live, roles, sessions, uploads};

/// The pages of second factors in the route table.
fn factor_pages(table: &RouteTable) -> FactorPages {
    let steps = [AccountPage::Factors, AccountPage::SecondFactor];
    match steps.map(|page| table.takes_form_of(page)) {
        [true, true] => FactorPages::All,
        [false, false] => FactorPages::None,
        [true, false] | [false, true] => FactorPages::Some,
    }
}

impl Blueprint {
    /// Runs every check that needs no open room, and changes nothing, even if the application runs at the same time. The start
    /// runs it before it writes its first byte; `check` stops after it.
    pub(super) fn questions(&mut self) -> Result<PageSetup, LaunchFindings> {
        // Without the settings, every other check would be about another installation.
        if self
            .findings
            .iter()
            .any(|finding| finding.id == "settings-file")
        {
            refuse_if_any(&self.findings)?;
        }
        let shown = self.shown();
        let of_the_program = self.of_the_program(&shown);
        self.findings.extend(of_the_program);
        let of_the_operator = self.of_the_operator();
        self.findings.extend(of_the_operator);
        refuse_if_any(&self.findings)?;
        Ok(shown)
    }

    /// The findings that `check` prints: of these checks, and of the rooms as far as they can look without opening.
    pub(super) async fn examine(mut self) -> Vec<Finding> {
        if let Err(refused) = self.questions() {
            return refused;
        }
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(sessions::unreachable(&self.config.sessions).await);
        findings.extend(uploads::unreachable(&self.config.uploads).await);
        let db = self.database_to_read().await.ok().flatten();
        let pages = self.table.sends_files().then_some(self.base_url.as_str());
        let uploads = &self.config.uploads;
        let of_storage = Uploads::storage_findings(uploads, db.as_ref(), &self.clock, pages);
        findings.extend(of_storage.await);
        drop(db);
        match self.tables_as_they_are().await {
            Ok(said) => findings.extend(said),
            Err(refused) => findings.extend(refused),
        }
        findings
    }

    /// The findings about the settings, the routes and the content of the program.
    fn of_the_program(&mut self, shown: &PageSetup) -> Vec<Finding> {
        let Self {
            config,
            parts,
            table,
            ..
        } = self;
        let mut findings = std::mem::take(&mut parts.findings);
        findings.extend(table.findings());
        findings.extend(settings::unread(table, &parts.settings_types));
        findings.extend(jobs::findings(&parts.jobs, &config.jobs));
        findings.extend(live::findings(
            &config.live,
            config.https.limits.connections,
        ));
        let roles: Vec<&str> = parts.roles.iter().map(|role| role.name).collect();
        let administrator = parts.roles.iter().find(|role| role.administrator);
        findings.extend(api::findings(&parts.scopes, &roles));
        config.accounts.role_or(parts.sign_up_as);
        findings.extend(config.sessions.findings(&roles));
        findings.extend(config.mail.findings(config.mode));
        findings.extend(config.accounts.findings(&roles));
        let around = accounts::ProviderSurroundings {
            mode: config.mode,
            internal: &config.https.outgoing.internal,
            roles: &roles,
            administrator: administrator.map(|role| role.name),
            is_mounted: table.has_page(AccountPage::SignInAtProvider)
                && table.has_page(AccountPage::ProviderReturn),
        };
        findings.extend(accounts::provider_findings(&config.accounts, around));
        findings.extend(administrator.and_then(|role| config.accounts.gives_everybody(role.name)));
        if table.takes_form_of(AccountPage::SignUp) {
            let others = parts.roles.iter().filter(|role| !role.administrator);
            let others: Vec<&str> = others.map(|role| role.name).collect();
            findings.extend(config.accounts.gives_nobody(&others));
        }
        if table.takes_form_of(AccountPage::SignIn) {
            let administrator = administrator.map(|role| role.name);
            let mounted = factor_pages(table);
            let accounts = &config.accounts;
            findings.extend(accounts.of_second_factors(&roles, administrator, mounted));
        }
        findings.extend(parts_of_the_program(parts.lock_file));
        findings.extend(shown.languages.findings().iter().cloned());
        findings.extend(shown.languages.unknown_in(&parts.templates));
        findings.extend(shown.languages.labels_of_no_field(&table.label_ids()));
        let mut enums = table.choices();
        let scopes = parts.scopes.iter().filter(|scope| !scope.of.is_empty());
        for scope in scopes {
            enums.entry(scope.of).or_default().push(scope.name);
        }
        findings.extend(shown.languages.labels_of_choices(&enums));
        findings.extend(shown.templates.findings().iter().cloned());
        findings.extend(shown.templates.of_pages(&table.page_types(), parts.layout));
        findings.extend(links::findings(&parts.templates, table));
        findings.extend(shown.letters.findings().iter().cloned());
        let letters = parts.letters.iter();
        findings.extend(letters.flat_map(|letter| letter.findings(&shown.letters)));
        findings
    }

    /// The findings about the files that the operator provides, and about those of an earlier start. They come together with
    /// those about the settings, so that an installation that lacks three things reports three.
    fn of_the_operator(&self) -> Vec<Finding> {
        let config = &self.config;
        let mut findings = Vec::new();
        let data = owner_only::unusable_directory(&config.data);
        findings.extend(data.map(|error| no_data(&config.data, &error)));
        findings.extend(TooOpen::at(&config.data, 0o022).map(|open| open_data(&open)));
        match KeyRing::open_if_there(self.source(), config.mode) {
            Ok(ring) => findings.extend(ring.iter().flat_map(KeyRing::findings)),
            Err(refused) => findings.extend(refused),
        }
        let now = self.clock.now();
        findings.extend(https::examine(
            &config.https,
            &config.data,
            config.mode,
            now,
        ));
        findings.extend(not_of_this_machine(&config.https));
        let mut senders = senders(&self.table);
        senders.retain(|by| !self.makes_key_of(*by));
        let webhooks = SenderKeys::read(&config.secrets.webhooks, &senders);
        findings.extend(webhooks.err().into_iter().flatten());
        findings.extend(exposed(&self.log_file()));
        if let Some(error) = Log::unusable(&self.log_file()) {
            findings.extend(failed(Practice::Audit, "audit-log-open", &error));
        }
        findings.extend(Reserve::unusable(&config.data));
        let database = self.database_file();
        findings.extend(database.iter().flat_map(|file| of_file(file)));
        findings.extend(of_passwords(&config.database.location));
        if let Some(error) = Mailer::unusable(&config.mail) {
            findings.extend(failed(Practice::Accounts, "mail-open", &error));
        }
        findings.extend(uploads::findings(&config.uploads));
        if let Some(error) = Uploads::unusable(&config.uploads) {
            findings.extend(failed(Practice::Uploads, "uploads-open", &error));
        }
        if config.mode == Mode::Production {
            if let Some(database) = &database {
                findings.extend(in_memory(Practice::Database, database, below(database)));
            }
            let files = &config.uploads.directory;
            // The quarantine alone may be empty after a restart.
            if config.uploads.storage == uploads::StoragePlace::Disk {
                findings.extend(in_memory(Practice::Uploads, files, below(files)));
            }
        }
        findings
    }

    /// The existing database, if there is one, for reading.
    pub(super) async fn database_to_read(&self) -> Result<Option<Db>, LaunchFindings> {
        let refused = |error| failed(Practice::Database, "database-open", &error);
        if let Some(file) = self.database_file() {
            if !file.exists() {
                return Ok(None);
            }
            return Db::open_to_read(&file, &self.config.database)
                .map(Some)
                .map_err(refused);
        }
        let db = self.database()?;
        let has_tables = db.has_table("dewar_migrations").await.map_err(refused)?;
        Ok(Some(db).filter(|_| has_tables))
    }

    /// The findings of a start about the database. The pending migrations run on a copy of its tables.
    async fn tables_as_they_are(&self) -> Result<Vec<Finding>, LaunchFindings> {
        let migrating = |error| not_migrated(&error);
        let Some(db) = self.database_to_read().await? else {
            if self.database_file().is_none() {
                return Ok(Vec::new());
            }
            let empty = Db::temporary_file().map_err(migrating)?;
            return self.bring_up_to_date(&empty).await;
        };
        let waiting = db.migrations_pending(&self.migrations()).await;
        let waiting = waiting.map_err(migrating)?;
        let mut findings = match db.rehearsal().await.map_err(migrating)? {
            Some(copy) => self.bring_up_to_date(&copy).await?,
            None if waiting.is_empty() => self.compare(&db).await.map_err(migrating)?,
            None => self.tried(&db).await?,
        };
        if !waiting.is_empty() {
            findings.push(migrations_wait(&waiting));
            return Ok(findings);
        }
        findings.extend(self.certificate_as_it_stands(&db).await);
        let administrator = self.administrator();
        let holders = accounts::holders(&db, administrator.unwrap_or_default()).await;
        findings.extend(roles::findings(administrator, holders.map_err(migrating)?));
        let outdated = accounts::outdated_hashes(&db).await;
        findings.extend(outdated.map_err(migrating)?);
        Ok(findings)
    }

    /// The pending migrations, tried on PostgreSQL. What could not be tried is said.
    async fn tried(&self, db: &Db) -> Result<Vec<Finding>, LaunchFindings> {
        let tried = db.rehearse(&self.migrations(), &self.models()).await;
        let Err(error) = tried else {
            return Ok(Vec::new());
        };
        if is_untried(&error) {
            return Ok(vec![untried(&error)]);
        }
        Err(not_migrated(&error))
    }

    /// The state of the ACME certificate; this orders nothing.
    async fn certificate_as_it_stands(&self, db: &Db) -> Vec<Finding> {
        match self.acme_as_it_stands(db).await {
            Ok(acme) => acme.map(|acme| acme.findings()).unwrap_or_default(),
            Err(refused) => refused,
        }
    }

    /// The ACME certificate, if the settings use ACME and the keys can open it.
    pub(super) async fn acme_as_it_stands(&self, db: &Db) -> Result<Option<Acme>, LaunchFindings> {
        let https = &self.config.https;
        let Some(config) = https.acme.clone() else {
            return Ok(None);
        };
        let Some(ring) = KeyRing::open_if_there(self.source(), self.config.mode)? else {
            return Ok(None);
        };
        let shared = (db.clone(), ring, self.clock.clone());
        let acme = Acme::open(config, https.hosts.clone(), shared).await;
        acme.map(Some)
            .map_err(|error| failed(Practice::Https, "https-acme-open", &error))
    }
}

/// The settings with an address that this machine does not have. The application itself may use their ports, so this tries any
/// free port of the address.
fn not_of_this_machine(config: &https::Config) -> Vec<Finding> {
    let wrong = addresses(config)
        .into_iter()
        .filter_map(|(setting, address)| {
            let address = address?;
            let mut any_port: SocketAddr = address;
            any_port.set_port(0);
            let error = TcpListener::bind(any_port).err()?;
            Some(cannot_listen(address, setting, &error))
        });
    wrong.collect()
}

/// The settings with a port that another program uses, or that is not permitted: the start checks them before it writes anything.
/// `check` may run beside the application itself and skips them.
pub(super) fn ports_in_use(config: &https::Config) -> Vec<Finding> {
    let taken = addresses(config)
        .into_iter()
        .filter_map(|(setting, address)| {
            let address = address?;
            let error = TcpListener::bind(address).err()?;
            // Another check has reported an address that the machine does not have.
            (error.kind() != ErrorKind::AddrNotAvailable)
                .then(|| cannot_listen(address, setting, &error))
        });
    taken.collect()
}

/// The addresses that the application listens on, by the names of the settings.
fn addresses(config: &https::Config) -> [(&'static str, Option<SocketAddr>); 3] {
    [
        (config.address_setting(), config.tcp_address()),
        ("https.http_address", config.http_address),
        ("https.health", config.health),
    ]
}

/// A warning if rows or users' files lie on a file system that is empty after a restart of the machine.
fn in_memory(word: Practice, path: &Path, below: Below) -> Option<Finding> {
    if below != Below::Memory {
        return None;
    }
    let (id, setting) = if word == Practice::Uploads {
        ("uploads-in-memory", "uploads.directory")
    } else {
        ("database-in-memory", "data")
    };
    let title = format!(
        "{} is on a file system in memory and is lost at the next start",
        path.display()
    );
    Some(
        Finding::warn(word, id, title)
            .severity(Severity::High)
            .why("A file system in memory (tmpfs, ramfs) is empty after a restart of the machine or its container, and the data of the users is lost. Files on it use the program's memory.")
            .fix(format!("Set `{setting}` to a directory on a disk or a volume."))
            .cwe(404),
    )
}

fn parts_of_the_program(lock_file: Option<&str>) -> Vec<Finding> {
    let Some(text) = lock_file else {
        let finding = Finding::warn(
            Practice::Dependencies,
            "dependencies-unknown",
            "the program does not know its own dependencies",
        )
        .severity(Severity::Low)
        .why("its operator cannot ask it whether an advisory concerns it")
        .fix("give the application its lock file: `.lock_file(include_str!(\"../Cargo.lock\"))`")
        .asvs(&["15.1.2"]);
        return vec![finding];
    };
    match dependencies::Parts::of_lock_file(text) {
        Ok(parts) => parts.findings(),
        Err(error) => failed(Practice::Dependencies, "dependencies-unreadable", &error),
    }
}

/// Whether an error says nothing about a migration itself: the role is not at hand, or the tables are in use.
fn is_untried(error: &DatabaseError) -> bool {
    if let DatabaseError::Migration { source, .. } = error {
        return is_untried(source);
    }
    matches!(
        error,
        DatabaseError::Busy | DatabaseError::TimedOut | DatabaseError::Unreachable { .. }
    )
}

fn untried(error: &DatabaseError) -> Finding {
    let title =
        "the pending migrations were not tried, and the models not compared with their tables";
    Finding::warn(Practice::Database, "database-migrations-untried", title)
        .severity(Severity::Info)
        .why(causes(error))
        .fix("run `check` again while the tables are less in use, and with the role of `database.migration_user` at hand; the start itself waits for them")
}

fn migrations_wait(names: &[&str]) -> Finding {
    let title = format!("migrations wait: {}", names.join(", "));
    Finding::warn(Practice::Database, "database-migrations-wait", title)
        .severity(Severity::Info)
        .why("An older program created the tables; the next start or `migrate` changes them.")
        .fix("make a backup, then run `migrate`")
}
