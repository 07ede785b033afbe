use dewar::secrets::Secret;

use super::{Error, HttpResponse, ListedRoute, Visitor};

/// An account with few rights, to see the application as an ordinary user.
#[derive(Debug)]
pub struct Person {
    email: String,
    password: Secret<String>,
    roles: Vec<String>,
}

impl Person {
    /// An account with its roles.
    #[must_use]
    pub fn new(email: impl Into<String>, password: impl Into<String>, roles: Vec<String>) -> Self {
        Self {
            email: email.into(),
            password: Secret::new(password.into()),
            roles,
        }
    }

    /// The address for its sign-in.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    pub(crate) fn password(&self) -> &str {
        self.password.expose()
    }

    /// Whether it has this role.
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    pub(crate) async fn sign_in(
        &self,
        visitor: &Visitor<'_>,
        at: &ListedRoute,
    ) -> Result<HttpResponse, Error> {
        let answer = try_to_sign_in(visitor, at, &self.email, self.password.expose()).await?;
        if answer.is_redirect() || answer.is_success() && answer.cookies().next().is_some() {
            return Ok(answer);
        }
        Err(Error::SignIn(format!(
            "{} answered {}",
            answer.place, answer.status
        )))
    }
}

/// Submits an address and a password with the form, like a user.
pub(crate) async fn try_to_sign_in(
    visitor: &Visitor<'_>,
    at: &ListedRoute,
    email: &str,
    password: &str,
) -> Result<HttpResponse, Error> {
    try_to_sign_in_from(visitor, at, &at.path, email, password).await
}

/// The same, from a page whose address has a query.
pub(crate) async fn try_to_sign_in_from(
    visitor: &Visitor<'_>,
    at: &ListedRoute,
    page: &str,
    email: &str,
    password: &str,
) -> Result<HttpResponse, Error> {
    let mut fields = visitor.open_form(page, &at.path).await?.unwrap_or_default();
    for field in at.form.iter().flat_map(|form| &form.fields) {
        if field.is_password() {
            fields.push((field.name.clone(), password.to_owned()));
        } else if field.is_text() && !fields.iter().any(|(name, _)| *name == field.name) {
            fields.push((field.name.clone(), email.to_owned()));
        }
    }
    let query = page
        .split_once('?')
        .map_or_else(String::new, |(_, query)| format!("?{query}"));
    visitor
        .submit(&format!("{}{query}", at.path), &fields)
        .await
}
