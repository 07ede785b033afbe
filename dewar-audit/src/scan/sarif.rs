//! SARIF 2.1.0, as OASIS published it: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use dewar::audit::Severity;
use serde_json::{Value, json};

use super::{ScanCheck, ScanFinding, ScanReport, Step};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The report as one run, with one rule for each check.
pub(super) fn document(report: &ScanReport, checks: &[&ScanCheck]) -> Value {
    let rules: Vec<Value> = checks.iter().map(|check| rule(check)).collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|one| result(one, checks))
        .collect();
    let failed: Vec<Value> = report
        .coverage
        .failed
        .iter()
        .map(|failed| {
            json!({
                "level": "error",
                "message": { "text": format!("{}: {}", failed.what, failed.why) },
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dewar-audit",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": !report.coverage.is_incomplete(),
                "toolExecutionNotifications": failed,
            }],
            "results": results,
        }],
    })
}

fn rule(check: &ScanCheck) -> Value {
    json!({
        "id": check.id,
        "shortDescription": { "text": check.what },
        "fullDescription": { "text": check.why },
        "help": { "text": check.fix },
        "helpUri": check.page(),
        "defaultConfiguration": { "level": level(check.severity) },
        "properties": {
            "tags": ["security", format!("external/cwe/cwe-{}", check.cwe)],
            "security-severity": score(check.severity),
        },
    })
}

fn result(finding: &ScanFinding, checks: &[&ScanCheck]) -> Value {
    let mut result = json!({
        "ruleId": finding.id,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [location(finding)],
        "properties": { "confidence": finding.confidence, "cwe": finding.cwe },
    });
    let Some(fields) = result.as_object_mut() else {
        return result;
    };
    if let Some(index) = checks.iter().position(|check| check.id == finding.id) {
        fields.insert("ruleIndex".to_owned(), index.into());
    }
    if !finding.path.is_empty() {
        let steps: Vec<Value> = finding.path.iter().map(step).collect();
        let flow = json!([{ "threadFlows": [{ "locations": steps }] }]);
        fields.insert("codeFlows".to_owned(), flow);
    }
    result
}

fn location(finding: &ScanFinding) -> Value {
    let uri = finding.file.as_deref().map(address);
    match (uri, finding.line) {
        (Some(uri), Some(line)) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri },
            "region": { "startLine": line, "endLine": finding.end_line.unwrap_or(line) },
        }}),
        (Some(uri), None) => json!({ "physicalLocation": { "artifactLocation": { "uri": uri } } }),
        (None, _) => json!({ "logicalLocations": [{
            "fullyQualifiedName": format!(
                "{} {} {}",
                finding.method.as_deref().unwrap_or_default(),
                finding.url.as_deref().unwrap_or_default(),
                finding.parameter.as_deref().unwrap_or_default(),
            ),
        }]}),
    }
}

fn step(step: &Step) -> Value {
    json!({ "location": {
        "physicalLocation": {
            "artifactLocation": { "uri": address(&step.file) },
            "region": { "startLine": step.line },
        },
        "message": { "text": step.text },
    }})
}

/// A relative reference (RFC 3986): a file's name may hold spaces, percent signs and control characters.
fn address(file: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const NEEDED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b':')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b'\\')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(file, NEEDED).to_string()
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Info | Severity::Low | _ => "note",
    }
}

/// A number that GitHub sorts by, in the ranges of CVSS.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info | _ => "1.0",
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::CHECK;
    use super::*;

    #[test]
    fn a_finding_has_its_rule_its_place_and_its_way() {
        let mut report = ScanReport::new(".");
        let path = vec![Step::new("a b.py", 3, "id = request.args['id']")];
        report.findings.push(
            ScanFinding::new(&CHECK, "text")
                .at("a b.py", 4, 5)
                .path(path),
        );
        let json = document(&report, &[&CHECK]);
        let run = &json["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "source-test");
        let result = &run["results"][0];
        assert_eq!(result["ruleIndex"], 0);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.py");
        assert_eq!(place["region"]["endLine"], 5);
        let flow = &result["codeFlows"][0]["threadFlows"][0]["locations"][0]["location"];
        assert_eq!(flow["physicalLocation"]["region"]["startLine"], 3);
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    }
}
