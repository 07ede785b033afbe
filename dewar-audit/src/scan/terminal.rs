use std::fmt;

use dewar::audit::{Practice, Severity};

use super::{ScanFinding, ScanReport};

impl fmt::Display for ScanReport {
    /// The findings by practice, the worst first, then what was looked at. Control characters are escaped: a file's name or a
    /// line of source must not move the reader's cursor (CWE-150).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", plain(&self.target))?;
        for practice in Practice::ALL {
            let of_practice = |found: &&ScanFinding| found.practice == practice;
            let mut found = self.findings.iter().filter(of_practice).peekable();
            if found.peek().is_some() {
                writeln!(f, "{}", practice.as_str())?;
            }
            for finding in found {
                write_finding(f, finding)?;
            }
        }
        self.write_coverage(f)?;
        self.write_sum(f)
    }
}

impl ScanReport {
    fn write_coverage(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self
            .coverage
            .counts
            .iter()
            .map(|(name, number)| format!("{number} {}", name.replace('_', " ")))
            .collect();
        writeln!(f, "looked at: {}", counts.join(", "))?;
        for skipped in &self.coverage.skipped {
            writeln!(
                f,
                "left out: {} ({})",
                plain(&skipped.what),
                plain(&skipped.why)
            )?;
        }
        for failed in &self.coverage.failed {
            writeln!(
                f,
                "could not look: {} ({})",
                plain(&failed.what),
                plain(&failed.why)
            )?;
        }
        for text in &self.coverage.not_covered {
            writeln!(f, "not covered: {text}")?;
        }
        Ok(())
    }

    fn write_sum(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |severity: Severity| {
            let number = self
                .findings
                .iter()
                .filter(|one| one.severity == severity)
                .count();
            (number > 0).then(|| format!("{number} {severity}"))
        };
        let all = [
            Severity::Critical,
            Severity::High,
            Severity::Medium,
            Severity::Low,
            Severity::Info,
        ];
        let parts: Vec<String> = all.into_iter().filter_map(of).collect();
        match parts.is_empty() {
            true => writeln!(f, "no findings")?,
            false => writeln!(f, "findings: {}", parts.join(", "))?,
        }
        if self.coverage.is_incomplete() {
            writeln!(f, "not complete: see `could not look`")?;
        }
        Ok(())
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &ScanFinding) -> fmt::Result {
    write!(
        f,
        "  {} {} {}",
        finding.severity,
        finding.id,
        plain(&place(finding))
    )?;
    writeln!(f, "\n    {}", plain(&finding.message))?;
    for step in &finding.path {
        let (file, text) = (plain(&step.file), plain(&step.text));
        writeln!(f, "      {file}:{}  {text}", step.line)?;
    }
    for proof in &finding.evidence {
        writeln!(f, "      {}", plain(proof))?;
    }
    writeln!(f, "    why: {}\n    fix: {}", finding.why, finding.fix)?;
    let asvs: String = finding
        .asvs
        .iter()
        .map(|id| format!(", ASVS {id}"))
        .collect();
    writeln!(f, "    see: {}{asvs}\n", finding.cwe)
}

fn place(finding: &ScanFinding) -> String {
    let mut parts = Vec::new();
    if let Some(file) = &finding.file {
        parts.push(format!("{file}:{}", finding.line.unwrap_or(1)));
    }
    if let (Some(method), Some(url)) = (&finding.method, &finding.url) {
        parts.push(format!("{method} {url}"));
    }
    parts.extend(finding.parameter.clone());
    parts.join(" ")
}

/// Control characters and those that turn the direction of text around, escaped.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::super::check::tests::CHECK;
    use super::*;

    #[test]
    fn a_name_cannot_move_the_cursor() {
        let mut report = ScanReport::new("\u{1b}[2J");
        let path = vec![Step::new("\r.py", 1, "\u{202e}")];
        let finding = ScanFinding::new(&CHECK, "\u{7}").at("\u{9b}.py", 1, 1);
        report.findings.push(finding.path(path));
        report.coverage.fail("\u{1b}c", "\u{8}");
        let text = report.to_string();
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains("\\u{1b}[2J"));
    }
}
