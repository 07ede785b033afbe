//! A labelled set: sources x sinks x ways. Each case is a small Flask route; its label says whether the value arrives.

use std::collections::BTreeMap;

use super::{ids, report};

const SOURCES: [&str; 14] = [
    "request.args.get('p')",
    "request.args['p']",
    "request.form.get('p', '')",
    "request.form.getlist('p')[0]",
    "request.values['p']",
    "request.cookies.get('p')",
    "request.headers.get('X-P')",
    "request.headers['Referer']",
    "request.get_json()['p']",
    "request.json.get('p')",
    "request.get_data(as_text=True)",
    "request.query_string.decode('utf-8')",
    "list(request.args.keys())[0]",
    "name",
];

/// The class, what makes the value harmful, and the check that says so.
const SINKS: [(&str, &str, &str); 12] = [
    (
        "sql",
        "cursor.execute(f\"SELECT * FROM t WHERE a = '{value}'\")",
        "source-sql-injection",
    ),
    (
        "sql",
        "cursor.execute('SELECT * FROM t WHERE a = %s' % value)",
        "source-sql-injection",
    ),
    (
        "command",
        "subprocess.run('ping ' + value, shell=True)",
        "source-command-injection",
    ),
    ("code", "eval(value)", "source-code-injection"),
    (
        "deserialization",
        "pickle.loads(base64.b64decode(value))",
        "source-deserialization",
    ),
    (
        "template",
        "render_template_string('Hello ' + value)",
        "source-template-injection",
    ),
    (
        "path",
        "open('/srv/files/' + value).close()",
        "source-path-traversal",
    ),
    ("redirect", "return redirect(value)", "source-open-redirect"),
    ("ssrf", "requests.get(value, timeout=5)", "source-ssrf"),
    (
        "xpath",
        "tree.xpath(\"//u[@n='\" + value + \"']\")",
        "source-xpath-injection",
    ),
    ("xss", "return '<p>' + value", "source-xss"),
    (
        "log",
        "app.logger.info('seen ' + value)",
        "source-log-injection",
    ),
];

/// Ways on which the value arrives.
const ARRIVES: [&str; 12] = [
    "value = given",
    "value = given + '_tail'",
    "slots = {}\n    slots['a'] = 'safe'\n    slots['b'] = given\n    value = slots['b']",
    "items = []\n    items.append('safe')\n    items.append(given)\n    items.pop(0)\n    value = items[0]",
    "if 7 * 6 > 40:\n        value = given\n    else:\n        value = 'safe'",
    "value = 'safe' if 2 > 3 else given",
    "match 'ABC'[1]:\n        case 'B':\n            value = given\n        case _:\n            value = 'safe'",
    "value = passed(given)",
    "value = Holder(given).read()",
    "value = ''\n    for part in [given]:\n        value += part",
    "value = 'safe'\n    try:\n        value = given\n    finally:\n        pass",
    "buffer = io.StringIO()\n    buffer.write('a')\n    buffer.write(given)\n    value = buffer.getvalue()",
];

/// Ways on which it does not.
const IS_SAFE: [&str; 12] = [
    "value = given\n    value = 'safe'",
    "slots = {}\n    slots['a'] = 'safe'\n    slots['b'] = given\n    value = slots['a']",
    "items = []\n    items.append('safe')\n    items.append(given)\n    items.append('more')\n    items.pop(0)\n    value = items[1]",
    "if 7 * 6 > 50:\n        value = given\n    else:\n        value = 'safe'",
    "value = given if 2 > 3 else 'safe'",
    "match 'ABC'[0]:\n        case 'B':\n            value = given\n        case _:\n            value = 'safe'",
    "value = ignored(given)",
    "value = str(int(given))",
    "value = given\n    if value not in ('red', 'green'):\n        abort(400)",
    "value = given\n    if not re.fullmatch('[a-z0-9]+', value):\n        return 'no'",
    "value = {'a': 'x', 'b': 'y'}.get(given, 'z')",
    "value = given\n    if not is_known(value):\n        return 'no'",
];

/// Calls that make a value harmless for one sink alone.
const CLEANED: [(&str, &str, &str); 22] = [
    (
        "sql",
        "cursor.execute('SELECT * FROM t WHERE a = ?', (given,))",
        "source-sql-injection",
    ),
    (
        "sql",
        "cursor.execute('SELECT * FROM t WHERE a = %s', [given])",
        "source-sql-injection",
    ),
    (
        "command",
        "subprocess.run(['ping', given])",
        "source-command-injection",
    ),
    (
        "command",
        "subprocess.run('ping ' + shlex.quote(given), shell=True)",
        "source-command-injection",
    ),
    ("code", "ast.literal_eval(given)", "source-code-injection"),
    (
        "deserialization",
        "json.loads(given)",
        "source-deserialization",
    ),
    (
        "deserialization",
        "yaml.safe_load(given)",
        "source-deserialization",
    ),
    (
        "template",
        "render_template_string('Hello {{ given }}', given=given)",
        "source-template-injection",
    ),
    (
        "path",
        "open('/srv/files/' + secure_filename(given)).close()",
        "source-path-traversal",
    ),
    (
        "path",
        "open('/srv/files/' + os.path.basename(given)).close()",
        "source-path-traversal",
    ),
    (
        "path",
        "full = os.path.realpath('/srv/' + given)\n    if full.startswith('/srv/'):\n        open(full).close()",
        "source-path-traversal",
    ),
    (
        "path",
        "return send_from_directory('/srv/files', given)",
        "source-path-traversal",
    ),
    (
        "redirect",
        "return redirect('/users/' + given)",
        "source-open-redirect",
    ),
    (
        "redirect",
        "if urlparse(given).netloc in ('example.com',):\n        return redirect(given)",
        "source-open-redirect",
    ),
    (
        "redirect",
        "return redirect(url_for('view', name=given))",
        "source-open-redirect",
    ),
    (
        "ssrf",
        "requests.get('https://api.example.com/' + given, timeout=5)",
        "source-ssrf",
    ),
    (
        "xpath",
        "tree.xpath('//u[@n=$n]', n=given)",
        "source-xpath-injection",
    ),
    ("xss", "return '<p>' + escape(given)", "source-xss"),
    ("xss", "return jsonify({'value': given})", "source-xss"),
    ("xss", "return {'value': given}", "source-xss"),
    (
        "log",
        "app.logger.info('seen %s', repr(given))",
        "source-log-injection",
    ),
    (
        "log",
        "app.logger.info('seen ' + given.replace('\\n', ''))",
        "source-log-injection",
    ),
];

const HEAD: &str = "import ast, base64, io, json, os, pickle, re, shlex, sqlite3, subprocess
import lxml.etree, requests, yaml
from urllib.parse import urlparse
from flask import Flask, abort, jsonify, redirect, render_template_string, request, send_from_directory, url_for
from markupsafe import escape
from werkzeug.utils import secure_filename
app = Flask(__name__)
cursor = sqlite3.connect('x.db').cursor()
tree = lxml.etree.parse('users.xml')
class Holder:
    def __init__(self, held):
        self.held = held
    def read(self):
        return self.held
def passed(one):
    two = one
    return two
def ignored(one):
    return 'safe'
def is_known(one):
    return one in ('red', 'green')
@app.route('/r/<name>', methods=['GET', 'POST'])
def view(name):
";

struct Case {
    class: &'static str,
    check: &'static str,
    arrives: bool,
    text: String,
}

fn case(
    (class, sink, check): (&'static str, &'static str, &'static str),
    source: &str,
    way: &str,
    arrives: bool,
) -> Case {
    let text = format!("{HEAD}    given = {source}\n    {way}\n    {sink}\n    return 'done'\n");
    Case {
        class,
        check,
        arrives,
        text,
    }
}

fn all() -> Vec<Case> {
    let mut all = Vec::new();
    for sink in SINKS {
        all.extend(SOURCES.map(|source| case(sink, source, ARRIVES[0], true)));
        for (index, way) in ARRIVES.iter().enumerate().skip(1) {
            all.push(case(sink, SOURCES[index % SOURCES.len()], way, true));
        }
        for (index, way) in IS_SAFE.iter().enumerate() {
            all.push(case(sink, SOURCES[index % SOURCES.len()], way, false));
        }
    }
    for (index, clean) in CLEANED.into_iter().enumerate() {
        all.push(case(clean, SOURCES[index % SOURCES.len()], "pass", false));
    }
    all
}

/// Found, missed, false and silent, by class.
pub(super) fn rates() -> BTreeMap<&'static str, [usize; 4]> {
    let mut rates: BTreeMap<&'static str, [usize; 4]> = BTreeMap::new();
    for case in all() {
        let report = report(&[("app.py", &case.text)]);
        assert!(!report.coverage.is_incomplete(), "{report}\n{}", case.text);
        let found = ids(&report).contains(&case.check);
        let index = match (case.arrives, found) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        if index == 1 || index == 2 {
            let lines: Vec<&str> = case.text.lines().skip(HEAD.lines().count()).collect();
            println!(
                "{} {}: {lines:#?}",
                case.class,
                ["", "missed", "false"][index]
            );
        }
        rates.entry(case.class).or_default()[index] += 1;
    }
    rates
}

#[test]
fn the_set_has_at_least_four_hundred_cases_and_is_told_apart() {
    assert!(all().len() >= 400, "{}", all().len());
    for (class, [found, missed, wrong, silent]) in rates() {
        let points = 100 * found / (found + missed) - 100 * wrong / (wrong + silent);
        assert!(points >= 90, "{class}: {points}");
    }
}
