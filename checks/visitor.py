"""The tools of the attacks: a browser with cookies and an address of its own, a mail server, and raw bytes."""

import email
import html.parser
import http.client
import queue
import re
import socket
import ssl
import threading
import urllib.parse
import uuid

PATIENCE = 120


class Portal:
    """The portal's addresses, and what its operator can see."""

    def __init__(self, given) -> None:
        self.host, port = given.portal.rsplit(":", 1)
        self.port = int(port)
        self.context = ssl.create_default_context(cafile=given.authority)
        self.work = given.work
        self.password = given.password
        self.process = given.process
        self.addresses = iter(f"127.0.{a}.{b}" for a in range(2, 250) for b in range(2, 250))

    def visitor(self, address: str = "") -> "Visitor":
        return Visitor(self, address or next(self.addresses))

    def member(self, name: str, address: str = "") -> "Visitor":
        visitor = self.visitor(address)
        status = visitor.sign_in(name)
        if status != 303:
            raise Failed(f"{name} cannot sign in before the attack: {status}")
        return visitor

    def socket(self, address: str = "", protocol: str = "http/1.1") -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=None)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        plain = socket.create_connection((self.host, self.port), PATIENCE, (address or next(self.addresses), 0))
        return context.wrap_socket(plain, server_hostname="localhost")

    def memory(self) -> int:
        """The memory of the process now, in MiB."""
        with open(f"/proc/{self.process}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) // 1024

    def file(self, name: str) -> bytes:
        with open(f"{self.work}/{name}", "rb") as file:
            return file.read()


class Failed(Exception):
    """The attack could not run; that proves nothing, and counts as a failure."""


class Answer:
    def __init__(self, status, headers, body) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")

    def form(self, action: str, method: str = "post") -> "Form":
        found = Forms(self.text).found
        for form in found:
            if form.action == action and form.method == method:
                return form
        raise Failed(f"no form for {action} on a page of status {self.status}: {[form.action for form in found]}")

    def has_form(self, action: str) -> bool:
        return any(form.action == action for form in Forms(self.text).found)


class Form:
    def __init__(self, action, method, multipart) -> None:
        self.action, self.method, self.multipart, self.fields = action, method, multipart, []

    def fill(self, name: str, value) -> "Form":
        self.fields = [pair for pair in self.fields if pair[0] != name] + [(name, value)]
        return self


class Forms(html.parser.HTMLParser):
    """Every form of a page, with its values."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found, self.area = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes) -> None:
        given = dict(attributes)
        if tag == "form":
            multipart = "multipart" in given.get("enctype", "")
            self.found.append(Form(given.get("action", ""), given.get("method", "get"), multipart))
        elif self.found and tag == "input" and given.get("name"):
            chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if chosen and given.get("type") != "file":
                self.found[-1].fields.append((given["name"], given.get("value", "")))
        elif self.found and tag == "textarea" and given.get("name"):
            self.found[-1].fields.append((given["name"], ""))


class Visitor:
    """A browser: cookies, one connection, an address."""

    def __init__(self, portal: Portal, address: str) -> None:
        self.portal, self.address, self.cookies = portal, address, {}
        self.connection = None

    def ask(self, method: str, path: str, body=None, headers=None, cookie=None) -> Answer:
        headers = {"Accept": "text/html", "Accept-Language": "en", **(headers or {})}
        own = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = cookie if cookie is not None else own
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    self.portal.host,
                    self.portal.port,
                    context=self.portal.context,
                    timeout=PATIENCE,
                    source_address=(self.address, 0),
                )
            try:
                self.connection.putrequest(method, path)
                for name, value in headers.items():
                    self.connection.putheader(name, value)
                if sent:
                    self.connection.putheader("Cookie", sent if isinstance(sent, bytes) else sent.encode())
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";", 1)[0].split("=", 1)
            if re.search(r"max-age=0\b", line, re.I):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return Answer(answer.status, answer.headers, text)

    def get(self, path: str, **more) -> Answer:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: bytes, kind="application/x-www-form-urlencoded", **more) -> Answer:
        headers = {
            "Content-Type": kind,
            "Origin": f"https://{self.portal.host}:{self.portal.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        headers.update(more.pop("headers", {}))
        return self.ask("POST", path, body=body, headers=headers, **more)

    def submit(self, form: Form, **more) -> Answer:
        if not form.multipart:
            return self.post(form.action, urllib.parse.urlencode(form.fields).encode(), **more)
        cut, parts = uuid.uuid4().hex, []
        for name, value in form.fields:
            head = f'--{cut}\r\nContent-Disposition: form-data; name="{name}"'
            if isinstance(value, tuple):
                file_name, content = value
                parts.append(f'{head}; filename="{file_name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode())
                parts.append(content + b"\r\n")
            else:
                parts.append(f"{head}\r\n\r\n{value}\r\n".encode())
        parts.append(f"--{cut}--\r\n".encode())
        return self.post(form.action, b"".join(parts), kind=f"multipart/form-data; boundary={cut}", **more)

    def sign_in(self, name: str, password: str = "", page: Answer = None) -> int:
        page = page or self.get("/sign-in")
        form = page.form("/sign-in").fill("email", f"{name}@example.org")
        return self.submit(form.fill("password", password or self.portal.password)).status

    def sign_out(self) -> None:
        self.submit(self.get("/account").form("/sign-out"))

    def hand_in(self, title: str, text: str = "What was agreed.\n", file: str = "file.txt") -> Answer:
        """Uploads a document. The response redirects to it."""
        form = self.get("/documents/new").form("/documents")
        return self.submit(form.fill("title", title).fill("file", (file, text.encode())))


class Mail:
    """A mail server over TLS that stores all letters."""

    def __init__(self, given) -> None:
        self.letters = queue.Queue()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{given.work}/tls/chain.pem", f"{given.work}/tls/key.pem")
        listener = socket.create_server(("127.0.0.1", given.mail))
        threading.Thread(target=self.serve, args=(listener, context), daemon=True).start()

    def serve(self, listener, context) -> None:
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=self.talk, args=(stream, context), daemon=True).start()

    def talk(self, stream, context) -> None:
        try:
            with context.wrap_socket(stream, server_side=True) as tls, tls.makefile("rwb") as both:
                self.say(both, "220 localhost")
                while line := both.readline():
                    word = line.split()[0].upper() if line.split() else b""
                    if word == b"EHLO":
                        self.say(both, "250-localhost\r\n250 8BITMIME")
                    elif word == b"DATA":
                        self.say(both, "354 go on")
                        lines = []
                        while (part := both.readline()) not in (b".\r\n", b""):
                            lines.append(part)
                        self.letters.put(email.message_from_bytes(b"".join(lines)))
                        self.say(both, "250 kept")
                    elif word == b"QUIT":
                        self.say(both, "221 bye")
                        return
                    else:
                        self.say(both, "250 ok")
        except (OSError, ValueError):
            pass

    @staticmethod
    def say(both, text: str) -> None:
        both.write(f"{text}\r\n".encode())
        both.flush()

    def link(self, start: str) -> str:
        """The path in the next letter with a link of this kind."""
        while True:
            try:
                letter = self.letters.get(timeout=PATIENCE)
            except queue.Empty:
                raise Failed("no letter came") from None
            parts = [part.get_payload(decode=True) or b"" for part in letter.walk() if not part.is_multipart()]
            found = re.search(rf"{start}[A-Za-z0-9_-]+", b" ".join(parts).decode("utf-8", "replace"))
            if found:
                return found.group()
