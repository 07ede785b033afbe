//! A form whose sender was signed out. Dewar keeps it while they sign in, and shows it to them again.

use http::{Method, Uri};
use serde::{Deserialize, Serialize};

use super::endpoints::is_page;
use super::pending_form::{KEPT_FOR, largest_form};
use super::{Accounts, MOST_PENDING};
use crate::forms::{
    Field, FieldKind, FormValue, Intake, Line, Problem, RawValue, Received, Unsent,
};
use crate::pages::{AccountPage, Error, LocalPath, Page, RequestContext, Resume, SealedField};
use crate::sessions::{Session, UserId};

/// The typed values of another form, as a field of the sign-in form. They travel sealed in the sign-in page, for this
/// browser: Dewar stores nothing, and a page without them is an ordinary sign-in page.
///
/// It is a field of [`SignIn`](super::SignIn): a template of one's own that prints `{{ form }}` carries it, and
/// [`sign_in`](super::sign_in) takes it out of the form. The example is the case of a signed-out person who sends a form:
///
/// ```
/// use dewar::forms::{Model, Text};
/// use dewar::{App, Form, Redirect, accounts, get, post};
/// #[derive(Form)]
/// struct Comment { words: Text<2_000> }
/// async fn comment(form: Form<Comment>) -> dewar::Result<Redirect> {
///     let comment = form.or_rerender("comment.html")?; // after the sign-in: this page, with the words that were typed
///     Ok(Redirect::to("/").flash(format!("{} characters are kept.", comment.words.as_str().len())))
/// }
/// fn routes(app: App) -> App {
///     app.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, accounts::sign_in)])
///         .signed_in([post("/comments", comment)])
/// }
/// let kept = accounts::SignIn::FIELDS.iter().find(|field| field.name == "kept");
/// assert!(kept.is_some_and(|field| !field.kind.required));
/// # let _ = routes;
/// ```
#[derive(Debug)]
pub struct StoredForm(Option<SealedForm>);

#[derive(Debug, Serialize, Deserialize)]
struct SealedForm {
    method: String,
    /// The path with its query.
    path: String,
    body: String,
    /// The hidden values, each as the page of the ended session carried it.
    hidden: Vec<SealedField>,
    until: i64,
    /// The owner of the session, if known.
    owner: Option<i64>,
}

impl StoredForm {
    /// The form, if it may be shown to this person: it is theirs, or its owner is unknown. If a hidden value turns out to
    /// be another person's, the person goes to the page `otherwise`.
    pub(super) fn shown_to(self, user: UserId, now: i64, otherwise: &LocalPath) -> Option<Resume> {
        let kept = self.0?;
        if now > kept.until || kept.owner.is_some_and(|owner| owner != user.get()) {
            return None;
        }
        Some(Resume::show(
            Method::from_bytes(kept.method.as_bytes()).ok()?,
            kept.path.parse().ok()?,
            kept.body,
            kept.hidden,
            otherwise.clone(),
        ))
    }

    /// The text for the hidden field of the next page.
    pub(super) fn into_text(self) -> Option<String> {
        serde_json::to_string(&self.0?).ok()
    }

    pub(super) const fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl Field for StoredForm {
    const KIND: FieldKind = {
        let mut kind = FieldKind::hidden(FieldKind::line(MOST_PENDING));
        kind.required = false;
        kind
    };

    fn parse(_raw: RawValue<'_>) -> Result<Self, Problem> {
        Err(Problem::altered())
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        let kept: Option<Line<MOST_PENDING>> = from.take_sealed_if_any(name)?;
        let kept = kept.and_then(|text| serde_json::from_str(text.as_str()).ok());
        Some(Self(kept))
    }
}

/// The sign-in page with the typed values, and the way back to the page of the form.
///
/// # Errors
/// 401 with the typed values, if they are too large to be kept.
pub(crate) fn sign_in_with(
    parts: &http::request::Parts,
    unsent: Unsent,
    back: Option<&LocalPath>,
) -> Result<Page, Error> {
    let context = RequestContext::of(parts)?;
    let accounts = context.service::<Accounts>()?.for_caller(context);
    let (session, clock) = (context.session()?, &context.services().clock);
    let kept = if unsent.typed.is_empty() {
        None
    } else {
        let most = largest_form(context.service::<Intake>()?);
        let text = text_of(&parts.method, &parts.uri, &unsent, session, clock.now());
        let Some(text) = text.filter(|text| text.len() <= most) else {
            return Err(Error::unauthenticated().typed(unsent.typed));
        };
        Some(text)
    };
    let back = back.filter(|path| !is_page(accounts.paths(), AccountPage::SignIn, path));
    Ok(super::endpoints::sign_in_again(&accounts, back, kept))
}

fn text_of(
    method: &Method,
    uri: &Uri,
    unsent: &Unsent,
    session: &Session,
    now: i64,
) -> Option<String> {
    let typed = unsent.typed.iter();
    let pairs = typed.map(|typed| (&*typed.field, &*typed.text));
    let mut body = form_urlencoded::Serializer::new(String::new());
    let body = body.extend_pairs(pairs).finish();
    let kept = SealedForm {
        method: method.to_string(),
        path: uri.path_and_query()?.to_string(),
        body,
        hidden: unsent.hidden.clone(),
        until: now + KEPT_FOR,
        owner: session.ended_owner().map(UserId::get),
    };
    let text = serde_json::to_string(&kept).ok()?;
    text.is_ascii().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(owner: Option<i64>, method: &str, path: &str) -> StoredForm {
        StoredForm(Some(SealedForm {
            method: method.to_owned(),
            path: path.to_owned(),
            body: "title=Milk".to_owned(),
            hidden: Vec::new(),
            until: 1_000,
            owner,
        }))
    }

    #[test]
    fn what_was_typed_is_shown_to_its_owner_and_in_time() {
        for (owner, user, now, shown) in [
            (Some(7), 7, 999, true),
            (Some(7), 7, 1_000, true),
            (Some(7), 7, 1_001, false),
            (Some(7), 8, 999, false),
            (None, 8, 999, true),
            (None, 8, 1_001, false),
        ] {
            let form = kept(owner, "POST", "/notes?a=b");
            assert!(form.is_some());
            let resumed = form.shown_to(UserId::new(user), now, &LocalPath::front());
            assert_eq!(resumed.is_some(), shown, "{owner:?} {user} {now}");
        }
        for (method, path) in [("PO ST", "/notes"), ("POST", "no path")] {
            let form = kept(None, method, path);
            assert!(
                form.shown_to(UserId::new(7), 0, &LocalPath::front())
                    .is_none(),
                "{method} {path}"
            );
        }
        assert!(!StoredForm(None).is_some());
        assert!(
            StoredForm(None)
                .shown_to(UserId::new(7), 0, &LocalPath::front())
                .is_none()
        );
        // Only its form opens the field, and never shows it.
        assert!(matches!(kept(None, "POST", "/").show(), FormValue::Nothing));
    }
}
