//! A webhook: a program that signs what it sends. Make its key with `keys webhook new billing`, which prints it once.

use dewar::csrf::{VerifiedWebhook, WebhookAuth};
use dewar::pages::Text;
use dewar::{App, get, post};

#[derive(serde::Deserialize)]
struct Paid {
    invoice: i64,
}

async fn on_paid(delivery: VerifiedWebhook) -> dewar::Result<Text> {
    let paid: Paid = delivery.json()?;
    Ok(Text::new(format!("invoice {} is paid", paid.invoice)))
}

async fn index() -> &'static str {
    "Send a signed delivery to /hooks/billing."
}

pub fn app(app: App) -> App {
    app.public([get("/", index)]).webhook(
        WebhookAuth::hmac("billing"),
        [post("/hooks/billing", on_paid)],
    )
}

#[cfg(test)]
mod tests {
    use dewar::testing::{Cookies, Site};

    const BODY: &str = r#"{"invoice":7}"#;

    #[tokio::test]
    async fn only_a_signed_delivery_is_taken() {
        let site = Site::start(super::app).await;
        let unsigned = site.visitor().raw("POST", "/hooks/billing");
        let unsigned = unsigned.cookies(Cookies::No).body(BODY);
        assert_eq!(unsigned.send().await.unwrap().status(), 401);
        let signed = site.delivery("billing", "/hooks/billing", BODY);
        assert_eq!(signed.send().await.unwrap().text(), "invoice 7 is paid");
    }
}
