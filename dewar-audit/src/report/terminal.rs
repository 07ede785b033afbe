use std::fmt;

use dewar::audit::{Practice, report};

use super::{CheckOutcome, CheckResult, Report};

impl fmt::Display for Report {
    /// A line for each word, then the checks that were not run, then the findings, the worst first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, {} checks, {} requests\n",
            self.url,
            self.asked.len(),
            self.requests
        )?;
        for word in Practice::ALL {
            let of_word: Vec<&CheckResult> = self
                .asked
                .iter()
                .filter(|asked| asked.word == word)
                .collect();
            if !of_word.is_empty() {
                writeln!(f, "  {:<14}{}", word.as_str(), line(&of_word))?;
            }
        }
        writeln!(f)?;
        for asked in &self.asked {
            match &asked.result {
                CheckOutcome::Failed(why) => writeln!(f, "could not look: {} ({why})", asked.id)?,
                CheckOutcome::Unasked(why) => writeln!(f, "not asked: {} ({why})", asked.id)?,
                CheckOutcome::Found(_) => {}
            }
        }
        if self
            .asked
            .iter()
            .any(|asked| !matches!(asked.result, CheckOutcome::Found(_)))
        {
            writeln!(f)?;
        }
        f.write_str(&report(&self.findings))?;
        let failed = |asked: &&CheckResult| matches!(asked.result, CheckOutcome::Failed(_));
        match self.asked.iter().filter(failed).count() {
            0 => Ok(()),
            failed => writeln!(
                f,
                "not complete: {failed} of {} checks could not look",
                self.asked.len()
            ),
        }
    }
}

/// `3 of 4 checks passed, 1 not asked`.
fn line(of_word: &[&CheckResult]) -> String {
    let count =
        |is: fn(&CheckOutcome) -> bool| of_word.iter().filter(|asked| is(&asked.result)).count();
    let mut parts = vec![format!(
        "{} of {} passed",
        count(|result| *result == CheckOutcome::Found(0)),
        of_word.len()
    )];
    for (number, text) in [
        (
            count(|result| matches!(result, CheckOutcome::Found(1..))),
            "found something",
        ),
        (
            count(|result| matches!(result, CheckOutcome::Unasked(_))),
            "not asked",
        ),
        (
            count(|result| matches!(result, CheckOutcome::Failed(_))),
            "could not look",
        ),
    ] {
        if number > 0 {
            parts.push(format!("{number} {text}"));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::{CheckOutcome, tests::report};
    use dewar::audit::Severity;

    #[test]
    fn a_report_says_what_was_found_and_what_was_not_asked() {
        let results = [
            CheckOutcome::Found(1),
            CheckOutcome::Found(0),
            CheckOutcome::Unasked("no data directory".to_owned()),
        ];
        let text = report(results, &[Severity::High]).to_string();
        assert!(
            text.contains("csrf          1 of 3 passed, 1 found something, 1 not asked"),
            "{text}"
        );
        assert!(
            text.contains("not asked: csrf-forged (no data directory)"),
            "{text}"
        );
        assert!(text.contains("warning (high) csrf-forged"), "{text}");
    }

    #[test]
    fn a_report_that_is_not_complete_ends_with_that() {
        let text = report([CheckOutcome::Failed("no connection".to_owned())], &[]).to_string();
        assert!(
            text.ends_with("not complete: 1 of 1 checks could not look\n"),
            "{text}"
        );
    }

    #[test]
    fn what_an_application_wrote_cannot_move_the_cursor() {
        assert!(!report([], &[Severity::High]).to_string().contains('\u{1b}'));
    }
}
