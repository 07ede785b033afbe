/// The purpose of a key. Each purpose has its own keys, derived from the one in the file, so that a value made for one
/// purpose is invalid for another (NIST SP 800-57, 5.2: one key, one purpose).
///
/// ```
/// use dewar::secrets::{KeyRing, Purpose};
/// let ring = KeyRing::ephemeral();
/// const INVOICES: Purpose = Purpose::Application("invoices");
/// assert_ne!(ring.mac(INVOICES, &[b"7"]), ring.mac(Purpose::Link, &[b"7"]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The account, certificate and challenge responses of ACME.
    Acme,
    /// API tokens.
    ApiToken,
    /// A purpose of the application, by a name that must not change while anything made with it is in use.
    Application(&'static str),
    /// The chain of the audit log.
    AuditChain,
    /// The sealed columns of the database.
    Column,
    /// Cookies of the application's own.
    Cookie,
    /// CSRF tokens.
    Csrf,
    /// The cursors in a list's page links.
    Cursor,
    /// The browsers in which an account's owner has signed in.
    Device,
    /// Flash messages, shown once, on the next page.
    Flash,
    /// Values hidden in a form.
    Hidden,
    /// The links in letters.
    Link,
    /// A sign-in that is under way at a provider (OpenID Connect).
    Provider,
    /// Sessions.
    Session,
    /// The choice of the account whose password hash an unknown address costs.
    StandIn,
    /// The links by which a recipient leaves a mailing list.
    Unsubscribe,
}

impl Purpose {
    /// Every purpose of the framework.
    pub(super) const OURS: [Self; 15] = [
        Self::Acme,
        Self::ApiToken,
        Self::AuditChain,
        Self::Column,
        Self::Cookie,
        Self::Csrf,
        Self::Cursor,
        Self::Device,
        Self::Flash,
        Self::Hidden,
        Self::Link,
        Self::Provider,
        Self::Session,
        Self::StandIn,
        Self::Unsubscribe,
    ];

    /// The framework's labels start with `dewar:`, the application's with `application:`.
    pub(super) fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Acme => ("dewar:", "acme"),
            Self::ApiToken => ("dewar:", "api-token"),
            Self::Application(name) => ("application:", name),
            Self::AuditChain => ("dewar:", "audit-chain"),
            Self::Column => ("dewar:", "column"),
            Self::Cookie => ("dewar:", "cookie"),
            Self::Csrf => ("dewar:", "csrf"),
            Self::Cursor => ("dewar:", "cursor"),
            Self::Device => ("dewar:", "device"),
            Self::Flash => ("dewar:", "flash"),
            Self::Hidden => ("dewar:", "hidden"),
            Self::Link => ("dewar:", "link"),
            Self::Provider => ("dewar:", "provider"),
            Self::Session => ("dewar:", "session"),
            Self::StandIn => ("dewar:", "stand-in"),
            Self::Unsubscribe => ("dewar:", "unsubscribe"),
        }
    }
}
