use dewar::forms::Choices;
use dewar::roles::Role as _;

/// Who somebody is in the portal. A person may be several of these, or none.
#[derive(dewar::roles::Role, Choices, Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Hands documents in, reads what was approved or shared, and says something about it. Whoever signs up is one.
    Member,
    /// Approves or rejects what others handed in.
    Reviewer,
    /// Looks after accounts, notices and the audit log; reads no document for that.
    #[role(administrator)]
    Administrator,
}

impl Role {
    /// Whether somebody is this.
    pub(crate) fn is_of(self, person: &dewar::CurrentUser) -> bool {
        person.has_role_named(self.name())
    }
}
