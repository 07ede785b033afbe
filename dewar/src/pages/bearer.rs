use crate::sessions::Principal;

/// The caller of a request with an API token. The room of API tokens makes it, once for each request, from the token's
/// row and the roles of its owner as they are at this request.
#[derive(Debug)]
pub(crate) struct BearerCaller {
    /// The token's id, which is not secret.
    pub(crate) token: String,
    /// The token's name, as its owner wrote it.
    pub(crate) name: String,
    /// The owner of a personal token; none for a service.
    pub(crate) person: Option<Principal>,
    /// The scopes that the token has now.
    pub(crate) scopes: Vec<&'static str>,
    /// When the token was last used, to the minute.
    pub(crate) used_at: Option<i64>,
}

/// What a token gives its bearer at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenRights {
    scopes: Vec<&'static str>,
    /// The roles of the owner; none for a service.
    roles: Option<String>,
}

impl BearerCaller {
    pub(crate) fn rights(&self) -> TokenRights {
        let person = self.person.as_ref();
        TokenRights {
            scopes: self.scopes.clone(),
            roles: person.map(|person| person.roles_text().to_owned()),
        }
    }
}
