use bytes::Bytes;
use serde::de::DeserializeOwned;

/// The body of a request with a verified signature; the input of a webhook's handler.
///
/// With a response of 500 or above the delivery counts as not accepted: the sender may send it again. So do the work of
/// a handler in one transaction.
///
/// ```
/// use dewar::forms::{Email, Int};
/// use dewar::{Form, csrf::VerifiedWebhook, pages::Text};
/// #[derive(Form)]
/// struct Paid { invoice: Int<1, 999_999>, by: Email }
/// async fn on_paid(delivery: VerifiedWebhook) -> dewar::Result<Text> {
///     let paid: Paid = delivery.form()?;
///     Ok(Text::new(format!("noted {}", paid.invoice.get())))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedWebhook {
    body: Bytes,
    /// The most values of a body that is read as a form.
    pub(crate) most_fields: usize,
    /// The fewest characters of a new password in it.
    pub(crate) min_password_length: usize,
}

/// The body is not the JSON that was expected.
#[derive(Debug, thiserror::Error)]
#[error("the delivery is not the JSON that was expected: {0}")]
pub struct NotJson(String);

impl VerifiedWebhook {
    pub(super) const fn new(body: Bytes) -> Self {
        Self {
            body,
            most_fields: 0,
            min_password_length: usize::MAX,
        }
    }

    /// Sets the bounds of a body that is read as a form.
    pub(crate) const fn bounded(mut self, most_fields: usize, min_password_length: usize) -> Self {
        self.most_fields = most_fields;
        self.min_password_length = min_password_length;
        self
    }

    /// The body, byte for byte as it was signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Parses the body as JSON of any type that `serde` reads, for a sender whose JSON [`form`](Self::form) does not describe.
    ///
    /// # Errors
    /// [`NotJson`], which becomes a 400.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        serde_json::from_slice(&self.body).map_err(|error| NotJson(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::VerifiedWebhook;
    use bytes::Bytes;

    #[test]
    fn a_delivery_is_what_was_signed_byte_for_byte() {
        let body = b" {\"invoice\" : 7}\n";
        let delivery = VerifiedWebhook::new(Bytes::from_static(body));
        assert_eq!(delivery.bytes(), body);
        let json: serde_json::Value = delivery.json().unwrap();
        assert_eq!(json["invoice"], 7);
        let broken = VerifiedWebhook::new(Bytes::from_static(b"{"));
        assert!(broken.json::<serde_json::Value>().is_err());
    }
}
