use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::build::Parts;
use super::config::Config;
use super::developer::Developer;
use super::rate_limit::SharedCounts;
use super::rooms::Rooms;
use super::{Dewar, RouteTable};
use crate::accounts::{self, Accounts};
use crate::api::{self, ApiTokens};
use crate::audit::owner_only::TooOpen;
use crate::audit::{
    Clock, Finding, Log, Mode, NodeName, Opening, Practice, Remembered, Reserve, owner_only,
};
use crate::csrf::{self, SenderKeys, WebhookAuth, Webhooks};
use crate::database::{self, Db, Error as DatabaseError, Location, Migration, NodeLock, Table};
use crate::forms::{Intake, MostUnderWay};
use crate::https::acme::{self, Acme};
use crate::https::{self, Certificates, LocalAuthority, PreparedHttps, Reports};
use crate::jobs::{self, Jobs};
use crate::live::{self, Live};
use crate::mail::{self, Mailbox, Mailer};
use crate::outgoing::Client;
use crate::pages::{
    self, AccountPage, Assets, Languages, LetterTemplates, Mounted, SettingValues, Templates,
};
use crate::roles::Access;
use crate::secrets::{KeyRing, KeySource, SharedKeys};
use crate::sessions::{self, Sessions, UserId};
use crate::uploads::{self, Uploads};

/// The parts of an application, before its rooms are open.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) table: RouteTable,
    pub(super) clock: Clock,
    /// The origin under which visitors reach it, such as `https://portal.example.org`.
    pub(super) base_url: String,
    /// The page for developers, in development alone.
    pub(super) developer: Option<Developer>,
    /// The findings so far.
    pub(super) findings: Vec<Finding>,
    pub(super) purpose: LaunchPurpose,
}

/// Why the rooms are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaunchPurpose {
    /// For a command, which may run beside the program of its node.
    Command,
    /// To serve: one program at a time has the name of the node.
    Serve,
}

/// The migrated database.
struct OpenTables {
    db: Db,
    findings: Vec<Finding>,
    node: NodeLock,
    remembered: Remembered,
}

/// The open rooms, with the certificate to serve with and the rooms' findings.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) dewar: Dewar,
    pub(super) certificates: Arc<Certificates>,
    pub(super) authority: Option<LocalAuthority>,
    pub(super) acme: Option<Acme>,
    pub(super) findings: Vec<Finding>,
}

/// The parts of pages.
#[derive(Debug)]
pub(super) struct PageSetup {
    pub(super) assets: Assets,
    pub(super) languages: Languages,
    pub(super) templates: Templates,
    pub(super) letters: LetterTemplates,
}

/// Everything that forbids the launch, and the other findings.
pub(super) type LaunchFindings = Vec<Finding>;

impl Blueprint {
    /// The migrations of all rooms and of the application, in the order in which they run.
    pub(super) fn migrations(&self) -> Vec<Migration> {
        let rooms = [
            accounts::MIGRATIONS,
            acme::MIGRATIONS,
            sessions::MIGRATIONS,
            accounts::MIGRATIONS_AFTER_SESSIONS,
            csrf::MIGRATIONS,
            uploads::MIGRATIONS,
            mail::MIGRATIONS,
            database::MIGRATIONS,
            jobs::MIGRATIONS,
            api::MIGRATIONS,
            live::MIGRATIONS,
        ];
        rooms
            .into_iter()
            .flatten()
            .cloned()
            .chain(self.parts.migrations.iter().cloned())
            .collect()
    }

    pub(super) fn models(&self) -> Vec<Table> {
        accounts::models()
            .into_iter()
            .chain(self.parts.models.iter().cloned())
            .collect()
    }

    /// Opens the keys. They come before everything that writes.
    pub(super) fn keys(&self) -> Result<KeyRing, LaunchFindings> {
        owner_only::create_directory(&self.config.data)
            .map_err(|error| vec![no_data(&self.config.data, &error)])?;
        KeyRing::open_or_create(self.source(), self.config.mode)
    }

    /// The place of the keys, with the application's clock.
    pub(super) fn source(&self) -> KeySource {
        self.config.secrets.source.clone().clock(self.clock.clone())
    }

    /// The file of the database, if it is one.
    pub(super) fn database_file(&self) -> Option<PathBuf> {
        match &self.config.database.location {
            Location::Sqlite(file) => Some(self.config.data.join(file)),
            Location::Postgres(_) => None,
        }
    }

    /// Opens the database without migrating it.
    pub(super) fn database(&self) -> Result<Db, LaunchFindings> {
        let config = &self.config.database;
        Db::at(&config.location, &self.config.data, config)
            .map_err(|error| failed(Practice::Database, "database-open", &error))
    }

    /// Opens every room, in the order of their dependencies, and runs the checks of each.
    ///
    /// # Errors
    /// Everything that forbids the launch, all at once where possible: a room that cannot be opened ends it.
    #[expect(
        clippy::too_many_lines,
        reason = "readers can see the order of all rooms on one page"
    )]
    pub(super) async fn open(mut self) -> Result<Opened, LaunchFindings> {
        let (shown, ring) = (self.questions()?, self.keys()?);
        let (config, clock) = (&self.config, &self.clock);
        let tables = self.tables().await?;
        let db = tables.db.clone().of_the_framework();
        // After the database, which has stored where the log ended.
        let log = self.log(&ring, &db, tables.remembered).await?;
        let (prepared, acme) = self.certificate(&db, &ring).await?;
        let sessions = self.sessions(&db, &log).await?;
        let (jobs, of_jobs) = self.jobs(&db, &ring).await?;
        let mailer = self.mailer(&shown, (&db, &log, &ring))?;
        let outgoing = Client::new(config.https.outgoing.clone());
        let (accounts, tokens) =
            self.callers((&db, &log, &ring), &sessions, (&mailer, &outgoing))?;
        let live = self.live(&db, &sessions, &tokens);
        let (uploads, of_files) = self.files(&db, &log).await?;
        let reserve = Reserve::take(&config.data, config.audit.reserve);
        let (intake, webhooks) = (self.intake(&reserve, &uploads), self.webhooks(&db)?);
        let mut findings = self.findings;
        let now_known = [
            ring.findings(),
            log.findings(),
            reserve.finding().into_iter().collect(),
            prepared.findings,
            of_files,
            of_jobs,
            tables.findings,
        ];
        add_new(&mut findings, now_known)?;
        let dewar = Dewar::new(Rooms {
            mounted: leads_to(&self.table, &accounts),
            reports: Reports::new(log.clone(), clock.clone()),
            accounts,
            acme: acme.clone(),
            assets: shown.assets,
            certificates: Arc::clone(&prepared.certificates),
            clock: clock.clone(),
            counts: SharedCounts::new(sessions.clone(), clock.clone(), ring.clone()),
            db: tables.db,
            intake,
            jobs,
            outgoing,
            languages: shown.languages,
            live,
            log,
            mailbox: Mailbox::of(config.mode, &config.mail),
            mailer,
            node: tables.node,
            reserve,
            ring,
            sessions,
            settings: self.parts.settings,
            templates: shown.templates,
            tokens,
            uploads,
            webhooks,
        });
        Ok(Opened {
            dewar,
            certificates: prepared.certificates,
            authority: prepared.authority,
            acme,
            findings,
        })
    }

    /// The jobs, with the findings about those that wait.
    async fn jobs(&self, db: &Db, ring: &KeyRing) -> Result<(Jobs, Vec<Finding>), LaunchFindings> {
        let rooms = (db.clone(), ring.clone(), self.clock.clone());
        let opened = async {
            let registry = self.parts.jobs.clone();
            let jobs = Jobs::open(self.config.jobs.clone(), registry, rooms).await?;
            let findings = jobs.findings().await?;
            Ok::<_, DatabaseError>((jobs, findings))
        };
        let opened = opened.await;
        opened.map_err(|error| failed(Practice::Database, "jobs-open", &error))
    }

    /// The connections that stay open.
    fn live(&self, db: &Db, sessions: &Sessions, tokens: &ApiTokens) -> Live {
        Live::new(live::Dependencies {
            clock: self.clock.clone(),
            config: self.config.live.clone(),
            db: db.clone(),
            sessions: sessions.clone(),
            tokens: tokens.clone(),
        })
    }

    /// Whether this start makes the key of a sender, as it makes its other keys in development.
    pub(super) fn makes_key_of(&self, by: WebhookAuth) -> bool {
        self.config.mode == Mode::Development
            && SharedKeys::can_be_made(&self.config.secrets.webhooks, by.sender())
    }

    /// The senders of webhooks, with their keys.
    fn webhooks(&self, db: &Db) -> Result<Webhooks, LaunchFindings> {
        let folder = &self.config.secrets.webhooks;
        let senders = senders(&self.table);
        for by in senders.iter().filter(|by| self.makes_key_of(**by)) {
            drop(SharedKeys::create(folder, by.sender(), None)?);
            let file = folder.path.join(by.sender());
            tracing::warn!(
                sender = by.sender(),
                file = %file.display(),
                "development: made the key of a webhook's sender. In production, run `keys webhook new`"
            );
        }
        let senders = SenderKeys::read(folder, &senders)?;
        Ok(Webhooks::new(senders, db.clone(), self.clock.clone()))
    }

    /// The limits of forms.
    fn intake(&self, reserve: &Reserve, uploads: &Uploads) -> Intake {
        let config = &self.config;
        let uploads = uploads.clone();
        let kept = move |person| {
            let uploads = uploads.clone();
            async move {
                let used = uploads.used_by(UserId::new(person)).await;
                used.map(|used| used.bytes).map_err(busy_or_other)
            }
        };
        Intake::new(config.forms, config.uploads.quarantine())
            .with_min_password_length(config.accounts.min_password_length)
            .bounded(MostUnderWay {
                files: config.forms.files + config.uploads.max_per_owner,
                bytes: config.uploads.quota_bytes,
                all_files: config.uploads.under_way_files,
                all: config.uploads.under_way,
            })
            .keeping_free(config.uploads.free())
            .beside_kept(kept)
            .beside(reserve.clone())
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.config.data.join("audit.jsonl")
    }

    /// The audit log. Its chain continues under the current keys, from the end that the database has stored.
    async fn log(
        &self,
        ring: &KeyRing,
        db: &Db,
        remembered: Remembered,
    ) -> Result<Log, LaunchFindings> {
        let opening = Opening {
            keeping: self.config.audit.keeping(),
            node: self.config.node.clone(),
            remembered,
            ..Opening::default()
        };
        let keys = ring.chain_keys();
        let log = Log::open_with(&self.log_file(), keys, self.clock.clone(), opening)
            .map_err(|error| failed(Practice::Audit, "audit-log-open", &error))?;
        // Before anything is recorded: from now on a missing row was removed.
        if let Some(end) = log.sealed_head()
            && let Err(error) = db.remember_audit_end(log.node(), end).await
        {
            // Users can sign in while the disk is full, so the program must start then too.
            tracing::warn!(%error, "the database did not record where the audit log ends");
        }
        Ok(log)
    }

    /// The certificate: by ACME, from files, or from the local authority.
    async fn certificate(
        &self,
        db: &Db,
        ring: &KeyRing,
    ) -> Result<(PreparedHttps, Option<Acme>), LaunchFindings> {
        let Config {
            mode, data, https, ..
        } = &self.config;
        let clock = &self.clock;
        let Some(config) = https.acme.clone() else {
            return Ok((https::prepare(https, data, *mode, clock.now())?, None));
        };
        let shared = (db.clone(), ring.clone(), clock.clone());
        let acme = Acme::open(config, https.hosts.clone(), shared)
            .await
            .map_err(|error| failed(Practice::Https, "https-acme-open", &error))?;
        Ok((https::prepare_acme(https, &acme, *mode)?, Some(acme)))
    }

    /// The database, migrated.
    async fn tables(&self) -> Result<OpenTables, LaunchFindings> {
        let db = self.database()?;
        // Before the migrations, which create its table if it does not exist.
        let given = db.give_access().await;
        given.map_err(|error| failed(Practice::Database, "database-open", &error))?;
        let node = self.node(&db).await?;
        let remembered = db.audit_end(&self.config.node).await;
        let remembered =
            remembered.map_err(|error| failed(Practice::Audit, "audit-log-open", &error))?;
        self.needs_no_other_node(&db).await?;
        let findings = self.bring_up_to_date(&db).await?;
        Ok(OpenTables {
            db,
            findings,
            node,
            remembered,
        })
    }

    /// Refuses migrations that the running programs of other nodes cannot work beside.
    pub(super) async fn needs_no_other_node(&self, db: &Db) -> Result<(), LaunchFindings> {
        let migrations = self.migrations();
        // The migration itself says what is wrong with them.
        let Ok(pending) = db.migrations_pending(&migrations).await else {
            return Ok(());
        };
        let strict = migrations
            .iter()
            .filter(|migration| migration.needs_all_nodes() && pending.contains(&migration.name()));
        let strict: Vec<_> = strict.map(Migration::name).collect();
        if strict.is_empty() {
            return Ok(());
        }
        let nodes = db.nodes().await;
        let nodes =
            nodes.map_err(|error| failed(Practice::Database, "database-migrate", &error))?;
        let serves = self.purpose == LaunchPurpose::Serve;
        let own = |name: &str| serves && name == self.config.node.as_str();
        let running = nodes.into_iter().filter(|node| node.running == Some(true));
        let running: Vec<_> = running
            .map(|node| node.name)
            .filter(|name| !own(name))
            .collect();
        if running.is_empty() {
            return Ok(());
        }
        Err(vec![nodes_running(&strict, &running)])
    }

    /// The name of this node, before anything is written under it.
    async fn node(&self, db: &Db) -> Result<NodeLock, LaunchFindings> {
        let node = &self.config.node;
        if self.purpose == LaunchPurpose::Command {
            return Ok(NodeLock::none(node));
        }
        let taken = db.clone().of_the_framework().take_name(node).await;
        let taken = taken.map_err(|error| failed(Practice::Database, "database-open", &error))?;
        taken.ok_or_else(|| vec![name_in_use(node)])
    }

    /// Runs the pending migrations and compares every model with its table: the start on the database itself, `check` on a copy
    /// without its rows.
    pub(super) async fn bring_up_to_date(&self, db: &Db) -> Result<Vec<Finding>, LaunchFindings> {
        let ready = async {
            db.migrate(&self.migrations()).await?;
            self.compare(db).await
        };
        ready.await.map_err(|error| not_migrated(&error))
    }

    /// Compares every model with its table.
    pub(super) async fn compare(&self, db: &Db) -> Result<Vec<Finding>, DatabaseError> {
        db.register(&self.models()).await?;
        db.find_sealed(&self.parts.sealed).await?;
        db.findings().await
    }

    /// The sessions, in the store of the settings.
    async fn sessions(&self, db: &Db, log: &Log) -> Result<Sessions, LaunchFindings> {
        let mut roles = self.parts.roles.iter();
        let administrator = roles.find(|role| role.administrator);
        let administrator = administrator.map(|role| role.name);
        let (config, clock) = (self.config.sessions.clone(), self.clock.clone());
        Sessions::open(db.clone(), config, administrator, clock, log.clone()).await
    }

    /// The accounts of persons and the tokens of programs.
    fn callers(
        &self,
        (db, log, ring): (&Db, &Log, &KeyRing),
        sessions: &Sessions,
        others: (&Mailer, &Client),
    ) -> Result<(Accounts, ApiTokens), LaunchFindings> {
        let accounts = self.accounts((db, log, ring), sessions, others)?;
        let tokens = ApiTokens::new(api::Dependencies {
            accounts: accounts.clone(),
            clock: self.clock.clone(),
            config: self.config.api.clone(),
            db: db.clone(),
            log: log.clone(),
            ring: ring.clone(),
            scopes: self.parts.scopes.clone(),
        });
        Ok((accounts, tokens))
    }

    /// The stored files, without the incomplete ones of a killed process.
    async fn files(&self, db: &Db, log: &Log) -> Result<(Uploads, Vec<Finding>), LaunchFindings> {
        let config = self.config.uploads.clone();
        let wrong = |error| failed(Practice::Uploads, "uploads-open", &error);
        let uploads =
            Uploads::open(config, db.clone(), log.clone(), self.clock.clone()).map_err(wrong)?;
        let mut found = uploads.examine_storage(uploads::Looking::AtStart).await;
        refuse_if_any(&found)?;
        refuse_if_any(&uploads.bind_storage().await.map_err(wrong)?)?;
        let swept = uploads.sweep().await.map_err(wrong)?;
        found.extend(swept.finding(&self.config.uploads.storage));
        found.extend(of_uploads(&self.config.uploads).await);
        Ok((uploads, found))
    }

    /// The templates and the languages: checked before anything is written.
    pub(super) fn shown(&self) -> PageSetup {
        let parts = &self.parts;
        let assets = Assets::load_in(&parts.static_files, self.config.mode);
        let languages = parts
            .languages
            .as_ref()
            .map_or_else(Languages::english, |(first, files)| {
                Languages::load(first, files)
            })
            .with_facts(SettingValues {
                password_characters: self.config.accounts.min_password_length,
                direct_uploads: self.config.uploads.takes_direct(),
            });
        let templates = Templates::load(&parts.templates, assets.clone(), self.config.mode);
        let letters = LetterTemplates::load(&parts.templates, templates.clone());
        PageSetup {
            assets,
            languages,
            templates,
            letters,
        }
    }

    /// The role whose holders administer the application.
    pub(super) fn administrator(&self) -> Option<&'static str> {
        let roles = &self.parts.roles;
        let role = roles.iter().find(|role| role.administrator)?;
        Some(role.name)
    }

    /// The letters. It contacts no mail server.
    fn mailer(
        &self,
        shown: &PageSetup,
        (db, log, ring): (&Db, &Log, &KeyRing),
    ) -> Result<Mailer, LaunchFindings> {
        let mut hosts = self.config.https.hosts.iter();
        let needs = mail::Dependencies {
            clock: self.clock.clone(),
            config: self.config.mail.clone(),
            db: db.clone(),
            log: log.clone(),
            ring: ring.clone(),
            templates: shown.letters.clone(),
            languages: shown.languages.clone(),
            letters: self.parts.letters.clone(),
            base_url: self.base_url.clone(),
            host: hosts.next().unwrap_or("localhost").to_owned(),
        };
        Mailer::open(needs).map_err(|error| failed(Practice::Accounts, "mail-open", &error))
    }

    fn accounts(
        &self,
        (db, log, ring): (&Db, &Log, &KeyRing),
        sessions: &Sessions,
        (mailer, client): (&Mailer, &Client),
    ) -> Result<Accounts, LaunchFindings> {
        let needs = accounts::Dependencies {
            client: client.clone(),
            clock: self.clock.clone(),
            config: self.config.accounts.clone(),
            db: db.clone(),
            log: log.clone(),
            ring: ring.clone(),
            roles: accounts::Roles {
                administrator: self.administrator(),
                all: self.parts.roles.iter().map(|role| role.name).collect(),
            },
            sessions: sessions.clone(),
            site: self.config.name.clone(),
            mailer: mailer.clone(),
            paths: self.table.account_paths(),
        };
        Accounts::open(needs).map_err(|error| failed(Practice::Accounts, "accounts-open", &error))
    }
}

/// An error for the reader of forms, which knows no database: whether it passes by itself.
fn busy_or_other(error: uploads::Error) -> io::Error {
    let text = error.to_string();
    let passes = pages::Error::from(error).kind() == pages::ErrorKind::Busy;
    if passes {
        io::Error::new(io::ErrorKind::ResourceBusy, text)
    } else {
        io::Error::other(text)
    }
}

/// The findings about the directory of the files and about the virus scanner.
async fn of_uploads(config: &uploads::Config) -> Vec<Finding> {
    let mut findings = uploads::findings(config);
    findings.extend(uploads::unreachable(config).await);
    findings
}

/// Adds the findings that are new, of each room.
///
/// # Errors
/// All of them, if one forbids the launch.
fn add_new(
    findings: &mut Vec<Finding>,
    of_rooms: impl IntoIterator<Item = Vec<Finding>>,
) -> Result<(), LaunchFindings> {
    for found in of_rooms {
        let more = not_yet_in(findings, found);
        findings.extend(more);
    }
    refuse_if_any(findings)
}

/// The findings that are new: the checks that need no open room have run before.
fn not_yet_in(known: &[Finding], mut found: Vec<Finding>) -> Vec<Finding> {
    found.retain(|found| {
        !known
            .iter()
            .any(|known| known.id == found.id && known.title == found.title)
    });
    found
}

pub(super) fn refuse_if_any(findings: &[Finding]) -> Result<(), LaunchFindings> {
    if findings.iter().any(|finding| finding.refuses_launch) {
        Err(findings.to_vec())
    } else {
        Ok(())
    }
}

/// The senders in the route table, each once.
pub(super) fn senders(table: &RouteTable) -> Vec<WebhookAuth> {
    let mut senders: Vec<WebhookAuth> = Vec::new();
    for entry in table.entries() {
        if let Access::Webhook(by) = entry.access
            && !senders.contains(&by)
        {
            senders.push(by);
        }
    }
    senders
}

pub(super) fn no_data(directory: &Path, error: &io::Error) -> Finding {
    let title = format!(
        "cannot use the data directory {}: {error}",
        directory.display()
    );
    Finding::refuse(Practice::Secrets, "secrets-no-data-directory", title)
        .why("the keys, the database and the files are stored there, and only the application's user may read them")
        .fix("name a directory that this user can write to: `--data DIR`, `data = \"DIR\"` in dewar.toml, or DEWAR_DATA")
}

/// The pages that others may link to.
fn leads_to(table: &RouteTable, accounts: &Accounts) -> Mounted {
    let mounted = table.mounted();
    if accounts.sign_up_is_open() {
        mounted
    } else {
        mounted.without(AccountPage::SignUp)
    }
}

/// The finding about migrations that older programs cannot work beside, while some run.
fn nodes_running(strict: &[&str], running: &[String]) -> Finding {
    let (strict, running) = (strict.join(", "), running.join(", "));
    let title = format!("the migrations {strict} wait, and other nodes are running: {running}");
    Finding::refuse(Practice::Database, "database-nodes-running", title)
        .why("nothing says that their older programs can work beside the new tables: they could fail, or write what the new program cannot read")
        .fix("stop these nodes, start this program, and replace theirs. If the older program can work beside the new tables, mark the migration: `.additive()`, or `.compatible_from(\"…\")`")
}

/// The finding about a second program of one name.
fn name_in_use(node: &NodeName) -> Finding {
    let title = format!("another program runs as the node `{node}` of this database");
    Finding::refuse(Practice::Audit, "audit-node-in-use", title)
        .why("both would write one record of where the audit log ends, and each other's waiting entries: the next start would report the log as cut")
        .fix("give each program its own name and its own data directory: set `node` (DEWAR_NODE), such as \"web-2\", and `data`. If the machine of the other program was cut off, start again in half a minute")
}

/// The finding about a data directory in which other users could rename files and put their own in their place.
pub(super) fn open_data(open: &TooOpen) -> Finding {
    let title = format!("the data directory {}", open.title());
    Finding::refuse(Practice::Secrets, "secrets-data-directory-open", title)
        .why("anyone who may write there can replace the keys and the database")
        .fix(open.fix())
        .cwe(732)
        .asvs(&["13.2.2"])
}

/// A room that cannot be opened, with the whole chain of causes, which the operator needs.
pub(super) fn failed(
    word: Practice,
    id: &'static str,
    error: &(dyn std::error::Error + 'static),
) -> LaunchFindings {
    vec![
        Finding::refuse(
            word,
            id,
            format!("cannot open the room `{}`", word.as_str()),
        )
        .why(causes(error))
        .fix("fix the cause, and start again"),
    ]
}

/// A database that cannot be migrated.
pub(super) fn not_migrated(error: &database::Error) -> LaunchFindings {
    let refused = failed(Practice::Database, "database-migrate", error);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "for any other error, the cause says what to do"
    )]
    let fix = match error {
        database::Error::MigrationChanged { name } => format!(
            "undo the change of `{name}`, and make your change in a new, later migration"
        ),
        database::Error::MigrationUnknown { .. } => {
            "start the newer program; or restore the backup from before its migration, and start this one. Where nodes are replaced one after the other, mark a migration that the program before it can work beside: `.additive()`, or `.compatible_from(\"…\")`".to_owned()
        }
        database::Error::Models { .. } => {
            "write a new migration that changes the table, or change the model to match the table".to_owned()
        }
        _ => return refused,
    };
    let mended = refused.into_iter().map(|finding| finding.fix(fix.clone()));
    mended.collect()
}

/// An error with all its causes. It does not repeat a cause that the error's own text contains.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        let cause = deeper.to_string();
        if !said.ends_with(&cause) {
            said = format!("{said}: {cause}");
        }
        source = deeper.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Practice;

    /// A database that is away while a file arrives is a 503, and no error of the program.
    #[test]
    fn a_database_that_is_away_is_told_from_other_errors() {
        for (error, kind) in [
            (DatabaseError::Busy, io::ErrorKind::ResourceBusy),
            (DatabaseError::NotFound, io::ErrorKind::Other),
        ] {
            let found = busy_or_other(uploads::Error::Database(error));
            assert_eq!(found.kind(), kind, "{found}");
        }
    }

    #[test]
    fn what_was_said_before_is_not_said_again_and_all_else_is() {
        let finding = |id, title: &str| Finding::warn(Practice::Audit, id, title);
        let known = [finding("one", "a"), finding("two", "b")];
        let found = vec![
            finding("one", "a"),
            finding("one", "b"),
            finding("two", "a"),
            finding("three", "c"),
        ];
        let new = not_yet_in(&known, found);
        let told: Vec<_> = new.iter().map(|new| (new.id, &*new.title)).collect();
        assert_eq!(told, [("one", "b"), ("two", "a"), ("three", "c")]);
    }

    /// An error and its cause, each with a text of its own.
    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Self>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Layer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn each_cause_is_said_once() {
        let disk = || Some(Box::new(Layer("no space left", None)));
        let open = Layer("cannot open the file", disk());
        assert_eq!(causes(&open), "cannot open the file: no space left");
        let says_it = Layer("cannot open the file: no space left", disk());
        assert_eq!(causes(&says_it), "cannot open the file: no space left");
        assert_eq!(causes(&Layer("alone", None)), "alone");
    }
}
