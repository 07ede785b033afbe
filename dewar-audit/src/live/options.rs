//! The options of the audit.

use std::path::PathBuf;
use std::time::Duration;

/// An account to sign in with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Account {
    /// The name or the email address.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Account {
    /// An account.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
        }
    }
}

/// How routes and parameters are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discovery {
    /// Addresses that pages, scripts and documents name.
    FollowLinks,
    /// Also usual names that nothing links.
    GuessNames,
}

/// The options of an audit of a running application.
///
/// ```
/// let mut options = dewar_audit::live::LiveOptions::new();
/// options.rate = 50;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LiveOptions {
    /// The certificate of the authority to trust; without it, those that this machine trusts.
    pub authority: Option<PathBuf>,
    /// A host that is not this machine, named a second time to confirm the permission to attack it.
    pub permitted_host: Option<String>,
    /// The most requests per second.
    pub rate: u32,
    /// The most requests.
    pub max_requests: u64,
    /// The most time.
    pub max_time: Duration,
    /// How long one answer may take.
    pub patience: Duration,
    /// The most pages that are read.
    pub max_pages: usize,
    /// Accounts to sign in with.
    pub accounts: Vec<Account>,
    /// A header that signs in, such as `Authorization: Bearer …`.
    pub headers: Vec<(String, String)>,
    /// The address of the sign-in form, if it is not found.
    pub sign_in: Option<String>,
    /// Whether to create throwaway accounts.
    pub sign_up: bool,
    /// Whether forms that delete, sign out or change passwords are sent too.
    pub dangerous_destructive: bool,
    /// How routes and parameters are found.
    pub discovery: Discovery,
    /// Addresses and routes to start from, besides what is found.
    pub seeds: Vec<String>,
    /// Each finding is added to this file as it is found, one JSON object a line.
    pub progress_file: Option<PathBuf>,
    /// Says each request that changes something before it is sent.
    pub verbose: bool,
}

impl LiveOptions {
    /// 100 requests a second, 30,000 in all, at most 20 minutes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            authority: None,
            permitted_host: None,
            rate: 100,
            max_requests: 30_000,
            max_time: Duration::from_secs(20 * 60),
            patience: Duration::from_secs(15),
            max_pages: 300,
            accounts: Vec::new(),
            headers: Vec::new(),
            sign_in: None,
            sign_up: false,
            dangerous_destructive: false,
            discovery: Discovery::GuessNames,
            seeds: Vec::new(),
            progress_file: None,
            verbose: false,
        }
    }
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self::new()
    }
}
