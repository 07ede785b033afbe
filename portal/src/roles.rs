use dewar::forms::Choices;
use dewar::roles::Role as _;

/// The roles of the portal. A user may have several, or none.
#[derive(dewar::roles::Role, Choices, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Hands documents in, reads approved and shared documents, and comments on them. Everybody who signs up is one.
    Member,
    /// Approves or rejects documents of others.
    Reviewer,
    /// Manages accounts, notices and the audit log; may read no document for that.
    #[role(administrator)]
    Administrator,
}

impl Role {
    /// Whether a user has this role.
    pub(crate) fn is_of(self, person: &dewar::CurrentUser) -> bool {
        person.has_role_named(self.name())
    }
}
