use std::time::Duration;

use crate::audit::Finding;
use crate::pages::{LetterTemplates, Page};

/// A letter: its fields are the values of a template in text, and of one in HTML if there is one.
///
/// `templates/letters/invoice.txt` begins with the subject. Its text follows after an empty line:
///
/// ```text
/// Subject: Your invoice {{ number }}
///
/// Hello {{ name }},
/// you find it here: {{ origin }}/invoices/{{ number }}
/// ```
///
/// ```
/// use dewar::mail::{Letter, Mailer, Recipient};
/// use dewar::{App, Db, Redirect, forms::Email, post};
///
/// #[derive(Letter)]
/// #[letter(template = "letters/invoice")]
/// struct Invoice<'a> {
///     number: u32,
///     name: &'a str,
/// }
///
/// async fn send(db: Db, mailer: Mailer) -> dewar::Result<Redirect> {
///     let ada = Email::parse("ada@example.org").map_err(|_| dewar::Error::not_found())?;
///     let tx = db.begin().await?;
///     mailer.send(&tx, ada, &Invoice { number: 7, name: "Ada" }).await?;
///     tx.commit().await?; // the letter is queued with the commit, and not without it
///     Ok(Redirect::to("/"))
/// }
/// fn app(app: App) -> App { app.letter::<Invoice<'_>>().signed_in([post("/invoices/send", send)]) }
/// # let _ = app;
/// ```
pub trait Letter: Sync {
    /// The name of its template, without `.txt` and `.html`.
    const TEMPLATE: &'static str;
    /// The names of its values.
    const FIELDS: &'static [&'static str];
    /// How long the letter is of use, such as one with a link that expires. Dewar does not send it later.
    const VALID_FOR: Option<Duration> = None;
    /// The mailing list of a letter that goes to many, such as `news`. Each recipient can leave it
    /// ([RFC 8058](https://www.rfc-editor.org/rfc/rfc8058)).
    const LIST: Option<&'static str> = None;

    /// Gives its values to a template.
    #[doc(hidden)]
    fn fill(&self, page: Page) -> Page;
}

/// A letter that an application has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LetterType {
    pub(crate) template: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) list: Option<&'static str>,
}

impl LetterType {
    pub(crate) const fn of<L: Letter>() -> Self {
        Self {
            template: L::TEMPLATE,
            fields: L::FIELDS,
            list: L::LIST,
        }
    }

    /// The findings about its templates.
    pub(crate) fn findings(&self, templates: &LetterTemplates) -> Vec<Finding> {
        templates.of_letter(self.template, self.fields, self.list)
    }
}
