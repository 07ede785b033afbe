"""Three nodes of the portal under load, while each node, the database and Redis are stopped once.

Members comment and hand in documents without a pause. A write counts as acknowledged when its answer has arrived. At the end
every acknowledged comment and document has to be there, byte for byte, through each node; every session has to be alive; the
audit log of each node has to be whole; and every acknowledged document has to be in one of them, once. Answers of 503 and broken connections are counted, with the time they lasted.
"""

import argparse
import collections
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import urllib.parse

from visitor import Failed, Portal

NODES = ("web-1", "web-2", "web-3")
MEMBERS = ("ada", "bob", "cem", "dora", "eli", "fay", "gus", "hal")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what: str, true, seconds: int = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise Failed(f"waited in vain: {what}")
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def written(path: str, text: str, mode: int = 0o600) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class Postgres:
    """A cluster of its own, by the Debian package `postgresql`."""

    def __init__(self, work: str, password: str) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            sys.exit("nodes: postgresql is not installed here. Debian has it in the package postgresql.")
        self.bin, self.port = os.path.dirname(found[-1]), free_port()
        self.home = f"{work}/postgres"
        os.mkdir(self.home, 0o700)
        self.password_file = written(f"{work}/postgres.password", password)
        secret = written(f"{self.home}/password", password)
        self.run_as = []
        if os.getuid() == 0:
            self.run_as = ["runuser", "-u", "postgres", "--"]
            subprocess.run(["chown", "-R", "postgres", self.home], check=True)
        arguments = ["-D", f"{self.home}/data", "-U", "portal", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]
        arguments += ["--locale-provider=icu", "--icu-locale=und"] if self.has_icu() else []
        self.run("initdb", *arguments, f"--pwfile={secret}")
        self.start()

    def has_icu(self) -> bool:
        shown = subprocess.run([f"{self.bin}/initdb", "--help"], capture_output=True, text=True, check=True)
        return "--icu-locale" in shown.stdout

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.run_as, f"{self.bin}/{program}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise Failed(f"{program}: {done.stdout} {done.stderr}")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
        self.run("pg_ctl", "-D", f"{self.home}/data", "-l", f"{self.home}/log", "-o", options, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", f"{self.home}/data", "-m", "fast", "-w", "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def url(self, name: str = "postgres") -> str:
        return f"postgres://portal@127.0.0.1:{self.port}/{name}"


class Process:
    """A program that is ended by its process id."""

    def __init__(self, name: str, command: list, work: str, environment=None) -> None:
        self.name, self.command, self.environment = name, command, environment
        self.log, self.child = f"{work}/{name}.log", None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            command = ["timeout", "1800", *self.command]
            self.child = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment, start_new_session=True
            )

    def end(self, how: int = signal.SIGTERM) -> None:
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, how)
            self.child.wait()


class Node(Process):
    """One node of the portal, with a data directory of its own and the keys of all."""

    def __init__(self, name: str, cluster: "Cluster") -> None:
        self.cluster, self.data = cluster, f"{cluster.work}/{name}"
        self.port, self.health = free_port(), free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "RUST_LOG": "warn",
            "DEWAR_NODE": name,
            "DEWAR_DATA": self.data,
            "DEWAR_HTTPS_ADDRESS": f"127.0.0.1:{self.port}",
            "DEWAR_HTTPS_HEALTH": f"127.0.0.1:{self.health}",
            **cluster.settings,
        }
        super().__init__(name, [cluster.programs.portal, "serve"], cluster.work, environment)

    def portal(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [self.command[0], *arguments], env=self.environment, input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"{self.name}: portal {' '.join(arguments)}: {done.stdout} {done.stderr}")
        return done.stdout

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.health), 2) as probe:
                probe.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                return probe.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def start(self) -> None:
        super().start()
        wait_for(f"{self.name} is ready", lambda: self.is_ready() or self.child.poll() is not None)
        if self.child.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise Failed(f"{self.name} ended: {log.read()[-3000:]}")


class Cluster:
    """The services, the nodes and HAProxy before them."""

    def __init__(self, programs) -> None:
        self.programs, self.work = programs, programs.work
        self.postgres = Postgres(self.work, programs.password)
        redis_port, secret = free_port(), programs.password.replace(" ", "-")
        conf = f'bind 127.0.0.1\nport {redis_port}\ndir {self.work}\nsave ""\nappendonly yes\nappendfsync always\nrequirepass {secret}\n'
        self.redis = Process("redis", ["redis-server", written(f"{self.work}/redis.conf", conf)], self.work)
        self.redis.start()
        wait_for("Redis listens", lambda: answers(redis_port))
        self.redis_port = redis_port
        redis_password = written(f"{self.work}/redis.password", secret)
        self.port, self.alone = free_port(), {name: free_port() for name in NODES}
        self.settings = {
            "DEWAR_MODE": "production",
            "DEWAR_MAIL_TRANSPORT": "none",
            "DEWAR_DATABASE_URL": self.postgres.url(),
            "DEWAR_DATABASE_PASSWORD_FILE": self.postgres.password_file,
            "DEWAR_SESSIONS_STORE": f"redis://127.0.0.1:{redis_port}",
            "DEWAR_SESSIONS_PASSWORD_FILE": redis_password,
            "DEWAR_FORMS_RATE_LIMIT": "100000",
            "DEWAR_HTTPS_HTTP_ADDRESS": "off",
            "DEWAR_HTTPS_HOSTS": "localhost,127.0.0.1",
            "DEWAR_HTTPS_PUBLIC_PORT": str(self.port),
            "DEWAR_HTTPS_CERTIFICATE": f"{self.work}/tls/chain.pem",
            "DEWAR_HTTPS_KEY": f"{self.work}/tls/key.pem",
            "DEWAR_HTTPS_TRUSTED_PROXIES": "127.0.0.1",
            "DEWAR_HTTPS_CLIENT_IP_SOURCE": "proxy-protocol",
            "DEWAR_HTTPS_METRICS": "true",
        }
        self.s3 = self.bucket()
        self.nodes = {name: Node(name, self) for name in NODES}
        self.haproxy = Process("haproxy", ["haproxy", "-db", "-f", self.balancing()], self.work)

    def bucket(self) -> Process:
        """An S3 server with one bucket; it prints the settings that lead to it."""
        said = f"{self.work}/s3.settings"
        command = [self.programs.s3, "sh", "-c", f"env | grep ^TEST_S3_ > {said}.part && mv {said}.part {said} && sleep 1800"]
        server = Process("s3", command, self.work, {"PATH": os.environ["PATH"]})
        server.start()
        wait_for("the S3 server is there", lambda: os.path.exists(said))
        with open(said, encoding="utf-8") as lines:
            told = dict(line.strip().split("=", 1) for line in lines)
        key, secret = told["TEST_S3_KEY"].split(":", 1)
        keys = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        self.settings["DEWAR_UPLOADS_STORAGE"] = "s3://dewar/nodes"
        self.settings["DEWAR_UPLOADS_S3_ENDPOINT"] = told["TEST_S3_URL"]
        self.settings["DEWAR_UPLOADS_S3_REGION"] = "us-east-1"
        self.settings["DEWAR_UPLOADS_S3_CREDENTIALS_FILE"] = written(f"{self.work}/s3.keys", keys)
        return server

    def balancing(self) -> str:
        lines = ["global", "  maxconn 2000", "defaults", "  mode tcp", "  timeout connect 2s", "  timeout client 2m"]
        lines += ["  timeout server 2m", "  option redispatch", "  retries 3"]
        check = "check inter 200ms fall 2 rise 1 send-proxy-v2 on-marked-down shutdown-sessions"
        lines += ["listen visitors", f"  bind 127.0.0.1:{self.port}", "  balance roundrobin", "  option httpchk GET /readyz"]
        for name, node in self.nodes.items():
            lines.append(f"  server {name} 127.0.0.1:{node.port} {check} port {node.health}")
        for name, node in self.nodes.items():
            lines += [f"listen {name}", f"  bind 127.0.0.1:{self.alone[name]}", f"  server {name} 127.0.0.1:{node.port} send-proxy-v2"]
        return written(f"{self.work}/haproxy.cfg", "\n".join(lines) + "\n")

    def start(self) -> None:
        first, *others = self.nodes.values()
        first.portal("keys", "new")
        for node in others:
            shutil.copytree(f"{first.data}/keys", f"{node.data}/keys")
            for folder in (node.data, f"{node.data}/keys"):
                os.chmod(folder, 0o700)
        first.portal("migrate")
        for name in MEMBERS:
            first.portal("users", "add", "--email", f"{name}@example.org", "--role", "member", "--password-stdin", given=self.programs.password)
        for node in self.nodes.values():
            node.start()
        self.haproxy.start()
        wait_for("HAProxy listens", lambda: answers(self.port))

    def end(self) -> None:
        for process in (self.haproxy, *self.nodes.values(), self.redis, self.s3):
            process.end()
        self.postgres.stop()

    def seen_by(self, port: int) -> Portal:
        authority, password = f"{self.work}/authority.pem", self.programs.password
        given = types.SimpleNamespace(portal=f"127.0.0.1:{port}", authority=authority, work=self.work, password=password, process="")
        return Portal(given)


class Book:
    """What was acknowledged, and what went wrong, with its time."""

    def __init__(self) -> None:
        self.lock, self.comments, self.documents = threading.Lock(), {}, {}
        self.answers, self.troubles, self.wrong = 0, [], []
        self.took = collections.deque(maxlen=100_000)

    def trouble(self, kind: str) -> None:
        with self.lock:
            self.troubles.append((time.monotonic(), kind))


def member(visitor, name: str, home: str, book: Book, stop: threading.Event) -> None:
    """Writes until it is stopped. Only what was answered counts as written."""
    number = 0
    while not stop.is_set():
        number += 1
        try:
            began = time.monotonic()
            if number % 10 == 0:
                text = f"{name} {number} " + "x" * (number % 4000)
                # The audit log has the name of each stored file: an id of this write.
                file = f"{name}-{number}.txt"
                answer = visitor.hand_in(f"{name} {number}", text, file)
                if noted(answer, book):
                    path = urllib.parse.urlsplit(answer.headers["Location"]).path
                    book.documents[path] = (name, text, file)
            else:
                page = visitor.get(home)
                if page.status != 200:
                    noted(page, book)
                    continue
                text = f"{name} says {number}"
                form = page.form(f"{home}/comments").fill("comment", text)
                if noted(visitor.submit(form), book):
                    book.comments.setdefault((name, home), set()).add(text)
            book.took.append(time.monotonic() - began)
        except Failed:
            # The page was an error page, which has no form.
            book.trouble("503")
        except OSError as error:
            book.trouble(type(error).__name__)
        stop.wait(0.05)


def noted(answer, book: Book) -> bool:
    """Whether a write was acknowledged."""
    with book.lock:
        book.answers += 1
    to = answer.headers.get("Location", "")
    if answer.status == 303 and "/sign-in" not in to:
        return True
    if answer.status == 503:
        book.trouble("503")
    else:
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))[:300]
        book.wrong.append(f"{answer.status} {to} {said}")
    return False


def happen(cluster: Cluster, seconds: int, say) -> None:
    """What goes wrong, one thing after the other, with the same time between."""
    one, two, three = cluster.nodes.values()

    def kill() -> None:
        two.end(signal.SIGKILL)
        time.sleep(seconds / 18)
        two.start()

    def restart() -> None:
        three.end()
        three.start()

    def redis() -> None:
        cluster.redis.end()
        cluster.redis.start()
        wait_for("Redis listens", lambda: answers(cluster.redis_port))

    def roll() -> None:
        one.end()
        one.command[0] = cluster.programs.next
        one.start()

    events = [
        ("web-2 is killed with -9 and started again", kill),
        ("web-3 is restarted", restart),
        ("PostgreSQL is restarted", cluster.postgres.restart),
        ("Redis is restarted", redis),
        ("web-1 is replaced by a new program with a new migration", roll),
    ]
    for what, event in events:
        time.sleep(seconds / (len(events) + 1))
        say(what)
        event()
    time.sleep(seconds / (len(events) + 1))


def patient(reader, path: str, book: Book):
    """The answer of a node that may just have noticed that Redis was restarted: its first answer after that may be a 503."""
    answer = reader.get(path)
    if answer.status == 503:
        book.trouble("503 while reading at the end")
        time.sleep(1)
        answer = reader.get(path)
    return answer


def examined(cluster: Cluster, visitors: dict, book: Book) -> list:
    """What is not as it should be at the end."""
    problems = [f"an answer: {one}" for one in book.wrong]
    for name, visitor in visitors.items():
        page = visitor.get("/account")
        if page.status != 200:
            problems.append(f"the session of {name} ended: {page.status}")
    for node, port in cluster.alone.items():
        portal = cluster.seen_by(port)
        readers = {}
        for name in MEMBERS:
            readers[name] = portal.visitor()
            readers[name].cookies = visitors[name].cookies
        for path, (name, text, _) in book.documents.items():
            answer = patient(readers[name], f"{path}/file", book)
            if answer.status != 200 or answer.text != text:
                problems.append(f"{node}: {path}/file: {answer.status}, {len(answer.body)} bytes of {len(text)}")
        for (name, home), said in book.comments.items():
            there, path = set(), home
            while path:
                page = patient(readers[name], path, book).text
                there |= set(re.findall(r'<p class="typed">([^<]*)</p>', page))
                older = re.search(r'href="([^"]*\?before=[^"]*)#comments"', page)
                path = older and older.group(1).replace("&amp;", "&")
            if said - there:
                problems.append(f"{node}: {home}: {len(said - there)} of {len(said)} comments are missing: {sorted(said - there)[:3]}")
    return problems


def logs(cluster: Cluster, book: Book) -> list:
    """Every acknowledged document is in the audit log of some node, once; and so is every account."""
    problems, stored, created = [], collections.Counter(), collections.Counter()
    for node in cluster.nodes.values():
        try:
            print(f"   {node.name}: {node.portal('audit', 'verify').strip().splitlines()[-1]}", flush=True)
        except Failed as error:
            problems.append(str(error))
        for path in glob.glob(f"{node.data}/audit.jsonl*"):
            if path.endswith((".head", ".base", ".torn")):
                continue
            with open(path, encoding="utf-8", errors="replace") as log:
                for line in log:
                    entry = json.loads(line)
                    if entry["event"] == "upload_stored":
                        stored[entry["subject"]] += 1
                    elif entry["event"] == "user_created":
                        created[entry["subject"]] += 1
    for _, _, file in book.documents.values():
        if stored[file] != 1:
            problems.append(f"{file} is {stored[file]} times in the audit logs of all nodes, and was acknowledged")
    if sorted(created.values()) != [1] * len(MEMBERS):
        problems.append(f"{dict(created)} is not one entry user_created for each of {len(MEMBERS)} accounts")
    print(f"   {len(book.documents)} acknowledged documents, each looked for in the audit logs", flush=True)
    return problems


def report(book: Book, events: list) -> None:
    took = sorted(book.took)
    written_ = sum(map(len, book.comments.values()))
    print(f"   {book.answers} writes were answered; {written_} comments and {len(book.documents)} documents acknowledged", flush=True)
    if took:
        print(f"   a page with its write: median {took[len(took) // 2] * 1000:.0f} ms, 99th percentile {took[len(took) * 99 // 100] * 1000:.0f} ms")
    starts = [at for at, _ in events] + [float("inf")]
    for (at, what), until in zip(events, starts[1:]):
        inside = [(when, kind) for when, kind in book.troubles if at <= when < until]
        kinds = ", ".join(f"{count} x {kind}" for kind, count in collections.Counter(kind for _, kind in inside).items())
        lasted = f" within {max(when for when, _ in inside) - at:.1f} s" if inside else ""
        print(f"   {what}: {kinds or 'no error'}{lasted}", flush=True)
    before = sum(when < starts[0] for when, _ in book.troubles)
    print(f"   before all that: {before} errors", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("portal", "next", "s3", "work", "password"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=int, default=90)
    given = parser.parse_args()
    cluster, book, stop, events = Cluster(given), Book(), threading.Event(), []
    problems = []
    try:
        cluster.start()
        portal = cluster.seen_by(cluster.port)
        visitors = {name: portal.member(name) for name in MEMBERS}
        homes = {}
        for name, visitor in visitors.items():
            homes[name] = urllib.parse.urlsplit(visitor.hand_in(f"The home of {name}").headers["Location"]).path
        print(f"-- three nodes behind HAProxy, {len(MEMBERS)} members who write for {given.seconds} s", flush=True)
        threads = [threading.Thread(target=member, args=(visitors[name], name, homes[name], book, stop)) for name in MEMBERS]
        for thread in threads:
            thread.start()
        try:
            happen(cluster, given.seconds, lambda what: events.append((time.monotonic(), what)))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        problems = examined(cluster, visitors, book)
        report(book, events)
    finally:
        cluster.end()
        if not problems and sys.exc_info()[0] is None:
            cluster.postgres.start()
            problems = logs(cluster, book)
            cluster.postgres.stop()
    for problem in problems[:20]:
        print(f"   WRONG: {problem}", flush=True)
    if problems or not book.comments or not book.documents:
        sys.exit(1)


if __name__ == "__main__":
    main()
