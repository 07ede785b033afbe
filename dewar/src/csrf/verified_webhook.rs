use bytes::Bytes;
use serde::de::DeserializeOwned;

/// The body of a request with a verified signature; the input of a webhook's handler.
///
/// With a response of 500 or above the delivery counts as not accepted: the sender may send it again. So do the work of
/// a handler in one transaction.
///
/// ```
/// use dewar::{csrf::VerifiedWebhook, pages::Text};
/// #[derive(serde::Deserialize)]
/// struct Paid { invoice: u64 }
/// async fn on_paid(delivery: VerifiedWebhook) -> dewar::Result<Text> {
///     let paid: Paid = delivery.json()?;
///     Ok(Text::new(format!("noted {}", paid.invoice)))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedWebhook {
    body: Bytes,
}

/// The body is not the JSON that was expected.
#[derive(Debug, thiserror::Error)]
#[error("the delivery is not the JSON that was expected: {0}")]
pub struct NotJson(String);

impl VerifiedWebhook {
    pub(super) const fn new(body: Bytes) -> Self {
        Self { body }
    }

    /// The body, byte for byte as it was signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// Parses the body as JSON.
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
