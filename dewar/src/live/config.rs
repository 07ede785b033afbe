//! The settings of the room, section `live`.

use std::time::Duration;

use crate::audit::Section;

/// How many connections stay open, and for how long nothing is said on them.
///
/// ```
/// use dewar::audit::Settings;
/// use dewar::live::Config;
///
/// let settings = Settings::read(None, []);
/// assert_eq!(Config::read(&settings.section("live")).max_connections_per_user, 20);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Connections at once, in all; the next one gets 503.
    pub max_connections: usize,
    /// Connections at once of one person, or of one service's token; the next one gets 429.
    pub max_connections_per_user: usize,
    /// Connections at once of visitors from one address (one /64 for IPv6); the next one gets 429.
    pub max_connections_per_address: usize,
    /// How often something is sent on a connection without events.
    pub heartbeat: Duration,
    /// Events that wait for a program that reads slowly.
    pub buffer: usize,
    /// The most bytes of one message of a WebSocket's client.
    pub message_bytes: usize,
    /// Messages of one person in a minute, over all WebSockets of this node; of a visitor, those of the address.
    pub messages_per_minute: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: 1_000,
            max_connections_per_user: 20,
            max_connections_per_address: 100,
            heartbeat: Duration::from_secs(10),
            buffer: 64,
            message_bytes: 16 * 1024,
            messages_per_minute: 120,
        }
    }
}

impl Config {
    /// Reads the section `live`; missing settings get their defaults.
    #[must_use]
    pub fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let seconds = Duration::from_secs;
        let count = |key, usual: usize, range| {
            let usual = u64::try_from(usual).unwrap_or(u64::MAX);
            let number = section.integer(key, usual, range);
            usize::try_from(number).unwrap_or(usize::MAX)
        };
        let message_bytes = u64::try_from(default.message_bytes).unwrap_or(u64::MAX);
        let message_bytes = section.bytes("message_bytes", message_bytes, 1_024..=1024 * 1024);
        let messages = u64::from(default.messages_per_minute);
        let messages = section.integer("messages_per_minute", messages, 1..=6_000);
        Self {
            max_connections: count("max_connections", default.max_connections, 1..=100_000),
            max_connections_per_user: count(
                "max_connections_per_user",
                default.max_connections_per_user,
                1..=1_000,
            ),
            max_connections_per_address: count(
                "max_connections_per_address",
                default.max_connections_per_address,
                1..=10_000,
            ),
            // Two of them within the time in which a response must move (`RequestLimits::progress`).
            heartbeat: section.duration("heartbeat", default.heartbeat, seconds(1)..=seconds(15)),
            buffer: count("buffer", default.buffer, 1..=1_024),
            message_bytes: usize::try_from(message_bytes).unwrap_or(usize::MAX),
            messages_per_minute: u32::try_from(messages).unwrap_or(u32::MAX),
        }
    }
}
