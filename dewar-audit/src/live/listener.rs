//! A listener on this machine: a server that opens its address proves that it opens any.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(super) struct Listener {
    port: u16,
    /// The requests for each path.
    heard: Arc<Mutex<BTreeMap<String, String>>>,
    /// The answer.
    says: Arc<Mutex<String>>,
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) async fn open() -> std::io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = socket.local_addr()?.port();
        let heard: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let says: Arc<Mutex<String>> = Arc::default();
        let (ears, mouth) = (Arc::clone(&heard), Arc::clone(&says));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (ears, mouth) = (Arc::clone(&ears), Arc::clone(&mouth));
                tokio::spawn(tokio::time::timeout(
                    Duration::from_secs(5),
                    answer(stream, ears, mouth),
                ));
            }
        });
        Ok(Self {
            port,
            heard,
            says,
            task,
        })
    }

    /// An address that nobody else knows.
    pub(super) fn address(&self, token: &str) -> String {
        format!("http://127.0.0.1:{}/{token}", self.port)
    }

    pub(super) fn say(&self, text: &str) {
        text.clone_into(&mut self.says.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether somebody asked for this token.
    pub(super) fn heard(&self, token: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard
            .iter()
            .find(|(path, _)| path.contains(token))
            .map(|(_, head)| head.clone())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    ears: Arc<Mutex<BTreeMap<String, String>>>,
    mouth: Arc<Mutex<String>>,
) -> std::io::Result<()> {
    let mut head = [0_u8; 2048];
    let length = stream.read(&mut head).await?;
    let text = String::from_utf8_lossy(head.get(..length).unwrap_or_default()).into_owned();
    let path = text
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    {
        let mut ears = ears.lock().unwrap_or_else(PoisonError::into_inner);
        if ears.len() < 10_000 {
            ears.insert(path, text.lines().take(6).collect::<Vec<_>>().join("\n"));
        }
    }
    let says = mouth.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{says}",
        says.len()
    );
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}
