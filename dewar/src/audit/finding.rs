use super::Practice;
use serde::Serialize;
use std::fmt;

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A layer is thinner than it could be.
    Low,
    /// Helps an attacker who has something else already.
    Medium,
    /// Can be used alone, in some circumstances.
    High,
    /// Can be used by anyone.
    Critical,
}

impl Severity {
    /// The severity as reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that is wrong, why that matters and how to fix it.
///
/// The start collects every finding of every room and shows them at once. A finding that [refuses](Self::refuse) keeps
/// the application from starting.
///
/// ```
/// use dewar::audit::{Finding, Practice};
/// let finding = Finding::refuse(Practice::Secrets, "secrets-missing", "There is no key file")
///     .why("Sessions and tokens cannot be protected without a key.")
///     .fix("Run `portal keys new`.")
///     .cwe(321);
/// assert!(finding.refuses_launch);
/// assert!(finding.to_string().contains("fix: Run `portal keys new`."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The check's name, which never changes: `secrets-missing`.
    pub id: &'static str,
    /// The practice that the finding belongs to.
    pub word: Practice,
    /// How bad it is.
    pub severity: Severity,
    /// The problem, in one line.
    pub title: String,
    /// The harm that an attacker or an accident can do with it.
    pub why: String,
    /// The fix, as a command or a setting where possible.
    pub fix: String,
    /// The weakness in the Common Weakness Enumeration.
    pub cwe: Option<u16>,
    /// The requirements of OWASP ASVS 5.0 that it concerns.
    pub asvs: &'static [&'static str],
    /// Whether it keeps the application from starting.
    pub refuses_launch: bool,
}

impl Finding {
    /// A finding that keeps the application from starting; `High` unless changed.
    #[must_use]
    pub fn refuse(word: Practice, id: &'static str, title: impl Into<String>) -> Self {
        Self::of(word, id, title.into(), Severity::High, true)
    }

    /// A finding that Dewar shows and that lets the application start; `Medium` unless changed.
    #[must_use]
    pub fn warn(word: Practice, id: &'static str, title: impl Into<String>) -> Self {
        Self::of(word, id, title.into(), Severity::Medium, false)
    }

    fn of(
        word: Practice,
        id: &'static str,
        title: String,
        severity: Severity,
        refuses_launch: bool,
    ) -> Self {
        Self {
            id,
            word,
            severity,
            title,
            why: String::new(),
            fix: String::new(),
            cwe: None,
            asvs: &[],
            refuses_launch,
        }
    }

    /// Adds the reason why it matters.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds the fix.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Adds the weakness by its CWE number.
    #[must_use]
    pub const fn cwe(mut self, cwe: u16) -> Self {
        self.cwe = Some(cwe);
        self
    }

    /// Adds the requirements of OWASP ASVS 5.0.
    #[must_use]
    pub const fn asvs(mut self, asvs: &'static [&'static str]) -> Self {
        self.asvs = asvs;
        self
    }

    /// Changes the severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

impl fmt::Display for Finding {
    /// A paragraph for a terminal. Control characters are escaped: a title may quote a setting's value or a file's
    /// name, which must not move the reader's cursor (CWE-150).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.refuses_launch {
            "refused"
        } else {
            "warning"
        };
        write!(
            f,
            "{verdict} ({}) {}: {}",
            self.severity,
            self.id,
            Plain(&self.title)
        )?;
        for (label, text) in [("why", &self.why), ("fix", &self.fix)] {
            if !text.is_empty() {
                write!(f, "\n    {label}: {}", Plain(text))?;
            }
        }
        let cwe = self.cwe.map(|number| format!("CWE-{number}"));
        let asvs = self.asvs.iter().map(|id| format!("ASVS {id}"));
        let sources: Vec<String> = cwe.into_iter().chain(asvs).collect();
        if sources.is_empty() {
            Ok(())
        } else {
            write!(f, "\n    see: {}", sources.join(", "))
        }
    }
}

struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::sanitize::write_plain(f, self.0)
    }
}

/// All findings as one text for a terminal: first those that refuse the launch, then by severity.
///
/// ```
/// use dewar::audit::{Finding, Practice, report};
/// let text = report(&[Finding::warn(Practice::Https, "https-hsts", "HSTS is short")]);
/// assert!(text.ends_with("1 warning\n"));
/// ```
#[must_use]
pub fn report(findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse((finding.refuses_launch, finding.severity)));
    let mut text = String::new();
    for finding in &sorted {
        text.push_str(&format!("{finding}\n\n"));
    }
    let refusing = sorted
        .iter()
        .filter(|finding| finding.refuses_launch)
        .count();
    let summary = match (refusing, sorted.len() - refusing) {
        (0, 0) => "nothing found".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (refusing, 0) => format!("{} the launch", refusals(refusing)),
        (refusing, warnings) => {
            format!(
                "{} the launch, {}",
                refusals(refusing),
                count(warnings, "warning")
            )
        }
    };
    text.push_str(&summary);
    text.push('\n');
    text
}

fn refusals(number: usize) -> String {
    format!(
        "{} {}",
        count(number, "finding"),
        if number == 1 { "refuses" } else { "refuse" }
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding::refuse(Practice::Audit, "settings-value", "sessions.idle is \"9x\"")
            .why("It is not a duration.")
            .fix("Write \"30m\".")
            .cwe(20)
            .asvs(&["13.1.1", "16.2.1"])
    }

    #[test]
    fn a_finding_reads_as_a_paragraph() {
        assert_eq!(
            finding().to_string(),
            "refused (high) settings-value: sessions.idle is \"9x\"\n    why: It is not a duration.\n    \
             fix: Write \"30m\".\n    see: CWE-20, ASVS 13.1.1, ASVS 16.2.1"
        );
    }

    #[test]
    fn a_finding_cannot_move_the_cursor() {
        let text = Finding::warn(Practice::Audit, "x", "a\u{1b}[2Jb\u{202e}c").to_string();
        assert_eq!(text, "warning (medium) x: a\\u{1b}[2Jb\\u{202e}c");
    }

    #[test]
    fn what_refuses_the_launch_is_reported_first() {
        let text = report(&[
            Finding::warn(Practice::Audit, "second", "b").severity(Severity::Critical),
            finding(),
        ]);
        assert!(text.find("settings-value") < text.find("second"));
        assert!(text.ends_with("1 finding refuses the launch, 1 warning\n"));
        assert_eq!(report(&[]), "nothing found\n");
    }

    #[test]
    fn a_finding_is_written_as_json_with_small_words() {
        let json = serde_json::to_value(finding()).unwrap();
        assert_eq!(json["word"], "audit");
        assert_eq!(json["severity"], "high");
        assert_eq!(json["refuses_launch"], true);
    }
}
