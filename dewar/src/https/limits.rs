use std::time::Duration;

/// The limits on what a client may use: time, connections, bytes.
///
/// The defaults are those of `docs/deployment.md`; a test compares both.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLimits {
    /// Connections at once, in all; further ones wait in the backlog.
    pub connections: usize,
    /// Connections at once from one address (one /64 for IPv6); further ones are closed immediately.
    pub connections_per_address: usize,
    /// How long the TLS handshake may take.
    pub handshake_timeout: Duration,
    /// From the start of waiting for an HTTP/1 request until its headers are complete, and until the first request of an
    /// HTTP/2 connection.
    pub header_timeout: Duration,
    /// Bytes of request line and headers.
    pub header_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// Bytes of path and query.
    pub target: usize,
    /// Requests at once on an HTTP/2 connection.
    pub streams: u32,
    /// How long an HTTP/2 connection without a request is kept.
    pub idle_timeout: Duration,
    /// How old a connection may grow before Dewar closes it gracefully.
    pub age: Duration,
    /// The time in which a response must move by [`progress_bytes`](Self::progress_bytes); otherwise Dewar closes the
    /// connection.
    pub progress: Duration,
    /// See [`progress`](Self::progress).
    pub progress_bytes: u64,
    /// Bytes of a request body on any route; forms and uploads have smaller limits of their own.
    pub body_bytes: u64,
    /// How long a whole body may take.
    pub body_timeout: Duration,
    /// How long Dewar waits for a body before the rate counts.
    pub body_grace: Duration,
    /// Bytes a second at which a body must arrive after the grace period.
    pub body_rate: u64,
    /// How long a handler may take, not counting the time it waits for the body.
    pub handler_timeout: Duration,
    /// How long Dewar listens to a client that still sends after the last response. Closing a connection with unread
    /// bytes resets it and loses a response on its way, so nobody could read why a form was too large (RFC 9112, 9.6).
    pub linger: Duration,
    /// Bytes of unread responses of one connection. Dewar refuses further responses with 503; the first one is accepted,
    /// however large it is.
    pub unread_per_connection: u64,
    /// The same for all connections from one address (one /64 for IPv6).
    pub unread_per_address: u64,
    /// The same in all.
    pub unread: u64,
    /// Bytes of incomplete request bodies of one connection. Dewar refuses further ones with 503; the form bounds a body
    /// that is alone.
    pub bodies_per_connection: u64,
    /// The same for all connections from one address (one /64 for IPv6).
    pub bodies_per_address: u64,
    /// The same in all.
    pub bodies: u64,
    /// How long open requests may take to finish when the application stops.
    pub drain_timeout: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_per_address: 128,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            header_bytes: 16 * 1024,
            headers: 64,
            target: 8 * 1024,
            streams: 100,
            idle_timeout: Duration::from_secs(60),
            age: Duration::from_secs(3600),
            progress: Duration::from_secs(30),
            progress_bytes: 1024,
            body_bytes: 64 * 1024 * 1024,
            body_timeout: Duration::from_secs(300),
            body_grace: Duration::from_secs(5),
            body_rate: 1024,
            handler_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(3),
            unread_per_connection: 16 * 1024 * 1024,
            unread_per_address: 64 * 1024 * 1024,
            unread: 256 * 1024 * 1024,
            bodies_per_connection: 16 * 1024 * 1024,
            bodies_per_address: 64 * 1024 * 1024,
            bodies: 256 * 1024 * 1024,
            drain_timeout: Duration::from_secs(25),
        }
    }
}
