use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Serialize, Serializer};

use super::Role;
use crate::csrf::WebhookAuth;

/// The access rule of a route: the heading that it stands under.
///
/// ```
/// use dewar::roles::Access;
/// assert_eq!(Access::Role("reviewer").to_string(), "role:reviewer");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// People who have at least one of these roles, by their names in the order of the enum.
    AnyRole(&'static [&'static str]),
    /// Programs with an API token that has this scope, by its name.
    Api(&'static str),
    /// Browsers that report violations of a page's policy. The reports are bounded, and the response is the same for every
    /// report. Only the framework's own route stands under it.
    BrowserReports,
    /// Everyone.
    Public,
    /// People who have this role, by its name.
    Role(&'static str),
    /// People who are signed in, whatever their roles.
    SignedIn,
    /// Holders of a link that Dewar has put into a letter and that leaves a mailing list. Only the framework's own route stands under
    /// it.
    Unsubscribe,
    /// Programs that sign what they send.
    Webhook(WebhookAuth),
}

impl Access {
    /// The heading of these roles. It holds each once, so two orders are one heading, and one role alone is its own heading.
    pub(crate) fn any_role<R: Role>(roles: &[R]) -> Self {
        let named: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let known = R::ALL.iter().map(|role| role.name());
        let names: Vec<_> = known.filter(|name| named.contains(name)).collect();
        match names.as_slice() {
            [one] => Self::Role(one),
            _ => Self::AnyRole(interned(names)),
        }
    }

    /// Whether the heading asks for a role, and one of these is enough.
    ///
    /// ```
    /// use dewar::roles::Access;
    /// assert!(Access::AnyRole(&["agent", "administrator"]).admits_role(|role| role == "agent"));
    /// assert!(!Access::SignedIn.admits_role(|_| true));
    /// ```
    pub fn admits_role(self, is_held: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::AnyRole(names) => names.iter().any(|name| is_held(name)),
            Self::Role(name) => is_held(name),
            Self::Api(_)
            | Self::BrowserReports
            | Self::Public
            | Self::SignedIn
            | Self::Unsubscribe
            | Self::Webhook(_) => false,
        }
    }
}

impl Access {
    /// Why a request that changes something needs no CSRF token and no signature under this heading. The route table prints it.
    ///
    /// ```
    /// use dewar::roles::Access;
    /// assert!(Access::Unsubscribe.exemption().is_some_and(|reason| reason.contains("RFC 8058")));
    /// assert!(Access::Public.exemption().is_none());
    /// ```
    #[must_use]
    pub const fn exemption(self) -> Option<&'static str> {
        match self {
            Self::BrowserReports => Some("it changes nothing: the log counts reports"),
            Self::Unsubscribe => Some(
                "no token: the sealed link is the proof and takes one address off one list (RFC 8058)",
            ),
            Self::AnyRole(_)
            | Self::Api(_)
            | Self::Public
            | Self::Role(_)
            | Self::SignedIn
            | Self::Webhook(_) => None,
        }
    }
}

/// The names for as long as the program runs, as those of one role are. A program has as many sets as its source names.
fn interned(names: Vec<&'static str>) -> &'static [&'static str] {
    static KNOWN: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(names.as_slice()).copied() {
        return known;
    }
    let names: &'static [&'static str] = names.leak();
    known.insert(names);
    names
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyRole(names) => write!(f, "any_role:{}", names.join(",")),
            Self::Api(scope) => write!(f, "api:{scope}"),
            Self::BrowserReports => f.write_str("browser_reports"),
            Self::Public => f.write_str("public"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::SignedIn => f.write_str("signed_in"),
            Self::Unsubscribe => f.write_str("unsubscribe"),
            Self::Webhook(by) => write!(f, "webhook:{by}"),
        }
    }
}

impl Serialize for Access {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Access;

    /// The table that the auditor and a person read has each heading in a word of its own.
    #[test]
    fn each_heading_is_told_by_its_own_name() {
        for (access, name) in [
            (
                Access::AnyRole(&["reviewer", "head"]),
                "any_role:reviewer,head",
            ),
            (Access::Api("notes_read"), "api:notes_read"),
            (Access::BrowserReports, "browser_reports"),
            (Access::Public, "public"),
            (Access::Role("reviewer"), "role:reviewer"),
            (Access::SignedIn, "signed_in"),
            (Access::Unsubscribe, "unsubscribe"),
        ] {
            assert_eq!(access.to_string(), name);
            assert_eq!(
                serde_json::to_string(&access).unwrap(),
                format!("\"{name}\"")
            );
        }
    }

    #[derive(dewar_macros::Role, Clone, Copy, Debug, PartialEq, Eq)]
    enum Staff {
        Agent,
        Reviewer,
        #[role(administrator)]
        Head,
    }

    #[test]
    fn a_heading_of_several_roles_has_each_once_in_the_order_of_the_enum() {
        let both = Access::any_role(&[Staff::Head, Staff::Agent, Staff::Head]);
        assert_eq!(both, Access::AnyRole(&["agent", "head"]));
        assert_eq!(both, Access::any_role(&[Staff::Agent, Staff::Head]));
        let one = Access::any_role(&[Staff::Reviewer, Staff::Reviewer]);
        assert_eq!(one, Access::Role("reviewer"));
        // Nobody passes a heading that names nobody.
        assert!(!Access::any_role::<Staff>(&[]).admits_role(|_| true));
    }
}
