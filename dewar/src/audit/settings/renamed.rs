//! Settings that had another name before.

use super::section::variable;

/// Each old name with the new one. Dewar refuses an old name: it would not read the value, and the limit would have its
/// default.
pub(crate) const RENAMED: [(&str, &str); 17] = [
    ("accounts.attempts", "accounts.rate_limit"),
    ("accounts.attempts_within", "accounts.rate_window"),
    ("accounts.least_characters", "accounts.min_password_length"),
    ("https.acme.root", "https.acme.ca_file"),
    ("https.limits.body_time", "https.limits.body_timeout"),
    ("https.limits.drain", "https.limits.drain_timeout"),
    ("https.limits.handler", "https.limits.handler_timeout"),
    ("https.limits.handshake", "https.limits.handshake_timeout"),
    ("https.limits.header_time", "https.limits.header_timeout"),
    ("https.limits.idle", "https.limits.idle_timeout"),
    ("https.proxy", "https.client_ip_source"),
    ("mail.authority", "mail.ca_file"),
    ("secrets.settle", "secrets.activation_delay"),
    ("sessions.authority_file", "sessions.ca_file"),
    ("sessions.most", "sessions.max_per_user"),
    ("sessions.recent", "sessions.reauth_timeout"),
    ("uploads.quarantine_age", "uploads.pending_ttl"),
];

/// The new name of this setting, if it was renamed.
pub(super) fn new_name(old: &str) -> Option<&'static str> {
    RENAMED
        .iter()
        .find(|(name, _)| *name == old)
        .map(|(_, new)| *new)
}

/// The new variable of this setting, if it was renamed.
pub(super) fn new_variable(old: &str) -> Option<String> {
    let renamed = RENAMED.iter().find(|(name, _)| variable(name) == old);
    renamed.map(|(_, new)| variable(new))
}
