//! A page whose visitors write to each other over a WebSocket.

use dewar::forms::Line;
use dewar::live::{Live, Topic, WebSocket};
use dewar::pages::JsonSchema;
use dewar::rust_embed::RustEmbed;
use dewar::{App, Form, Page, get};

/// What a page sends.
#[derive(Form)]
struct NewMessage {
    by: Line<40>,
    text: Line<200>,
}

/// What a page gets.
#[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
struct Message {
    by: String,
    text: String,
}

const MESSAGES: Topic<Message> = Topic::new("messages");

async fn chat() -> Page {
    Page::new("chat.html")
}

async fn chat_socket(live: Live) -> WebSocket<NewMessage, Message> {
    let publisher = live.clone();
    live.web_socket([&MESSAGES], Some, move |new: NewMessage| {
        let live = publisher.clone();
        async move {
            let message = Message {
                by: new.by.to_string(),
                text: new.text.to_string(),
            };
            live.publish(&MESSAGES, &message).await?;
            Ok(None)
        }
    })
}

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates/chat"]
struct Templates;

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "static"]
struct Static;

pub fn app(app: App) -> App {
    app.public([get("/", chat), get("/socket", chat_socket)])
        .templates::<Templates>()
        .static_files::<Static>()
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_visitors_write_to_each_other() {
        let site = Site::start(super::app).await;
        let mut sockets = Vec::new();
        for _ in 0..2 {
            let visitor = site.visitor();
            let page = visitor.get("/").await;
            let token = page.attribute("[data-live-token]", "data-live-token");
            let socket = visitor.web_socket("/socket", &token.unwrap()).await;
            assert_eq!(socket.status(), 101);
            sockets.push(socket);
        }
        let message = r#"{"by":"Ada","text":"<b>Tea</b> is ready"}"#;
        sockets[0].send(message).await.unwrap();
        for socket in &mut sockets {
            assert_eq!(socket.next().await.as_deref(), Some(message));
        }
        sockets[0]
            .send(r#"{"text":"nobody says this"}"#)
            .await
            .unwrap();
        let (status, reason) = sockets[0].closed().await.unwrap();
        assert_eq!((status, &*reason), (1007, "the field by breaks a rule"));
    }
}
