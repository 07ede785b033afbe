use super::Config;
use crate::audit::{Finding, Word};

impl Config {
    /// What start-up asks of the settings.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.idle > self.lifetime {
            findings.push(
                Finding::refuse(
                    Word::Sessions,
                    "sessions-idle-over-lifetime",
                    "`sessions.idle` is longer than `sessions.lifetime`",
                )
                .why("the idle limit could never be reached")
                .fix("set `sessions.idle` to less than `sessions.lifetime`")
                .cwe(613)
                .asvs(&["7.3.1", "7.3.2"]),
            );
        }
        findings
    }
}
