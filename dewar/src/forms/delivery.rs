//! Reads a webhook's delivery by the rules of a form.

use super::form::refusal;
use super::{Model, Received, json};
use crate::csrf::VerifiedWebhook;
use crate::pages::Error;

impl VerifiedWebhook {
    /// Reads the body, a JSON object, by the rules of a form, as [`Form`](struct@crate::Form) reads one of a script: a member that
    /// the form does not have is refused, and each value obeys its type. A response of 422 lists all problems
    /// ([`ProblemDetails`](crate::pages::ProblemDetails)). For a sender that sends more than you want to name, take
    /// [`json`](Self::json).
    ///
    /// ```
    /// use dewar::csrf::VerifiedWebhook;
    /// use dewar::forms::{Email, Line};
    /// use dewar::pages::NoContent;
    /// use dewar::{Db, Form};
    /// #[derive(Form)]
    /// struct Mail { from: Email, subject: Line<120> }
    /// async fn receive(delivery: VerifiedWebhook, db: Db) -> dewar::Result<NoContent> {
    ///     let mail: Mail = delivery.form()?; // 422: "errors": [{ "pointer": "#/from", … }]
    ///     let add = "INSERT INTO mails (sender, subject) VALUES (?, ?)";
    ///     db.execute(add, [mail.from.into(), mail.subject.into()]).await?;
    ///     Ok(NoContent)
    /// }
    /// ```
    ///
    /// A file, a hidden value and a [`RecordVersion`](super::RecordVersion) need a page, so a form with one is always refused.
    ///
    /// # Errors
    /// 400 if the body is not such an object, and 422 if a value breaks its rule.
    pub fn form<T: Model>(&self) -> Result<T, Error> {
        let mut received = Received::query::<T>().asking(self.min_password_length);
        json::read(self.bytes(), self.most_fields, &mut received)?;
        let (model, received) = received.read::<T>()?;
        model.ok_or_else(|| refusal(&received.into_view::<T>()))
    }
}
