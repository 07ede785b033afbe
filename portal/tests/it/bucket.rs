//! The bucket of the tests, if `with-s3` runs them: where a portal's files are then, and requests that a browser sends there.

use std::path::PathBuf;

use dewar::Uploads;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The setting for files on the disk, wherever the tests store them.
pub(crate) const ON_DISK: (&str, &str) = ("DEWAR_UPLOADS_STORAGE", "disk");

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings yet, and asks for its server"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Whether a server of S3 runs here. Otherwise the test says that it is skipped.
pub(crate) fn or_skip() -> Option<()> {
    let there = variable("TEST_S3_URL").map(drop);
    if there.is_none() {
        println!("SKIPPED: no server of S3 runs here: see CONTRIBUTING.md");
    }
    there
}

/// The folder in which the server has the objects of a portal; none if its files are on the disk.
pub(crate) fn folder(uploads: &Uploads) -> Option<PathBuf> {
    let place = uploads.config().storage.to_string();
    let place = place.strip_prefix("s3://")?;
    Some(PathBuf::from(variable("TEST_S3_FOLDER")?).join(place))
}

/// Sends a file to an address as a browser does, and says what the server answers.
pub(crate) async fn put(address: &str, headers: &[(String, String)], bytes: &[u8]) -> u16 {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\nconnection: close\r\n{lines}\r\n",
        bytes.len()
    );
    let mut socket = TcpStream::connect(host).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
