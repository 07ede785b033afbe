use super::Report;

impl Report {
    /// The report as JSON, with the fields of its type.
    ///
    /// # Errors
    /// Never for a report of this crate; only the type of the JSON writer allows an error.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckOutcome, tests::report};
    use dewar::audit::Severity;

    #[test]
    fn a_program_reads_what_a_person_reads() {
        let results = [
            CheckOutcome::Found(1),
            CheckOutcome::Unasked("no data".to_owned()),
        ];
        let text = report(results, &[Severity::High]).json().unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["findings"][0]["severity"], "high");
        assert_eq!(json["asked"][0]["result"]["found"], 1);
        assert_eq!(json["asked"][1]["result"]["unasked"], "no data");
    }
}
