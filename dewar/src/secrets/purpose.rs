/// What a key is for. Each purpose has keys of its own, derived from the one in the file, so that
/// nothing made for one can be presented for another (NIST SP 800-57, 5.2; "one key, one purpose").
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
    /// Account, certificate and answers of ACME.
    Acme,
    /// The application's own, by a name that must not change while anything made with it is in use.
    Application(&'static str),
    /// The chain of the audit log.
    AuditChain,
    /// Sealed columns of the database.
    Column,
    /// Tokens against cross-site requests.
    Csrf,
    /// Where the pages of a list begin, in the links to them.
    Cursor,
    /// Browsers in which the owner of an account has signed in.
    Device,
    /// Messages shown once, on the next page.
    Flash,
    /// Values hidden in a form.
    Hidden,
    /// Links sent by mail.
    Link,
    /// Sessions.
    Session,
}

impl Purpose {
    /// Every purpose of the framework's own.
    pub(super) const OURS: [Self; 10] = [
        Self::Acme,
        Self::AuditChain,
        Self::Column,
        Self::Csrf,
        Self::Cursor,
        Self::Device,
        Self::Flash,
        Self::Hidden,
        Self::Link,
        Self::Session,
    ];

    /// The framework's names start with `dewar:`, the application's with `application:`.
    pub(super) fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Acme => ("dewar:", "acme"),
            Self::Application(name) => ("application:", name),
            Self::AuditChain => ("dewar:", "audit-chain"),
            Self::Column => ("dewar:", "column"),
            Self::Csrf => ("dewar:", "csrf"),
            Self::Cursor => ("dewar:", "cursor"),
            Self::Device => ("dewar:", "device"),
            Self::Flash => ("dewar:", "flash"),
            Self::Hidden => ("dewar:", "hidden"),
            Self::Link => ("dewar:", "link"),
            Self::Session => ("dewar:", "session"),
        }
    }
}
