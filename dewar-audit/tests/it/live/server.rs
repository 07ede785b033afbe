//! A server on a free port, whose whole application is one function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dewar_audit::live::{Discovery, LiveOptions, audit};
use dewar_audit::scan::ScanReport;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as the application sees it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) delay: Duration,
    /// The connection is closed without an answer, now and from now on.
    pub(crate) dies: bool,
}

pub(crate) fn page(body: impl Into<String>) -> Reply {
    let kind = (
        "Content-Type".to_owned(),
        "text/html; charset=utf-8".to_owned(),
    );
    Reply {
        status: 200,
        headers: vec![kind],
        body: body.into(),
        delay: Duration::ZERO,
        dies: false,
    }
}

pub(crate) fn json(body: impl Into<String>) -> Reply {
    let mut reply = page(body);
    reply.headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    reply
}

pub(crate) fn redirect(to: &str) -> Reply {
    page("").status(302).header("Location", to)
}

pub(crate) fn missing() -> Reply {
    page("<h1>Not found</h1>").status(404)
}

impl Reply {
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Asked {
    pub(crate) fn q(&self, name: &str) -> String {
        self.query.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn f(&self, name: &str) -> String {
        self.form.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn cookie(&self, name: &str) -> String {
        self.cookies.get(name).cloned().unwrap_or_default()
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

type Application = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// Serves, and gives the address.
pub(crate) async fn serve(application: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let application: Application = Arc::new(application);
    tokio::spawn(async move {
        let (died, mut is_dead) = tokio::sync::watch::channel(false);
        loop {
            let stream = tokio::select! {
                accepted = socket.accept() => accepted.unwrap().0,
                _ = is_dead.changed() => break,
            };
            let (application, died) = (Arc::clone(&application), died.clone());
            tokio::spawn(async move {
                if answer(stream, application).await.is_some_and(|dies| dies) {
                    died.send_replace(true);
                }
            });
        }
    });
    url
}

async fn answer(mut stream: TcpStream, application: Application) -> Option<bool> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 16_384];
    let (head, rest) = loop {
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let mut asked = read_head(&head);
    let length: usize = asked
        .headers
        .get("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    while bytes.len() < rest + length {
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
    asked.body = String::from_utf8_lossy(&bytes[rest..]).into_owned();
    asked.form = pairs(&asked.body);
    let reply = application(&asked);
    tokio::time::sleep(reply.delay).await;
    if reply.dies {
        return Some(true);
    }
    let mut text = format!(
        "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(format!("{text}\r\n{}", reply.body).as_bytes())
        .await
        .ok()?;
    stream.shutdown().await.ok()?;
    Some(false)
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn read_head(head: &str) -> Asked {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (
        first.next().unwrap_or_default(),
        first.next().unwrap_or_default(),
    );
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let cookies = headers.get("cookie").map(|line| {
        line.split("; ")
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    Asked {
        method: method.to_owned(),
        path: decode(path),
        query: pairs(query),
        cookies: cookies.unwrap_or_default(),
        headers,
        ..Asked::default()
    }
}

pub(crate) fn options() -> LiveOptions {
    let mut options = LiveOptions::new();
    options.rate = 100_000;
    options.discovery = Discovery::FollowLinks;
    // No test waits for it, however slow the machine is.
    options.patience = Duration::from_secs(120);
    options
}

pub(crate) async fn report(
    application: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> ScanReport {
    audit(&serve(application).await, &options()).await.unwrap()
}

/// The findings above low, as `id where:name`.
pub(crate) async fn found(
    application: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Vec<String> {
    names(&report(application).await)
}

pub(crate) fn names(report: &ScanReport) -> Vec<String> {
    let serious = report
        .findings
        .iter()
        .filter(|finding| finding.severity > dewar::audit::Severity::Low);
    let mut all: Vec<String> = serious
        .map(|finding| {
            format!(
                "{} {}",
                finding.id,
                finding.parameter.clone().unwrap_or_default()
            )
            .trim()
            .to_owned()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}
