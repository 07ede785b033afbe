use serde::Serialize;
use std::fmt;

/// How much an [`Event`] should worry its reader.
///
/// The OWASP Logging Vocabulary ranks some refusals as critical. Here they are warnings, because the protection held.
/// Otherwise a stranger could raise critical alerts without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Level {
    /// Expected.
    Info,
    /// Worth a look if there are many.
    Warn,
    /// Needs a look each time: somebody has to repair the program, its log or its disk. A refused visitor never causes it.
    Critical,
}

impl Level {
    /// The level as the log writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The recorder of an [`Event`]: the application or the framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventSource {
    /// The application, where the event applies to it.
    Application,
    /// The framework, by itself.
    Framework,
}

/// One table: variant, name, level, who records it, meaning.
macro_rules! events {
    ($($variant:ident $name:literal $level:ident $source:ident $meaning:literal)*) => {
        /// A security event, named as in the [OWASP Logging Vocabulary].
        ///
        /// The framework does not record all of them; [`source`](Self::source) tells which. The application uses the
        /// others for what only it knows (a document is sensitive, a step was left out). So the logs of several
        /// programs use one list of names.
        ///
        /// ```
        /// use dewar::audit::Event;
        /// assert_eq!(Event::AuthnLoginFail.name(), "authn_login_fail");
        /// ```
        ///
        /// [OWASP Logging Vocabulary]: https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Event {
            $(#[doc = $meaning] $variant,)*
            /// An event of the application, by its name: `Application("document_approved")`.
            Application(&'static str),
        }

        impl Event {
            /// Every event except the application's, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the log.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Application(name) => name }
            }

            /// The recorder: the application or the framework.
            #[must_use]
            pub const fn source(self) -> EventSource {
                match self { $(Self::$variant => EventSource::$source,)* Self::Application(_) => EventSource::Application }
            }

            /// The level of the event.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* Self::Application(_) => Level::Info }
            }
        }
    };
}

events! {
    AuthnLoginSuccess "authn_login_success" Info Framework "Someone signed in."
    AuthnLoginSuccessAfterFail "authn_login_successafterfail" Info Framework "Someone signed in after failed attempts."
    AuthnLoginFail "authn_login_fail" Warn Framework "A sign-in failed."
    AuthnLoginFailMax "authn_login_fail_max" Warn Framework "Sign-ins failed up to the limit."
    AuthnHashUnusable "authn_hash_unusable" Warn Framework "A sign-in failed because the stored password hash of the account cannot be used."
    AuthnLoginLock "authn_login_lock" Warn Framework "An account was locked for a while."
    AuthnPasswordChange "authn_password_change" Info Framework "A password was changed."
    AuthnPasswordChangeFail "authn_password_change_fail" Warn Framework "A password was not changed: the current password or the link was wrong."
    AuthnFactorAdded "authn_factor_added" Info Framework "A second factor was added."
    AuthnFactorRemoved "authn_factor_removed" Warn Framework "A second factor was removed."
    AuthnImpossibleTravel "authn_impossible_travel" Critical Application "An account was used in two distant places at once."
    AuthnTokenCreated "authn_token_created" Info Framework "A link or token that proves identity was created."
    AuthnTokenFirstUse "authn_token_first_use" Info Framework "A new API token was used for the first time."
    AuthnTokenRevoked "authn_token_revoked" Info Framework "A token was revoked."
    AuthnTokenReuse "authn_token_reuse" Warn Framework "A used or revoked token was presented."
    AuthnTokenDelete "authn_token_delete" Warn Application "A token was deleted."
    AuthzFail "authz_fail" Warn Framework "Someone requested something without permission."
    AuthzChange "authz_change" Warn Framework "Someone's rights were changed."
    AuthzAdmin "authz_admin" Warn Framework "An administrator did something."
    CryptDecryptFail "crypt_decrypt_fail" Warn Framework "Something encrypted could not be decrypted."
    CryptEncryptFail "crypt_encrypt_fail" Warn Application "Something could not be encrypted."
    CryptFail "crypt_fail" Warn Framework "A signature is invalid, or a key is unknown."
    CryptKeyChanged "crypt_key_changed" Warn Framework "A key was created, rotated or revoked."
    ExcessRateLimitExceeded "excess_rate_limit_exceeded" Warn Framework "Too many requests."
    ExcessSessionsExceeded "excess_sessions_exceeded" Warn Framework "Too many sessions."
    InputValidationFail "input_validation_fail" Warn Framework "A form was refused."
    InputValidationDiscreteFail "input_validation_discrete_fail" Warn Framework "A value outside a fixed list was sent."
    MaliciousAttackTool "malicious_attack_tool" Warn Application "A known attack tool."
    MaliciousCors "malicious_cors" Warn Framework "A request from an origin that is not allowed."
    MaliciousCsrf "malicious_csrf" Warn Framework "A cross-site request was refused."
    MaliciousCspViolation "malicious_csp_violation" Warn Framework "A browser blocked what the page's policy forbids."
    MaliciousDirectReference "malicious_direct_reference" Warn Framework "Someone requested another user's object."
    MaliciousExcess404 "malicious_excess_404" Warn Framework "Someone scanned for pages."
    MaliciousExtraneous "malicious_extraneous" Warn Framework "A request sent a field that the form does not have."
    MaliciousSqli "malicious_sqli" Warn Application "Input that looks like SQL."
    PrivilegePermissionsChanged "privilege_permissions_changed" Warn Application "An object's permissions were changed."
    SensitiveCreate "sensitive_create" Warn Application "A sensitive object was created."
    SensitiveRead "sensitive_read" Warn Application "A sensitive object was read."
    SensitiveUpdate "sensitive_update" Warn Application "A sensitive object was changed."
    SensitiveDelete "sensitive_delete" Warn Application "A sensitive object was deleted."
    SequenceFail "sequence_fail" Warn Application "A step was taken out of order."
    SessionCreated "session_created" Info Framework "A session was created."
    SessionRenewed "session_renewed" Info Framework "A session got a new token."
    SessionExpired "session_expired" Info Framework "A session reached its limit."
    SessionLogout "session_logout" Info Framework "Someone signed out."
    SessionUseAfterExpire "session_use_after_expire" Warn Application "An expired session was presented."
    SysStartup "sys_startup" Info Framework "The application started."
    SysShutdown "sys_shutdown" Info Framework "The application stopped."
    SysRestart "sys_restart" Warn Application "The application restarted."
    SysCrash "sys_crash" Warn Framework "The application crashed, or its log was cut off."
    SysDiskFull "sys_disk_full" Critical Framework "The disk is full: Dewar freed the reserve, and refuses files."
    SysDiskFree "sys_disk_free" Info Framework "The disk has room again."
    SysMonitorDisabled "sys_monitor_disabled" Warn Application "A monitor was disabled."
    SysMonitorEnabled "sys_monitor_enabled" Warn Application "A monitor was enabled."
    UploadComplete "upload_complete" Info Framework "A file arrived."
    UploadStored "upload_stored" Info Framework "A file was stored."
    UploadValidation "upload_validation" Warn Framework "A file was refused."
    UploadDelete "upload_delete" Info Framework "A file was deleted."
    UserCreated "user_created" Warn Framework "An account was created."
    UserUpdated "user_updated" Warn Framework "An account was changed."
    UserArchived "user_archived" Warn Framework "An account was disabled."
    UserDeleted "user_deleted" Warn Application "An account was deleted."
    AuditEntriesLost "audit_entries_lost" Critical Framework "Entries of this log could not be stored; the entry says how many."
    AuditRotated "audit_rotated" Info Framework "Old files of this log were removed, as the settings say."
    AuditNodeConflict "audit_node_conflict" Critical Framework "Another program took the name of this node, and with it the place of its audit log in the database; or gave it back."
    AuditMismatch "audit_mismatch" Critical Framework "This log is not as the application left it."
}

impl Event {
    /// Whether the event is a refusal. A stranger can cause refusals without end. So the log
    /// [counts](super::Log::record) repeated ones, and none is [`Level::Critical`]: a flood of refusals would hide what
    /// an administrator has to see.
    pub(super) const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::AuthnHashUnusable
                | Self::AuthnLoginFail
                | Self::AuthnLoginFailMax
                | Self::AuthnLoginLock
                | Self::AuthnPasswordChangeFail
                | Self::AuthnTokenReuse
                | Self::AuthzFail
                | Self::CryptDecryptFail
                | Self::CryptFail
                | Self::ExcessRateLimitExceeded
                | Self::ExcessSessionsExceeded
                | Self::InputValidationFail
                | Self::InputValidationDiscreteFail
                | Self::MaliciousAttackTool
                | Self::MaliciousCors
                | Self::MaliciousCsrf
                | Self::MaliciousCspViolation
                | Self::MaliciousDirectReference
                | Self::MaliciousExcess404
                | Self::MaliciousExtraneous
                | Self::MaliciousSqli
                | Self::SequenceFail
                | Self::SessionUseAfterExpire
                | Self::UploadValidation
        )
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A stranger whose requests were refused again and again filled the log with errors, which hid a full disk.
    #[test]
    fn a_refused_visitor_is_at_most_a_warning() {
        for event in Event::ALL {
            let worst = if event.is_refusal() {
                Level::Warn
            } else {
                Level::Critical
            };
            assert!(event.level() <= worst, "{event}");
        }
        for event in [
            Event::AuditMismatch,
            Event::AuditEntriesLost,
            Event::SysDiskFull,
        ] {
            assert_eq!(event.level(), Level::Critical, "{event}");
        }
    }

    #[test]
    fn every_event_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Event::ALL.iter().map(|event| event.name()).collect();
        assert_eq!(names.len(), Event::ALL.len());
        assert!(names.iter().all(|name| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }));
    }
}
