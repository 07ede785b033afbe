/// Why Dewar refused a signed or sealed value. It is for the log: except for `Expired`, a visitor sees the same in each
/// case, so that the response does not help to forge (ASVS 11.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The value is genuine, but has expired.
    #[error("it has expired")]
    Expired,
    /// The value does not have the form of a signed or sealed one.
    #[error("it is not a signed or sealed value")]
    Malformed,
    /// The value could not be sealed: it is larger than 64 GiB.
    #[error("it could not be encrypted")]
    Sealing,
    /// The value was changed, or made for another purpose or context.
    #[error("it was changed, or created for another purpose")]
    Tampered,
    /// The ring does not have the key that the value names: it is revoked, or another installation's.
    #[error("its key is not in use")]
    UnknownKey,
}
