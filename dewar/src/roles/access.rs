use std::fmt;

use serde::{Serialize, Serializer};

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
    /// Programs that sign what they send.
    Webhook(WebhookAuth),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(scope) => write!(f, "api:{scope}"),
            Self::BrowserReports => f.write_str("browser_reports"),
            Self::Public => f.write_str("public"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::SignedIn => f.write_str("signed_in"),
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
            (Access::Api("notes_read"), "api:notes_read"),
            (Access::BrowserReports, "browser_reports"),
            (Access::Public, "public"),
            (Access::Role("reviewer"), "role:reviewer"),
            (Access::SignedIn, "signed_in"),
        ] {
            assert_eq!(access.to_string(), name);
            assert_eq!(
                serde_json::to_string(&access).unwrap(),
                format!("\"{name}\"")
            );
        }
    }
}
