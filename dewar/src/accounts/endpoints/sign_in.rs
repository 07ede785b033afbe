use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use super::is_page;
use super::second_factor::ask_for_second_step;
use crate::accounts::{self, Accounts, SignInStep, StoredForm};
use crate::audit::Clock;
use crate::forms::{Described, Email, Form, HandlerInput, Line, Password, Problems, Query};
use crate::https::ClientAddress;
use crate::pages::{
    AccountPage, AccountPaths, DoneAlready, Error, LocalPath, Message, Outcome, Page, Redirect,
    RequestContext, Resume, Sealed, output,
};
use crate::sessions::{Session, UserId};

/// The fields of the sign-in form.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct SignIn {
    /// The e-mail address.
    #[field(label = "E-mail address", autocomplete = "username")]
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The typed values of another form, whose sender was signed out.
    pub kept: StoredForm,
}

/// The response to the right password: the page that the person wanted, the form that they sent while signed out, or the page that
/// asks for the second factor.
///
/// ```
/// use dewar::accounts::{self, Accounts, Next, SecondTab, SignIn, SignedIn};
/// use dewar::audit::Clock;
/// use dewar::https::ClientAddress;
/// use dewar::sessions::Session;
/// use dewar::{App, Error, Form, Query, get, post};
/// // An application's own handler, for what it does around signing in.
/// async fn sign_in(
///     accounts: Accounts,
///     session: Session,
///     address: ClientAddress,
///     next: Query<Next>,
///     tab: SecondTab, // before the form, whose token it judges
///     clock: Clock,
///     form: Form<SignIn>,
/// ) -> Result<SignedIn, Error> {
///     accounts::sign_in(accounts, session, address, next, tab, clock, form).await
/// }
/// fn routes(app: App) -> App {
///     app.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, sign_in)])
/// }
/// # let _ = routes;
/// ```
#[derive(Debug)]
pub struct SignedIn(AfterSignIn);

#[derive(Debug)]
pub(super) enum AfterSignIn {
    Ask(Box<Page>),
    Go(Redirect),
    Show(Resume),
}

impl IntoResponse for SignedIn {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl IntoResponse for AfterSignIn {
    fn into_response(self) -> Response {
        match self {
            Self::Ask(page) => page.into_response(),
            Self::Go(redirect) => redirect.into_response(),
            Self::Show(resume) => {
                // The stack replaces this response by the form's page.
                Outcome::resume(resume)
            }
        }
    }
}

output! { SignedIn => [303 None, 200 Some("text/html")] }

/// The page that the person wanted.
#[derive(Debug, dewar_macros::Form)]
#[expect(clippy::exhaustive_structs, reason = "a form is its fields")]
pub struct Next {
    /// A path of this application; anything else leads to the front page.
    pub next: Option<Line<2000>>,
}

impl Next {
    /// The path, if it is one of this application's (CWE-601). None for the sign-in page itself.
    pub(super) fn local(&self, paths: &AccountPaths) -> Option<LocalPath> {
        let path = LocalPath::parse(self.next.as_ref()?.as_str().to_owned()).ok()?;
        (!is_page(paths, AccountPage::SignIn, &path)).then_some(path)
    }
}

/// Detects a browser that is signed in already, for example after a sign-in in another tab.
///
/// The sign-in page of a second tab has a token that was made for a visitor. With this input, the form of that page leads
/// to the page that was wanted there. A page that was loaded after the sign-in has a token of the session, and signs in
/// again. Put this input before the form, whose token it judges; [`SignedIn`] has the example of a whole handler.
///
/// ```
/// use dewar::accounts::SecondTab;
/// use dewar::forms::HandlerInput;
/// fn is_an_argument<A: HandlerInput>() {}
/// is_an_argument::<SecondTab>(); // of `accounts::sign_in`, and of the handlers that call it
/// ```
#[derive(Debug)]
pub struct SecondTab(());

impl<S: Send + Sync> FromRequestParts<S> for SecondTab {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let context = RequestContext::of(parts)?;
        let who = context
            .session()?
            .principal()
            .map(|person| person.name().to_owned());
        if let Some(name) = who {
            let why = Message::new("accounts-signed-in").with("name", name);
            let Query(next) = Query::<Next>::from_request_parts(parts, state).await?;
            let paths = RequestContext::of(parts)?.services().mounted.accounts();
            let to = next.local(paths).unwrap_or_else(LocalPath::front);
            let context = RequestContext::of_mut(parts)?;
            context.admission.done_already = Some(Box::new(DoneAlready { to, why }));
        }
        Ok(Self(()))
    }
}

impl HandlerInput for SecondTab {
    fn describe(_: &mut Described, _: Sealed) {}
}

/// `GET /sign-in`.
pub async fn sign_in_page(accounts: Accounts, Query(next): Query<Next>) -> Page {
    page(&accounts, next.local(accounts.paths()).as_ref()).form("form", SignIn::view())
}

/// `POST /sign-in`.
///
/// # Errors
/// The page again at 422 with the same sentence for every reason, and at 429; 503.
pub async fn sign_in(
    accounts: Accounts,
    session: Session,
    address: ClientAddress,
    Query(next): Query<Next>,
    _tab: SecondTab,
    clock: Clock,
    form: Form<SignIn>,
) -> Result<SignedIn, Error> {
    let next = next.local(accounts.paths());
    let (person, bound) = form.bind(page(&accounts, next.as_ref()))?;
    let proof = accounts
        .sign_in(
            person.email.as_str(),
            person.password.expose(),
            address.network(),
        )
        .await;
    let user = match proof {
        Ok(proof) => {
            let user = proof.user();
            match proof.begin(&session).await? {
                SignInStep::Complete => user,
                SignInStep::SecondFactor(pending) => {
                    let page =
                        ask_for_second_step(&pending, person.kept, next.as_ref(), clock.now());
                    let page = page.ok_or_else(|| Error::internal("a sign-in that is no text"))?;
                    return Ok(SignedIn(AfterSignIn::Ask(Box::new(page))));
                }
            }
        }
        Err(accounts::Error::Refused) => {
            let problem = Message::new("accounts-do-not-belong");
            let bound = bound.with("kept", person.kept.is_some());
            return Err(bound.refuse_all(Problems::with_all(problem)));
        }
        Err(other) => {
            let bound = bound.with("kept", person.kept.is_some());
            return bound.or_refuse(Err(other), SignIn::PASSWORD);
        }
    };
    Ok(SignedIn(after_sign_in(
        user,
        person.kept,
        next,
        clock.now(),
    )))
}

/// The page that the person wanted, or the form that they sent while signed out.
pub(super) fn after_sign_in(
    user: UserId,
    kept: StoredForm,
    next: Option<LocalPath>,
    now: i64,
) -> AfterSignIn {
    let to = next.unwrap_or_else(LocalPath::front);
    match kept.shown_to(user, now, &to) {
        Some(resume) => AfterSignIn::Show(resume),
        None => AfterSignIn::Go(Redirect::to(to)),
    }
}

/// The sign-in page with the typed values of a person who was signed out meanwhile.
pub(in crate::accounts) fn sign_in_again(
    accounts: &Accounts,
    back: Option<&LocalPath>,
    kept: Option<String>,
) -> Page {
    let is_kept = kept.is_some();
    let form = match kept {
        Some(kept) => SignIn::view().fill(SignIn::KEPT, kept),
        None => SignIn::view(),
    };
    page(accounts, back)
        .form("form", form)
        .with("kept", is_kept)
        .with("signed_out", true)
}

fn page(accounts: &Accounts, next: Option<&LocalPath>) -> Page {
    Page::new("accounts/sign_in.html")
        .with("next", next.map(|path| path.as_str().to_owned()))
        .with("sign_up_is_open", accounts.sign_up_is_open())
        .with("sends_mail", accounts.sends_mail())
        .with("providers", accounts.provider_buttons())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_this_application() {
        let local = |text: &str| {
            let next = Line::parse(text).ok();
            Next { next }
                .local(&AccountPaths::default())
                .map(|path| path.as_str().to_owned())
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
