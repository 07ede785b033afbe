"""Runs sqlmap over every parameter that a signed-in member, an administrator and a program can send, and prints what it tried.

First it runs against a server with a known hole (the control): a check that finds nothing there proves nothing.
"""

import argparse
import html.parser
import http.client
import http.server
import re
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

FOUND = ("sqlmap identified the following injection point", "sqlmap resumed the following injection point", "is vulnerable")
KINDS = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
# Pages whose forms are tried, and who opens them.
FORMS = [
    ("nobody", "/sign-in"), ("nobody", "/forgot"), ("nobody", "/sign-up"), ("ada", "/documents"), ("ada", "/documents/new"),
    ("ada", "/documents/1"), ("ada", "/documents/1/edit"), ("ada", "/account"), ("ada", "/account/telephone"),
    ("grace", "/admin/users"), ("grace", "/notices/new"),
]
# Addresses with further parameters; `*` is a parameter in the path.
ADDRESSES = [
    ("nobody", "/?page=1"), ("ada", "/documents?page=1&tag=a&status=&sort=title"), ("ada", "/documents/1*"),
    ("ada", "/documents/1?before=1"), ("ada", "/documents/1*/file"), ("grace", "/admin/users?page=1&q=a"),
    ("program", "/api/documents?q=plan&tag=a&sort=best&page=1"), ("program", "/api/documents/1*"),
]


class Forms(html.parser.HTMLParser):
    """The forms of a page: action, method, encoding, and names with values."""

    def __init__(self):
        super().__init__()
        self.forms, self.select = [], None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({
                "action": attrs.get("action", ""), "method": attrs.get("method", "get").upper(),
                "multipart": attrs.get("enctype") == "multipart/form-data", "fields": [], "hidden": set(), "file": None,
            })
        if not self.forms:
            return
        form, name = self.forms[-1], attrs.get("name")
        if tag == "select":
            self.select = name
            form["fields"].append((name, ""))
        elif tag == "option" and self.select and "selected" in attrs:
            form["fields"] = [(n, attrs.get("value", "") if n == self.select else v) for n, v in form["fields"]]
        elif tag == "textarea" and name:
            form["fields"].append((name, "A word."))
        elif tag == "input" and name:
            if attrs.get("type") == "file":
                form["file"] = name
                return
            if attrs.get("type") == "hidden":
                form["hidden"].add(name)
            form["fields"].append((name, attrs.get("value") or sample(name)))


def sample(name):
    return {"email": "bob@example.org", "telephone": "+41446681800", "password": "a wrong password"}.get(name, "plan")


class Portal:
    def __init__(self, options):
        self.options, self.context = options, ssl.create_default_context(cafile=options.authority)
        self.cookies = {"nobody": "", "program": ""}
        for name in ("ada", "grace"):
            command = [sys.executable, str(Path(__file__).parent / "sign_in.py"), options.portal, options.authority,
                       f"{name}@example.org", options.password]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            self.cookies[name] = line.split(";", 1)[0].strip()

    def headers(self, who):
        headers = {"Accept": "text/html", "Origin": f"https://{self.options.portal}", "Sec-Fetch-Site": "same-origin"}
        if who == "program":
            return {"Accept": "application/json", "Authorization": f"Bearer {self.options.token}"}
        if self.cookies[who]:
            headers["Cookie"] = self.cookies[who]
        return headers

    def ask(self, who, path, method="GET", body=None, kind=None):
        host, port = self.options.portal.rsplit(":", 1)
        connection = http.client.HTTPSConnection(host, int(port), context=self.context, timeout=30)
        headers = self.headers(who) | ({"Content-Type": kind} if kind else {})
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        if who == "nobody" and not self.cookies[who]:
            cookies = [line.split(";", 1)[0] for line in answer.headers.get_all("Set-Cookie") or []]
            self.cookies[who] = "; ".join(cookies)
        return answer.status, answer.read().decode("utf-8", "replace")

    def forms(self, who, path):
        status, page = self.ask(who, path)
        if status != 200:
            sys.exit(f"{path} was answered with {status}")
        parser = Forms()
        parser.feed(page)
        return [form for form in parser.forms if not form["action"].endswith(("/sign-out", "/delete", "/end", "/disable"))]


def multipart(form):
    """A body in parts, with a small text as the file."""
    cut, parts = "a-line-between-two-parts", []
    for name, value in form["fields"]:
        parts.append(f'--{cut}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
    if form["file"]:
        parts.append(f'--{cut}\r\nContent-Disposition: form-data; name="{form["file"]}"; filename="a.txt"\r\n'
                     "Content-Type: text/plain\r\n\r\nWords.\r\n")
    return "".join(parts) + f"--{cut}--\r\n", f"multipart/form-data; boundary={cut}"


def requests(portal):
    """Each request as (name, who, method, address, body, its kind, the parameters to try)."""
    for who, path in ADDRESSES:
        names = [name for name, _ in urllib.parse.parse_qsl(path.partition("?")[2], keep_blank_values=True)]
        yield f"GET {path}", who, "GET", path, None, None, names
    seen = set()
    for who, path in FORMS:
        for form in portal.forms(who, path):
            action = form["action"] or path
            key = (form["method"], re.sub(r"\d+", "1", form["action"]))
            names = list(dict.fromkeys(name for name, _ in form["fields"] if name not in form["hidden"]))
            if key in seen or not names:
                continue
            seen.add(key)
            if form["method"] == "GET":
                yield f"GET {action}", who, "GET", f"{action}?{urllib.parse.urlencode(form['fields'])}", None, None, names
            elif form["multipart"]:
                yield f"POST {action}", who, "POST", action, *multipart(form), names
            else:
                body = urllib.parse.urlencode(form["fields"])
                yield f"POST {action}", who, "POST", action, body, "application/x-www-form-urlencoded", names
    body = '{"version": 1, "title": "Plan", "description": "A word.", "tags": "plan"}'
    yield "POST /api/documents/1", "program", "POST", "/api/documents/1", body, "application/json", ["title", "description", "tags"]
    body = '{"comment": "A word."}'
    yield "POST /api/documents/1/comments", "program", "POST", "/api/documents/1/comments", body, "application/json", ["comment"]


def sqlmap(options, name, url, request, parameters, seconds):
    """Runs it over one request; prints the result, and returns whether it found a hole or tried nothing."""
    work = Path(options.work) / "sqlmap"
    work.mkdir(exist_ok=True)
    file = work / f"{len(list(work.iterdir()))}.txt"
    file.write_bytes(request)
    command = [options.sqlmap, "-r", str(file), "--batch", "--flush-session", "--disable-coloring", "-v", "3", "--level", str(options.level),
               "--risk", str(options.risk), "--timeout", "30", "--retries", "1", "--output-dir", str(work / "out"), "--ignore-code", "*",
               "--answers", "redirect=N,token=N,merge=N"]
    command += ["--force-ssl"] if url.startswith("https") else []
    command += ["-p", ",".join(parameters)] if parameters else []
    command += ["--dbms", KINDS[options.engine]]
    began, said = time.monotonic(), work / "said"
    with open(said, "w") as out:
        try:
            subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=seconds, check=False)
            end = "to its end"
        except subprocess.TimeoutExpired:
            end = f"stopped after {seconds} s"
    text = said.read_text(errors="replace")
    found = any(line in text for line in FOUND)
    payloads = text.count("[PAYLOAD]")
    tried = ", ".join(parameters) or "the path"
    print(f"  {name} ({tried}): {payloads} payloads in {time.monotonic() - began:.0f} s, {end}: "
          f"{'INJECTION' if found else 'nothing'}", flush=True)
    if (found or payloads == 0) and url.startswith("https"):
        print(text[-3000:])
    return found or payloads == 0


def raw(method, path, host, headers, body):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "User-Agent: Mozilla/5.0", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode()


class Hole(http.server.BaseHTTPRequestHandler):
    """A server with an injection, which sqlmap has to find."""

    def do_GET(self):
        q = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query).get("q", [""])[0]
        db = sqlite3.connect(":memory:")
        db.executescript("CREATE TABLE documents (title TEXT); INSERT INTO documents VALUES ('plan'), ('other')")
        try:
            rows = db.execute(f"SELECT title FROM documents WHERE title = '{q}'").fetchall()
            status, text = 200, repr(rows)
        except sqlite3.Error:
            status, text = 500, "no"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def control(options):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hole)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    easy = argparse.Namespace(**(vars(options) | {"engine": "sqlite", "level": 1, "risk": 1}))
    found = sqlmap(easy, "the control, a server with a hole", f"http://{host}", raw("GET", "/?q=plan", host, {}, None), ["q"], 120)
    server.shutdown()
    return found


def main():
    parser = argparse.ArgumentParser()
    for name in ("engine", "portal", "authority", "work", "password", "token", "log", "sqlmap", "only"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("level", "risk", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    print(f"sqlmap, level {options.level}, risk {options.risk}, on {KINDS[options.engine]}")
    if not control(options):
        sys.exit("sqlmap found nothing in the control, so it would find nothing here")
    portal = Portal(options)
    # Something to find, to edit and to comment on.
    form = next(form for form in portal.forms("ada", "/documents/new") if form["multipart"])
    body, kind = multipart(form)
    status, _ = portal.ask("ada", "/documents", "POST", body, kind)
    if status != 303:
        sys.exit(f"a document was answered with {status}")
    portal.ask("nobody", "/sign-in")
    holes = []
    for name, who, method, path, body, kind, names in requests(portal):
        if options.only in name:
            headers = portal.headers(who) | ({"Content-Type": kind} if kind else {})
            request = raw(method, path, options.portal, headers, body)
            if sqlmap(options, f"{name} as {who}", f"https://{options.portal}", request, names, options.seconds * max(1, len(names))):
                holes.append(name)
    log = Path(options.log).read_text(errors="replace")
    errors = [line for line in log.splitlines() if re.search(r"syntax error|SQLSTATE|unrecognized token|near \"", line)]
    for line in errors[:10]:
        print(f"  in the log: {line[:300]}")
    sys.exit(1 if holes or errors else 0)


main()
