//! The client of a WebSocket (RFC 6455).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Error;
use super::wire::Socket;

/// An open WebSocket, or the refusal of one; dropping it closes the connection.
///
/// ```no_run
/// # async fn example(site: dewar::testing::Site) {
/// let ada = site.visitor();
/// let page = ada.get("/chat").await;
/// let token = page.attribute("[data-live-token]", "data-live-token").unwrap();
/// let mut chat = ada.web_socket("/chat/socket", &token).await;
/// chat.send(r#"{"text":"Tea is ready"}"#).await.unwrap();
/// assert!(chat.next().await.unwrap().contains("Tea is ready"));
/// # }
/// ```
#[derive(Debug)]
pub struct WebSocketClient {
    status: StatusCode,
    headers: HeaderMap,
    socket: Socket,
    patience: Duration,
    unread: Vec<u8>,
    closed: Option<(u16, String)>,
}

impl WebSocketClient {
    /// Sends the head of the handshake and reads that of the response.
    pub(super) async fn open(
        mut socket: Socket,
        head: &[u8],
        patience: Duration,
    ) -> Result<Self, Error> {
        socket.send(head).await?;
        let mut unread = Vec::new();
        let end = loop {
            if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if !more(&mut socket, &mut unread, patience).await? {
                let gone = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                return Err(Error::Connect(gone));
            }
        };
        let rest = unread.split_off(end);
        let (status, headers) = read_head(&unread);
        Ok(Self {
            status,
            headers,
            socket,
            patience,
            unread: rest,
            closed: None,
        })
    }

    /// The status of the response: 101, or that of a refusal.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The first value of a header of the response; `None` if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends a message of text.
    ///
    /// # Errors
    /// The server has closed the connection.
    pub async fn send(&mut self, message: &str) -> Result<(), Error> {
        let frame = Self::frame(0x81, message.as_bytes());
        self.send_bytes(&frame).await
    }

    /// Sends these bytes as they are: frames that no browser sends.
    ///
    /// # Errors
    /// The server has closed the connection.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.socket.send(bytes).await
    }

    /// A client's frame with this first byte.
    #[must_use]
    pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(short @ 0..=125), _) => frame.push(0x80 | short),
            (_, Ok(length)) => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            (_, Err(_)) => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
            }
        }
        let mask = [0x5A, 0x00, 0xFF, 0x13];
        frame.extend_from_slice(&mask);
        let masked = payload.iter().zip(mask.iter().cycle());
        frame.extend(masked.map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// Waits for the next message. It answers pings and passes over heartbeats. None once the connection is closed.
    ///
    /// # Panics
    /// Nothing comes for the browser's patience.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            while let Some((opcode, payload)) = self.take() {
                match opcode {
                    0x1 if payload.is_empty() => {}
                    0x1 => return Some(String::from_utf8_lossy(&payload).into_owned()),
                    0x8 => {
                        let status = payload.first_chunk::<2>().copied();
                        let status = status.map_or(1005, u16::from_be_bytes);
                        let reason = payload.get(2..).unwrap_or_default();
                        let reason = String::from_utf8_lossy(reason).into_owned();
                        self.closed = Some((status, reason));
                        let echo = Self::frame(0x88, payload.get(..2).unwrap_or_default());
                        drop(self.send_bytes(&echo).await);
                        return None;
                    }
                    0x9 => {
                        let pong = Self::frame(0x8A, &payload);
                        drop(self.send_bytes(&pong).await);
                    }
                    _ => {}
                }
            }
            let read = more(&mut self.socket, &mut self.unread, self.patience).await;
            match read {
                Ok(true) => {}
                Ok(false) | Err(Error::Connect(_)) => return None,
                Err(error) => panic!("no message, no heartbeat and no end: {error}"),
            }
        }
    }

    /// Reads to the end of the connection. Returns the status and the reason with which the server has closed it; none if it was cut.
    ///
    /// # Panics
    /// The connection is open for longer than the browser's patience.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        let patience = self.patience;
        let to_the_end = async { while self.next().await.is_some() {} };
        if tokio::time::timeout(patience, to_the_end).await.is_err() {
            panic!("the connection was not closed within {patience:?}");
        }
        self.closed.clone()
    }

    /// The next whole frame of the server's.
    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second, rest @ ..] = &*self.unread else {
            return None;
        };
        let (extended, length) = match second {
            126 => (
                2,
                usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?)),
            ),
            127 => {
                let length = u64::from_be_bytes(*rest.first_chunk::<8>()?);
                (8, usize::try_from(length).ok()?)
            }
            short => (0, usize::from(*short)),
        };
        let payload = rest.get(extended..extended + length)?.to_vec();
        let opcode = first & 0x0F;
        self.unread.drain(..2 + extended + length);
        Some((opcode, payload))
    }
}

/// Reads more bytes; false at their end.
async fn more(
    socket: &mut Socket,
    unread: &mut Vec<u8>,
    patience: Duration,
) -> Result<bool, Error> {
    let read = tokio::time::timeout(patience, socket.read(unread)).await;
    let read = read.map_err(|_| Error::Late(patience))?;
    Ok(read? > 0)
}

fn read_head(head: &[u8]) -> (StatusCode, HeaderMap) {
    let mut lines = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut lines);
    if let Err(error) = response.parse(head) {
        panic!("the head of the response cannot be read: {error}");
    }
    let status = StatusCode::from_u16(response.code.unwrap_or_default());
    let mut headers = HeaderMap::new();
    for line in response.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_bytes(line.value);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), headers)
}
