use std::fmt;

/// The number of an account.
///
/// ```
/// use dewar::sessions::UserId;
/// assert_eq!(UserId::new(7).to_string(), "7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(i64);

impl UserId {
    /// The account with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number in the database.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<UserId> for sea_orm::Value {
    fn from(id: UserId) -> Self {
        id.0.into()
    }
}

/// The signed-in user of a request. Dewar reads it together with the session, so the roles are as fresh as the request.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) name: String,
    /// Role names in order, separated by blanks. The texts of two statements are compared.
    pub(super) roles: String,
    pub(super) picture: Option<String>,
    pub(super) has_second_factor: bool,
}

impl Principal {
    /// The roles as one text, to be compared with a later one.
    pub(crate) fn roles_text(&self) -> &str {
        &self.roles
    }

    /// The account.
    #[must_use]
    pub fn id(&self) -> UserId {
        self.id
    }

    /// The e-mail address with which the user signs in.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The name that other users see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of the user's picture.
    #[must_use]
    pub fn picture(&self) -> Option<&str> {
        self.picture.as_deref()
    }

    /// Whether the user has a second factor.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        self.has_second_factor
    }

    /// The names of the user's roles at this request.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.split_ascii_whitespace()
    }

    /// Whether the user has a role, by the role's name.
    #[must_use]
    pub fn has_role_named(&self, name: &str) -> bool {
        self.roles().any(|role| role == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Principal, UserId};

    /// ASVS: V8.2.1
    #[test]
    fn a_role_is_its_whole_name() {
        let with = |roles: &str| Principal {
            id: UserId::new(1),
            email: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            roles: roles.to_owned(),
            picture: None,
            has_second_factor: false,
        };
        for roles in ["reviewer", "member reviewer", "reviewer member"] {
            assert!(with(roles).has_role_named("reviewer"), "{roles}");
        }
        for roles in [
            "",
            "member",
            "vice_reviewer",
            "reviewer_of_none",
            "vice_reviewer reviewers",
            "Reviewer",
            "re viewer",
        ] {
            assert!(!with(roles).has_role_named("reviewer"), "{roles}");
        }
        assert!(!with("reviewer member").has_role_named("reviewer member"));
        assert!(!with("").has_role_named(""));
    }

    #[test]
    fn what_is_known_of_a_person_is_said_as_it_is() {
        let ada = Principal {
            id: UserId::new(-7),
            email: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            roles: "member reviewer".to_owned(),
            picture: Some("0190".to_owned()),
            has_second_factor: false,
        };
        assert_eq!(ada.picture(), Some("0190"));
        assert_eq!((ada.id().to_string().as_str(), ada.id().get()), ("-7", -7));
        assert_eq!((ada.name(), ada.email()), ("Ada", "ada@example.org"));
        assert_eq!(ada.roles().collect::<Vec<_>>(), ["member", "reviewer"]);
    }
}
