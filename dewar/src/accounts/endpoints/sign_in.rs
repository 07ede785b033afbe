use crate::accounts::{self, Accounts, SIGN_IN};
use crate::forms::{Email, Form, Line, Password, Problems, Query};
use crate::https::ClientAddress;
use crate::pages::{Error, LocalPath, Message, Page, Redirect};
use crate::sessions::Session;

/// What a person types to sign in.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SignIn {
    /// The address.
    #[field(label = "E-mail address", autocomplete = "username")]
    pub email: Email,
    /// The password.
    pub password: Password,
}

/// Where the person wanted to go.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Next {
    /// A path of this application; anything else leads to the front page.
    pub next: Option<Line<2000>>,
}

impl Next {
    /// The path, if it is one of this application's (CWE-601). Back to the sign-in page leads nowhere.
    pub(super) fn local(&self) -> Option<LocalPath> {
        let path = LocalPath::parse(self.next.as_ref()?.as_str().to_owned()).ok()?;
        (!path.as_str().starts_with(SIGN_IN)).then_some(path)
    }
}

/// `GET /sign-in`.
pub async fn sign_in_page(accounts: Accounts, Query(next): Query<Next>) -> Page {
    page(&accounts, &next).form("form", SignIn::view())
}

/// `POST /sign-in`.
///
/// # Errors
/// The page again at 422 with one sentence for every reason; 429; 503.
pub async fn sign_in(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    Query(next): Query<Next>,
    form: Form<SignIn>,
) -> Result<Redirect, Error> {
    let (person, sheet) = form.sheet(page(&accounts, &next))?;
    let proof = accounts
        .sign_in(
            person.email.as_str(),
            person.password.expose(),
            address.network(),
        )
        .await;
    match proof {
        Ok(proof) => proof.begin(&session).await?,
        Err(accounts::Error::Refused) => {
            let problem = Message::new("accounts-do-not-belong");
            return Err(sheet.refuse_all(Problems::with_all(problem)));
        }
        Err(other) => return Err(other.into()),
    }
    Ok(next.local().map_or_else(|| Redirect::to("/"), Redirect::to))
}

fn page(accounts: &Accounts, next: &Next) -> Page {
    Page::new("accounts/sign_in.html")
        .with("next", next.local().map(|path| path.as_str().to_owned()))
        .with("sign_up_is_open", accounts.sign_up_is_open())
        .with("sends_mail", accounts.sends_mail())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_this_application() {
        let local = |text: &str| {
            let next = Line::parse(text).ok();
            Next { next }.local().map(|path| path.as_str().to_owned())
        };
        assert_eq!(
            local("/documents?page=2").as_deref(),
            Some("/documents?page=2")
        );
        for text in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "documents",
            "/sign-in",
            "/sign-in?next=/sign-in",
        ] {
            assert_eq!(local(text), None, "{text}");
        }
    }
}
