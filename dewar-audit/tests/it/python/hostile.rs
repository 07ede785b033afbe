//! Source that is written against the auditor.

use super::report;
use dewar::audit::Severity;

#[test]
fn a_file_with_a_syntax_error_is_not_clean() {
    let report = report(&[("a.py", "def f(:\n    pass\n")]);
    assert_eq!(report.coverage.failed.len(), 1, "{report}");
    assert_eq!(report.verdict(Severity::Info).status(), 2);
}

#[test]
fn a_folder_without_python_is_not_clean() {
    let report = report(&[("a.txt", "")]);
    assert_eq!(report.verdict(Severity::Info).status(), 2, "{report}");
}

#[test]
fn deep_nesting_and_long_chains_end() {
    let brackets = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let blocks: String = (0..90)
        .map(|depth| format!("{}if a:\n", " ".repeat(depth)))
        .collect();
    let blocks = format!("{blocks}{}pass\n", " ".repeat(90));
    let sum = format!("x = {}\n", vec!["a"; 15_000].join(" + "));
    let minus = format!("x = {}1\n", "-".repeat(15_000));
    let calls = "def f(x):\n    return f(f(f(f(x))))\nf(f(f(f(1))))\n";
    let files = [
        ("a.py", &*brackets),
        ("b.py", &blocks),
        ("c.py", &sum),
        ("d.py", &minus),
        ("e.py", calls),
    ];
    let report = report(&files);
    assert!(
        report
            .coverage
            .failed
            .iter()
            .any(|failed| failed.what == "a.py"),
        "{report}"
    );
    assert!(
        !report
            .coverage
            .failed
            .iter()
            .any(|failed| failed.what == "Python"),
        "{report}"
    );
}

#[test]
fn the_grammar_of_today_is_read() {
    let text = "type Pair[T] = tuple[T, T]
def first[T](pair: Pair[T]) -> T:
    match pair:
        case (one, _) if (two := one):
            return two
    try:
        pass
    except* ValueError as group:
        print(f\"{f'{\"x\" + 'y'}'} {group!r:>{10}}\")
";
    let report = report(&[("a.py", text)]);
    assert_eq!(report.verdict(Severity::Info).status(), 0, "{report}");
}

#[test]
fn a_name_and_a_line_are_printed_without_control_characters() {
    let text = "from flask import *\napp = Flask(__name__)\n@app.route('/\\x1b[2J')\ndef f():\n    return request.args['\\x1b[2J'] # \u{1b}[2J\n";
    let report = report(&[("\u{1b}[2J.py", text)]);
    assert!(!report.findings.is_empty());
    assert!(!report.to_string().contains('\u{1b}'));
}
