/// Why something signed or sealed was refused. For the log: a visitor is told the same in each case but
/// `Expired`, so that the answer does not help to forge (ASVS 11.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It was good, until a moment that has passed.
    #[error("it has expired")]
    Expired,
    /// It does not have the form of something signed or sealed.
    #[error("it is not something that was signed or sealed")]
    Malformed,
    /// It could not be sealed: it is larger than 64 GiB.
    #[error("it could not be sealed")]
    Sealing,
    /// It was changed, or made for another purpose or context.
    #[error("it was changed, or made for something else")]
    Tampered,
    /// The key it names is not in the ring: revoked, or another installation's.
    #[error("the key it names is not in use")]
    UnknownKey,
}
