//! For every check a bad twin, which it finds, and a good one, on which it is silent.

use super::{ids, report};

/// The body of a route, or what stands before it if it begins at the margin.
struct Twin {
    id: &'static str,
    bad: &'static str,
    good: &'static str,
}

const fn twin(id: &'static str, bad: &'static str, good: &'static str) -> Twin {
    Twin { id, bad, good }
}

const HEAD: &str = "import base64, hashlib, hmac, json, logging, os, pickle, random, re, secrets, ssl, subprocess, tarfile, tempfile
import jinja2, jwt, ldap3, lxml.etree, pymongo, requests
from flask import Flask, Response, make_response, redirect, render_template, render_template_string, request, session
from flask_cors import CORS
from flask_sqlalchemy import SQLAlchemy
from markupsafe import Markup, escape
from Crypto.Cipher import AES
app = Flask(__name__)
db = SQLAlchemy(app)
users = pymongo.MongoClient().site.users
";

const ROUTE: &str = "@app.route('/r/<name>', methods=['GET', 'POST'])\ndef view(name):\n";

const TWINS: &[Twin] = &[
    twin(
        "source-sql-injection",
        "    db.session.execute('SELECT ' + name)",
        "    db.session.execute('SELECT ?', [name])",
    ),
    twin(
        "source-sql-injection",
        "    db.session.execute(db.text('SELECT ' + name))",
        "    db.session.execute(db.text('SELECT :name'), {'name': name})",
    ),
    twin(
        "source-nosql-injection",
        "    users.find_one({'name': request.json['name']})",
        "    users.find_one({'name': str(request.json['name'])})",
    ),
    twin(
        "source-command-injection",
        "    os.system('ping ' + name)",
        "    subprocess.run(['ping', name])",
    ),
    twin(
        "source-code-injection",
        "    eval(name)",
        "    json.loads(name)",
    ),
    twin(
        "source-deserialization",
        "    pickle.loads(request.data)",
        "    json.loads(request.data)",
    ),
    twin(
        "source-template-injection",
        "    return render_template_string('Hello ' + name)",
        "    return render_template_string('Hello {{ name }}', name=name)",
    ),
    twin(
        "source-xss",
        "    return 'Hello ' + name",
        "    return 'Hello ' + escape(name)",
    ),
    twin(
        "source-xss-attribute",
        "    return render_template_string('<a title={{ name }}>', name=name)",
        "    return render_template_string('<a title=\"{{ name }}\">', name=name)",
    ),
    twin(
        "source-path-traversal",
        "    open('/srv/' + request.args['file'])",
        "    open('/srv/' + os.path.basename(request.args['file']))",
    ),
    twin(
        "source-upload-name",
        "    f = request.files['f']\n    f.save('/srv/' + f.filename)",
        "    f = request.files['f']\n    f.save('/srv/' + secrets.token_hex(16))",
    ),
    twin(
        "source-upload-type",
        "    f = request.files['f']\n    f.save('/srv/' + f.filename)",
        "    f = request.files['f']\n    if f.filename.endswith('.png'):\n        f.save('/srv/' + f.filename)",
    ),
    twin(
        "source-upload-limit",
        "    f = request.files['f']",
        "    app.config['MAX_CONTENT_LENGTH'] = 4096\n    f = request.files['f']",
    ),
    twin(
        "source-archive-extraction",
        "    tarfile.open('a.tar').extractall('/srv')",
        "    tarfile.open('a.tar').extractall('/srv', filter='data')",
    ),
    twin(
        "source-open-redirect",
        "    return redirect(request.args['next'])",
        "    return redirect('/home/' + request.args['next'])",
    ),
    twin(
        "source-ssrf",
        "    requests.get(request.args['url'], timeout=5)",
        "    requests.get('https://example.org/' + name, timeout=5)",
    ),
    twin(
        "source-xxe",
        "    lxml.etree.fromstring(request.data)",
        "    lxml.etree.fromstring(request.data, lxml.etree.XMLParser(resolve_entities=False))",
    ),
    twin(
        "source-ldap-injection",
        "    ldap3.Connection('x').search('dc=x', '(uid=' + name + ')')",
        "    ldap3.Connection('x').search('dc=x', '(uid=' + ldap3.utils.conv.escape_filter_chars(name) + ')')",
    ),
    twin(
        "source-xpath-injection",
        "    lxml.etree.parse('a.xml').xpath('//a[@b=\"' + name + '\"]')",
        "    lxml.etree.parse('a.xml').xpath('//a[@b=$b]', b=name)",
    ),
    twin(
        "source-header-injection",
        "    answer = make_response('x')\n    answer.headers['Content-Type'] = request.args['type']\n    return answer",
        "    answer = make_response('x')\n    answer.headers['Content-Type'] = 'text/plain'\n    return answer",
    ),
    twin(
        "source-log-injection",
        "    logging.info('seen ' + name)",
        "    logging.info('seen %r', repr(name))",
    ),
    twin(
        "source-trust-boundary",
        "    session['level'] = request.args['level']",
        "    session['level'] = int(request.args['level'])",
    ),
    twin(
        "source-regex-injection",
        "    re.search(name, 'text')",
        "    re.search(re.escape(name), 'text')",
    ),
    twin(
        "source-format-string",
        "    return escape(request.args['f'].format(app=app))",
        "    return escape('{}'.format(request.args['f']))",
    ),
    twin(
        "source-reflection",
        "    __import__(name)",
        "    __import__('json')",
    ),
    twin(
        "source-mass-assignment",
        "    for key, value in request.json.items():\n        setattr(app, key, value)",
        "    app.title = str(request.json['title'])",
    ),
    twin(
        "source-secret-key",
        "app.secret_key = 'abc'",
        "app.secret_key = os.environ['SECRET_KEY']",
    ),
    twin(
        "source-secret-key-per-process",
        "app.config['SECRET_KEY'] = os.urandom(32)",
        "app.config['SECRET_KEY'] = os.environ['SECRET_KEY']",
    ),
    twin(
        "source-hard-coded-secret",
        "DB_PASSWORD = 'tr0ub4dor'",
        "DB_PASSWORD = os.environ['DB_PASSWORD']",
    ),
    twin(
        "source-secret-in-log",
        "    logging.info('given %s', request.form['password'])",
        "    logging.info('given')",
    ),
    twin("source-debug", "app.run(debug=True)", "app.run()"),
    twin(
        "source-debug-exposed",
        "app.run(host='0.0.0.0', debug=True)",
        "app.run()",
    ),
    twin(
        "source-error-details",
        "    try:\n        work()\n    except Exception as error:\n        return str(error), 500",
        "    try:\n        work()\n    except Exception as error:\n        logging.exception('failed')\n        return 'failed', 500",
    ),
    twin(
        "source-cors",
        "CORS(app)",
        "CORS(app, origins=['https://example.org'])",
    ),
    twin(
        "source-tls-verify",
        "    requests.get('https://example.org/', verify=False)",
        "    requests.get('https://example.org/')",
    ),
    twin(
        "source-cookie-flags",
        "    a = make_response('x')\n    a.set_cookie('id', 'x', httponly=True)\n    return a",
        "    a = make_response('x')\n    a.set_cookie('id', 'x', secure=True, httponly=True)\n    return a",
    ),
    twin(
        "source-cookie-httponly",
        "    a = make_response('x')\n    a.set_cookie('id', 'x', secure=True)\n    return a",
        "    a = make_response('x')\n    a.set_cookie('id', 'x', secure=True, httponly=True)\n    return a",
    ),
    twin(
        "source-jwt-unverified",
        "    jwt.decode(name, options={'verify_signature': False})",
        "    jwt.decode(name, app.key, algorithms=['HS256'])",
    ),
    twin(
        "source-jwt-none",
        "    jwt.decode(name, app.key, algorithms=['HS256', 'none'])",
        "    jwt.decode(name, app.key, algorithms=['HS256'])",
    ),
    twin(
        "source-jwt-weak-key",
        "    jwt.encode({}, 'word')",
        "    jwt.encode({}, os.environ['JWT_KEY'])",
    ),
    twin(
        "source-weak-hash",
        "    hashlib.md5(b'x')",
        "    hashlib.sha256(b'x')",
    ),
    twin(
        "source-password-hash",
        "    hashlib.sha256(request.form['password'].encode())",
        "    hashlib.sha256(request.form['text'].encode())",
    ),
    twin(
        "source-password-plain",
        "    db.session.execute('INSERT INTO u VALUES (?)', [request.form['password']])",
        "    db.session.execute('INSERT INTO u VALUES (?)', [argon2.hash(request.form['password'])])",
    ),
    twin(
        "source-weak-cipher",
        "    AES.new(app.key, AES.MODE_ECB)",
        "    AES.new(app.key, AES.MODE_GCM)",
    ),
    twin(
        "source-weak-random",
        "    token = random.randint(0, 10)",
        "    token = secrets.token_hex(16)",
    ),
    twin(
        "source-timing-compare",
        "    if request.args['signature'] == hmac.new(b'k', b'', 'sha256').digest():\n        pass",
        "    hmac.compare_digest(request.args['signature'], 'x')",
    ),
    twin(
        "source-autoescape",
        "    jinja2.Environment()",
        "    jinja2.Environment(autoescape=True)",
    ),
    twin(
        "source-tempfile",
        "    tempfile.mktemp()",
        "    tempfile.mkstemp()",
    ),
    twin(
        "source-bind-all",
        "app.run(host='0.0.0.0')",
        "app.run(host='127.0.0.1')",
    ),
    twin(
        "source-csrf-missing",
        "    session['a'] = 'b'\n    save(request.form['text'])",
        "    CSRFProtect(app)\n    session['a'] = 'b'\n    save(request.form['text'])",
    ),
    twin(
        "source-csrf-exempt",
        "app.config['WTF_CSRF_ENABLED'] = False",
        "app.config['WTF_CSRF_ENABLED'] = True",
    ),
    twin(
        "source-csrf-get",
        "    pass\n@app.route('/a/delete')\ndef delete():\n    db.session.delete(session['a'])",
        "    pass\n@app.route('/a/delete', methods=['POST'])\ndef delete():\n    CSRFProtect(app)\n    db.session.delete(session['a'])",
    ),
    twin(
        "source-access-check-missing",
        "@app.route('/notes/a')\n@login_required\ndef a():\n    pass\n@app.route('/notes/b')\n@login_required\ndef b():\n    pass\n@app.route('/notes/c', methods=['POST'])\ndef c():\n    pass",
        "@app.route('/notes/a')\n@login_required\ndef a():\n    pass\n@app.route('/notes/b')\n@login_required\ndef b():\n    pass\n@app.route('/notes/c', methods=['POST'])\n@login_required\ndef c():\n    pass",
    ),
    twin(
        "source-owner-missing",
        "    pass\nclass Note(db.Model):\n    owner_id = 1\n@app.route('/notes/<int:id>')\n@login_required\ndef a(id):\n    return render_template('a.html', note=Note.query.get_or_404(id))",
        "    pass\nclass Note(db.Model):\n    owner_id = 1\n@app.route('/notes/<int:id>')\n@login_required\ndef a(id):\n    return render_template('a.html', note=Note.query.filter_by(id=id, owner_id=current_user.id).first_or_404())",
    ),
    twin(
        "source-sign-in-limit",
        "    pass\n@app.route('/login', methods=['POST'])\ndef login():\n    check(request.form['password'])",
        "    pass\n@app.route('/login', methods=['POST'])\n@limiter.limit('5 per minute')\ndef login():\n    check(request.form['password'])",
    ),
    twin(
        "source-default-password",
        "    if request.form['password'] == 'admin':\n        pass",
        "    if request.form['answer'] == 'admin':\n        pass",
    ),
    twin(
        "source-unsigned-session",
        "    pass\n@app.route('/me')\ndef me():\n    who = json.loads(base64.b64decode(request.cookies['who']))",
        "    who = session['who']",
    ),
];

/// Files with their texts.
type Project = &'static [(&'static str, &'static str)];

/// A twin of more than one file.
const FILES: &[(&str, Project, Project)] = &[
    (
        "source-xss-stored",
        &[
            (
                "app.py",
                "from flask import Flask, render_template\napp = Flask(__name__)\n@app.route('/')\ndef show():\n    return render_template('a.html', rows=db.cursor().execute('SELECT 1').fetchall())\n",
            ),
            (
                "templates/a.html",
                "{% for row in rows %}<p>{{ row.text|safe }}</p>{% endfor %}",
            ),
        ],
        &[
            (
                "app.py",
                "from flask import Flask, render_template\napp = Flask(__name__)\n@app.route('/')\ndef show():\n    return render_template('a.html', rows=db.cursor().execute('SELECT 1').fetchall())\n",
            ),
            (
                "templates/a.html",
                "{% for row in rows %}<p>{{ row.text }}</p>{% endfor %}",
            ),
        ],
    ),
    (
        "source-docker-root",
        &[
            ("a.py", ""),
            ("Dockerfile", "FROM python:3.14\nRUN pip install flask\n"),
        ],
        &[("a.py", ""), ("Dockerfile", "FROM python:3.14\nUSER app\n")],
    ),
    (
        "source-env-file",
        &[("a.py", ""), (".env", "DB_PASSWORD=tr0ub4dor\n")],
        &[("a.py", ""), (".env", "COLOR=green\n")],
    ),
];

/// A project of one file: a line at the margin stands for itself, and an indented one in a route.
fn project(text: &str) -> String {
    if text.starts_with(' ') {
        format!("{HEAD}{ROUTE}{text}\n")
    } else {
        format!("{HEAD}{text}\n")
    }
}

#[test]
fn every_check_has_a_bad_twin_that_it_finds_and_a_good_one_that_it_does_not() {
    let mut wrong = Vec::new();
    for twin in TWINS {
        // Modules of libraries that sign would make a cookie's reader look safe.
        let of = |text: &str| {
            let text = project(text);
            if twin.id == "source-unsigned-session" {
                text.replace("hmac, ", "").replace("jwt, ", "")
            } else {
                text
            }
        };
        let (bad, good) = (
            report(&[("app.py", &of(twin.bad))]),
            report(&[("app.py", &of(twin.good))]),
        );
        if !ids(&bad).contains(&twin.id) {
            wrong.push(format!("{} does not find its bad twin", twin.id));
        }
        if ids(&good).contains(&twin.id) {
            wrong.push(format!("{} finds its good twin", twin.id));
        }
    }
    for (id, bad, good) in FILES {
        if !ids(&report(bad)).contains(id) {
            wrong.push(format!("{id} does not find its bad twin"));
        }
        if ids(&report(good)).contains(id) {
            wrong.push(format!("{id} finds its good twin"));
        }
    }
    let known: Vec<&str> = TWINS
        .iter()
        .map(|twin| twin.id)
        .chain(FILES.iter().map(|file| file.0))
        .collect();
    for check in dewar_audit::source::checks() {
        if !known.contains(&check.id) {
            wrong.push(format!("{} has no twins", check.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_finding_says_the_way_of_the_value_through_the_files() {
    let report = report(&[
        (
            "app.py",
            "from flask import Flask, request\nimport store\napp = Flask(__name__)\n@app.route('/u')\ndef show():\n    name = request.args['name']\n    store.find(name)\n    return 'x'\n",
        ),
        (
            "store.py",
            "import sqlite3\ndef find(name):\n    cursor = sqlite3.connect('a').cursor()\n    cursor.execute('SELECT ' + name)\n",
        ),
    ]);
    let found = report
        .findings
        .iter()
        .find(|one| one.id == "source-sql-injection")
        .unwrap();
    let places: Vec<(&str, usize)> = found
        .path
        .iter()
        .map(|step| (&*step.file, step.line))
        .collect();
    assert_eq!(
        places,
        [("app.py", 6), ("app.py", 7), ("store.py", 4)],
        "{found:?}"
    );
    assert_eq!(
        (found.file.as_deref(), found.line),
        (Some("store.py"), Some(4))
    );
    assert_eq!(
        (found.method.as_deref(), found.url.as_deref()),
        (Some("GET"), Some("/u"))
    );
    assert_eq!(found.parameter.as_deref(), Some("query:name"));
    assert_eq!(found.cwe, "CWE-89");
}
