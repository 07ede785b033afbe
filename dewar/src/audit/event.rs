use serde::Serialize;
use std::fmt;

/// How much an [`Event`] should worry its reader, as the OWASP Logging Vocabulary ranks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Level {
    /// Expected.
    Info,
    /// Look at it when there are many.
    Warn,
    /// Look at each one.
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

/// One table: variant, name, level, meaning.
macro_rules! events {
    ($($variant:ident $name:literal $level:ident $meaning:literal)*) => {
        /// What happened, in the words of the [OWASP Logging Vocabulary].
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
            /// An event of the application's own, by its name: `Application("document_approved")`.
            Application(&'static str),
        }

        impl Event {
            /// Every event but the application's own, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the log.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Application(name) => name }
            }

            /// How much it should worry.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* Self::Application(_) => Level::Info }
            }
        }
    };
}

events! {
    AuthnLoginSuccess "authn_login_success" Info "Someone signed in."
    AuthnLoginSuccessAfterFail "authn_login_successafterfail" Info "Someone signed in after failed attempts."
    AuthnLoginFail "authn_login_fail" Warn "A sign-in failed."
    AuthnLoginFailMax "authn_login_fail_max" Warn "Sign-ins failed up to the limit."
    AuthnLoginLock "authn_login_lock" Warn "An account was locked for a while."
    AuthnPasswordChange "authn_password_change" Info "A password was changed."
    AuthnPasswordChangeFail "authn_password_change_fail" Critical "A password was not changed: the proof was wrong."
    AuthnFactorAdded "authn_factor_added" Info "A second factor was added."
    AuthnFactorRemoved "authn_factor_removed" Warn "A second factor was removed."
    AuthnImpossibleTravel "authn_impossible_travel" Critical "An account was used in two far places at once."
    AuthnTokenCreated "authn_token_created" Info "A link or token that proves identity was made."
    AuthnTokenRevoked "authn_token_revoked" Info "A token was revoked."
    AuthnTokenReuse "authn_token_reuse" Critical "A spent or revoked token was presented."
    AuthnTokenDelete "authn_token_delete" Warn "A token was deleted."
    AuthzFail "authz_fail" Critical "Someone asked for what they may not have."
    AuthzChange "authz_change" Warn "Someone's rights were changed."
    AuthzAdmin "authz_admin" Warn "An administrator did something."
    CryptDecryptFail "crypt_decrypt_fail" Warn "Something sealed could not be opened."
    CryptEncryptFail "crypt_encrypt_fail" Warn "Something could not be sealed."
    CryptFail "crypt_fail" Warn "A signature did not hold, or a key is unknown."
    CryptKeyChanged "crypt_key_changed" Warn "A key was made, rotated or retired."
    ExcessRateLimitExceeded "excess_rate_limit_exceeded" Warn "Too many requests."
    ExcessSessionsExceeded "excess_sessions_exceeded" Warn "Too many sessions."
    InputValidationFail "input_validation_fail" Warn "A form was refused."
    InputValidationDiscreteFail "input_validation_discrete_fail" Warn "A value outside a fixed list was sent."
    MaliciousAttackTool "malicious_attack_tool" Critical "A known attack tool."
    MaliciousCors "malicious_cors" Critical "A request from an origin that is not allowed."
    MaliciousCsrf "malicious_csrf" Warn "A cross-site request was refused."
    MaliciousCspViolation "malicious_csp_violation" Warn "A browser blocked what the page's policy forbids."
    MaliciousDirectReference "malicious_direct_reference" Critical "Someone named another's object."
    MaliciousExcess404 "malicious_excess_404" Warn "Someone searches for pages."
    MaliciousExtraneous "malicious_extraneous" Critical "A field was sent that the form does not have."
    MaliciousSqli "malicious_sqli" Critical "Input that looks like SQL."
    PrivilegePermissionsChanged "privilege_permissions_changed" Warn "An object's permissions were changed."
    SensitiveCreate "sensitive_create" Warn "A sensitive object was made."
    SensitiveRead "sensitive_read" Warn "A sensitive object was read."
    SensitiveUpdate "sensitive_update" Warn "A sensitive object was changed."
    SensitiveDelete "sensitive_delete" Warn "A sensitive object was deleted."
    SequenceFail "sequence_fail" Critical "A step was taken out of order."
    SessionCreated "session_created" Info "A session was made."
    SessionRenewed "session_renewed" Info "A session got a new token."
    SessionExpired "session_expired" Info "A session reached its limit."
    SessionLogout "session_logout" Info "Someone signed out."
    SessionUseAfterExpire "session_use_after_expire" Critical "An expired session was presented."
    SysStartup "sys_startup" Warn "The application started."
    SysShutdown "sys_shutdown" Warn "The application stopped."
    SysRestart "sys_restart" Warn "The application restarted."
    SysCrash "sys_crash" Warn "The application, or its log, was cut off."
    SysMonitorDisabled "sys_monitor_disabled" Warn "A watch was switched off."
    SysMonitorEnabled "sys_monitor_enabled" Warn "A watch was switched on."
    UploadComplete "upload_complete" Info "A file arrived."
    UploadStored "upload_stored" Info "A file was kept."
    UploadValidation "upload_validation" Critical "A file was refused."
    UploadDelete "upload_delete" Info "A file was deleted."
    UserCreated "user_created" Warn "An account was made."
    UserUpdated "user_updated" Warn "An account was changed."
    UserArchived "user_archived" Warn "An account was switched off."
    UserDeleted "user_deleted" Warn "An account was deleted."
    AuditEntriesLost "audit_entries_lost" Critical "Entries of this log could not be kept; the entry says how many."
    AuditMismatch "audit_mismatch" Critical "This log was not as it had been left."
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
