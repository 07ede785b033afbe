use serde::Serialize;
use std::fmt;

/// A practice: a room of the framework, a check of the auditor, a page of the docs.
///
/// ```
/// use dewar::audit::Practice;
/// assert_eq!(Practice::Csrf.as_str(), "csrf");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Practice {
    /// Dependencies are known and up to date.
    Dependencies,
    /// Keys are strong and live outside the code.
    Secrets,
    /// Sessions are opaque, limited and revocable.
    Sessions,
    /// Everything travels over TLS.
    Https,
    /// Input is parsed into types.
    Forms,
    /// Output is escaped.
    Pages,
    /// Cross-site requests are refused.
    Csrf,
    /// Passwords, sign-up and sign-in.
    Accounts,
    /// Routes are open only to the users who may enter.
    Roles,
    /// Statements with bound values only.
    Database,
    /// Files are limited, checked and served inert.
    Uploads,
    /// Start-up checks, the log and the auditor.
    Audit,
}

impl Practice {
    /// Every practice, in order.
    pub const ALL: [Self; 12] = [
        Self::Dependencies,
        Self::Secrets,
        Self::Sessions,
        Self::Https,
        Self::Forms,
        Self::Pages,
        Self::Csrf,
        Self::Accounts,
        Self::Roles,
        Self::Database,
        Self::Uploads,
        Self::Audit,
    ];

    /// The practice's name in settings, reports and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Secrets => "secrets",
            Self::Sessions => "sessions",
            Self::Https => "https",
            Self::Forms => "forms",
            Self::Pages => "pages",
            Self::Csrf => "csrf",
            Self::Accounts => "accounts",
            Self::Roles => "roles",
            Self::Database => "database",
            Self::Uploads => "uploads",
            Self::Audit => "audit",
        }
    }

    /// The practice that a section of the settings belongs to; an application's section belongs to `Audit`.
    pub(crate) fn of_section(section: &str) -> Self {
        let room = section.split('.').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|word| word.as_str() == room)
            .unwrap_or(Self::Audit)
    }
}

impl fmt::Display for Practice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
