use std::sync::Arc;

use axum::extract::FromRef;

use super::Settings;
use super::rate_limit::{Posts, SharedCounts};
use crate::accounts::Accounts;
use crate::api::ApiTokens;
use crate::audit::{Clock, Finding, Log, Reserve, SettingsSection};
use crate::csrf::Webhooks;
use crate::database::{Db, NodeLock};
use crate::forms::Intake;
use crate::https::acme::Acme;
use crate::https::{Certificates, Reports, ending};
use crate::jobs::Jobs;
use crate::live::Live;
use crate::mail::{Mailbox, Mailer};
use crate::outgoing::Client;
use crate::pages::{Assets, Error, Languages, Mounted, Services, Templates};
use crate::secrets::KeyRing;
use crate::sessions::Sessions;
use crate::uploads::Uploads;

/// The open rooms of a running application; an application makes its own state from them.
///
/// ```
/// use dewar::{Db, Dewar};
/// #[derive(Clone)]
/// struct Shop { db: Db }
/// fn state(dewar: &Dewar) -> Shop { Shop { db: dewar.db().clone() } }
/// ```
#[derive(Debug, Clone)]
pub struct Dewar(Arc<Rooms>);

#[derive(Debug)]
pub(super) struct Rooms {
    pub(super) accounts: Accounts,
    /// Only if the certificate comes by ACME.
    pub(super) acme: Option<Acme>,
    pub(super) assets: Assets,
    pub(super) certificates: Arc<Certificates>,
    pub(super) clock: Clock,
    /// The counts of rate limits that all nodes share.
    pub(super) counts: SharedCounts,
    pub(super) db: Db,
    pub(super) intake: Intake,
    pub(super) jobs: Jobs,
    pub(super) languages: Languages,
    pub(super) live: Live,
    pub(super) log: Log,
    pub(super) mailbox: Option<Mailbox>,
    pub(super) mailer: Mailer,
    pub(super) mounted: Mounted,
    pub(super) node: NodeLock,
    pub(super) outgoing: Client,
    pub(super) reports: Reports,
    pub(super) reserve: Reserve,
    pub(super) ring: KeyRing,
    pub(super) sessions: Sessions,
    /// The application's own settings, by type.
    pub(super) settings: http::Extensions,
    pub(super) templates: Templates,
    pub(super) tokens: ApiTokens,
    pub(super) uploads: Uploads,
    pub(super) webhooks: Webhooks,
}

impl Dewar {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self(Arc::new(rooms))
    }

    pub(super) fn rooms(&self) -> &Rooms {
        &self.0
    }

    /// The accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// The current findings of the rooms that did not forbid the launch: the end of the certificate, the state of its
    /// renewals, the age of the keys, the state of the log, searches that read a whole table. For an administrator's page.
    ///
    /// ```
    /// fn is_all_well(dewar: &dewar::Dewar) -> bool { dewar.findings_now().is_empty() }
    /// ```
    #[must_use]
    pub fn findings_now(&self) -> Vec<Finding> {
        let rooms = &self.0;
        let mut findings = rooms.ring.findings();
        findings.extend(rooms.log.findings());
        findings.extend(rooms.reserve.finding());
        findings.extend(rooms.db.search_findings());
        match &rooms.acme {
            Some(acme) => findings.extend(acme.findings()),
            None => findings.extend(ending(&rooms.certificates, rooms.clock.now())),
        }
        findings
    }

    /// The API tokens.
    #[must_use]
    pub fn api_tokens(&self) -> &ApiTokens {
        &self.0.tokens
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The jobs, for code that runs outside a request: what it enqueues counts for no owner.
    #[must_use]
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// The handle that publishes events to open pages, for code that runs outside a request.
    ///
    /// ```
    /// fn live(dewar: &dewar::Dewar) -> dewar::live::Live { dewar.live().clone() }
    /// ```
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// The audit log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// The mailer, for letters that no request causes: it has no limit of one person's letters.
    ///
    /// ```
    /// fn sends(dewar: &dewar::Dewar) -> bool { dewar.mailer().sends() }
    /// ```
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        &self.0.mailer
    }

    /// The client for requests to other servers.
    ///
    /// ```
    /// fn client(dewar: &dewar::Dewar) -> dewar::outgoing::Client { dewar.outgoing().clone() }
    /// ```
    #[must_use]
    pub fn outgoing(&self) -> &Client {
        &self.0.outgoing
    }

    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The settings of the application's own, which [`App::settings`](crate::App::settings) has read.
    ///
    /// ```
    /// #[derive(dewar::Settings)]
    /// #[settings(section = "helpdesk")]
    /// struct Helpdesk { #[setting(default = 20)] tickets_per_page: u32 }
    /// fn per_page(dewar: &dewar::Dewar) -> dewar::Result<u32> {
    ///     Ok(dewar.settings::<Helpdesk>()?.tickets_per_page)
    /// }
    /// # fn app(app: dewar::App) -> dewar::App { app.settings::<Helpdesk>() }
    /// ```
    ///
    /// # Errors
    /// 500: the application does not read these settings.
    pub fn settings<T: SettingsSection>(&self) -> Result<Settings<T>, Error> {
        super::settings::find(&self.0.settings)
    }

    /// The uploads: files that visitors sent.
    #[must_use]
    pub fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// The key ring, to sign and seal for a purpose of the application's own.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.0.ring
    }

    /// The rooms that extractors and pages read from the context of a request.
    pub(super) fn services(&self, posts: Posts, shared: http::Extensions) -> Services {
        let rooms = &self.0;
        let mut later = shared;
        later.insert(rooms.accounts.clone());
        later.insert(self.clone());
        later.insert(rooms.intake.clone());
        later.insert(rooms.jobs.clone());
        later.insert(rooms.live.clone());
        later.insert(rooms.mailer.clone());
        later.insert(posts);
        later.insert(rooms.tokens.clone());
        later.insert(rooms.outgoing.clone());
        later.insert(rooms.uploads.clone());
        later.insert(rooms.webhooks.clone());
        Services {
            clock: rooms.clock.clone(),
            db: rooms.db.clone(),
            languages: rooms.languages.clone(),
            log: rooms.log.clone(),
            mounted: rooms.mounted.clone(),
            ring: rooms.ring.clone(),
            sessions: rooms.sessions.clone(),
            templates: rooms.templates.clone(),
            later,
        }
    }
}

impl FromRef<Dewar> for Db {
    fn from_ref(dewar: &Dewar) -> Self {
        dewar.0.db.clone()
    }
}
