//! The `DevTools` protocol over one WebSocket: commands, each with a response, and events.

use dewar::testing::PATIENCE;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// The connection to one browser.
#[derive(Debug)]
pub(super) struct Protocol {
    shared: Arc<Shared>,
    talking: JoinHandle<()>,
}

/// An event in a tab (`session`), or in the browser (an empty session).
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) session: String,
    pub(super) method: String,
    pub(super) params: Value,
}

type Answer = Result<Value, String>;

#[derive(Debug)]
struct Shared {
    out: mpsc::UnboundedSender<Value>,
    next: AtomicU64,
    pending: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    events: Mutex<Vec<Event>>,
    arrived: watch::Sender<usize>,
}

impl Protocol {
    pub(super) async fn connect(address: &str) -> Arc<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        let (mut sink, mut stream) = socket.split();
        let (out, mut queue) = mpsc::unbounded_channel::<Value>();
        let shared = Arc::new(Shared {
            out,
            next: AtomicU64::new(1),
            pending: Mutex::default(),
            events: Mutex::default(),
            arrived: watch::Sender::new(0),
        });
        let hearer = Arc::clone(&shared);
        let talking = tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(command) = queue.recv() => {
                        if sink.send(Message::text(command.to_string())).await.is_err() { break }
                    }
                    message = stream.next() => match message {
                        Some(Ok(Message::Text(text))) => hearer.hear(serde_json::from_str(&text).unwrap()),
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    },
                }
            }
            hearer.pending.lock().unwrap().clear(); // the closed channel tells whoever waits
        });
        Arc::new(Self { shared, talking })
    }

    /// Sends a command and returns its result.
    pub(super) async fn call(&self, session: &str, method: &str, params: Value) -> Value {
        let answer = self.try_call(session, method, params).await;
        answer.unwrap_or_else(|problem| panic!("{method}: {problem}"))
    }

    pub(super) async fn try_call(&self, session: &str, method: &str, params: Value) -> Answer {
        let (answer, answered) = oneshot::channel();
        let id = self.shared.send(session, method, params, Some(answer));
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the browser closed the connection".to_owned()),
            Err(_) => {
                self.shared.pending.lock().unwrap().remove(&id);
                Err(format!("no answer within {PATIENCE:?}"))
            }
        }
    }

    /// A point in time: [`Protocol::wait`] looks at the events after it.
    pub(super) fn mark(&self) -> usize {
        self.shared.events.lock().unwrap().len()
    }

    /// The first result of `find` for the events after `mark`, now or later.
    pub(super) async fn wait<T>(
        &self,
        mark: usize,
        what: &str,
        find: impl Fn(&Event) -> Option<T>,
    ) -> T {
        let mut arrived = self.shared.arrived.subscribe();
        let waiting = async {
            loop {
                if let Some(found) = self.since(mark, &find).into_iter().next() {
                    return found;
                }
                arrived.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what}"))
    }

    /// All results of `find` for the events after `mark`.
    pub(super) fn since<T>(&self, mark: usize, find: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        let events = self.shared.events.lock().unwrap();
        events.iter().skip(mark).filter_map(find).collect()
    }
}

impl Drop for Protocol {
    fn drop(&mut self) {
        self.talking.abort();
    }
}

impl Shared {
    fn send(
        &self,
        session: &str,
        method: &str,
        params: Value,
        answer: Option<oneshot::Sender<Answer>>,
    ) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": id, "method": method });
        command["params"] = params;
        if !session.is_empty() {
            command["sessionId"] = session.into();
        }
        if let Some(answer) = answer {
            self.pending.lock().unwrap().insert(id, answer);
        }
        // Fails once the browser is gone; the closed response channel then reports that.
        if self.out.send(command).is_err() {
            self.pending.lock().unwrap().remove(&id);
        }
        id
    }

    fn hear(&self, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            let waiting = self.pending.lock().unwrap().remove(&id);
            let answer = match message["error"]["message"].as_str() {
                Some(problem) => Err(problem.to_owned()),
                None => Ok(message["result"].take()),
            };
            if let Some(waiting) = waiting {
                waiting.send(answer).ok(); // a caller that stopped waiting does not need it
            }
            return;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (session, method) = (text(&message["sessionId"]), text(&message["method"]));
        let event = Event {
            session,
            method,
            params: message["params"].take(),
        };
        if event.method == "Page.javascriptDialogOpening" {
            // An open dialog stops the page; this closes it and keeps it as a complaint.
            self.send(
                &event.session,
                "Page.handleJavaScriptDialog",
                json!({ "accept": true }),
                None,
            );
        }
        self.events.lock().unwrap().push(event);
        self.arrived.send_modify(|count| *count += 1);
    }
}
