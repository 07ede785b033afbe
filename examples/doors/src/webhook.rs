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
    use std::io::Write;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

    use dewar::App;
    use dewar::csrf::signature;
    use dewar::testing::{Cookies, Site};

    const KEY: &[u8] = b"q7Zt2mVx9LpRc4Hw8NbKe1Ys6Jd3Gf5u";
    const BODY: &str = r#"{"invoice":7}"#;

    /// Writes the key as the command does.
    fn with_key(app: App, folder: &std::path::Path) -> App {
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(folder.join("billing")).unwrap();
        file.write_all(KEY).unwrap();
        super::app(app)
    }

    #[tokio::test]
    async fn only_a_signed_delivery_is_taken() {
        let folder = std::env::temp_dir().join(format!("webhooks-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .unwrap();
        let place = folder.display().to_string();
        let settings = [("DEWAR_SECRETS_WEBHOOKS", place.as_str())];
        let site = Site::start_with(settings, |app| with_key(app, &folder)).await;
        let sender = site.visitor();
        let send = || {
            let raw = sender.raw("POST", "/hooks/billing").cookies(Cookies::No);
            raw.header("content-type", "application/json").body(BODY)
        };
        assert_eq!(send().send().await.unwrap().status(), 403);
        let now = site.clock().now();
        let line = signature(KEY, now, "/hooks/billing", BODY.as_bytes());
        let answer = send().header("x-signature", line).send().await.unwrap();
        assert_eq!(answer.text(), "invoice 7 is paid");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
