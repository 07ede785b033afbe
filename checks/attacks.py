"""Attacks that once worked. Each prints what it tried and what it saw, and returns whether the portal withstood it."""

import argparse
import concurrent.futures
import re

import subprocess
import sys
import time
import traceback
import urllib.parse

import heavy
from visitor import Failed, Mail, Portal

ATTACKS = {}
MIB = 1024 * 1024


def attack(name: str, promise: str):
    def keep(function):
        ATTACKS[name] = (promise, function)
        return function

    return keep


def saw(text: str) -> None:
    print(f"   {text}", flush=True)


def place(answer) -> str:
    found = answer.headers.get("Location")
    if answer.status != 303 or not found:
        raise Failed(f"a document was not taken: {answer.status}")
    return urllib.parse.urlsplit(found).path


@attack("stale-page", "what a reviewer approves, or an owner deletes, is what the page showed")
def stale_page(portal, _mail) -> bool:
    ada, rita = portal.member("ada"), portal.member("rita")
    harmless = place(ada.hand_in("Minutes", "harmless\n"))
    number = harmless.rsplit("/", 1)[1]
    decision = rita.get(f"/reviews/{number}").form(f"/reviews/{number}").fill("decision", "approve")
    old_delete = ada.get(f"{harmless}/delete").form(f"{harmless}/delete")
    ada.submit(ada.get(f"{harmless}/delete").form(f"{harmless}/delete"))
    other = place(ada.hand_in("Minutes", "something else\n"))
    saw(f"the first document was {harmless}; after its end, the next is {other}")
    approved = rita.submit(decision).status
    ada.submit(old_delete)
    page = ada.get(other)
    pending = rita.get(f"/reviews/{other.rsplit('/', 1)[1]}").status == 200
    saw(f"the old page's approval: {approved}; the new document: {page.status}, {'waits' if pending else 'no longer waits'}")
    return page.status == 200 and pending and approved != 303


@attack("lock-out", "wrong passwords from others keep nobody out who has a browser, a session or the operator's help")
def lock_out(portal, _mail) -> bool:
    shared = next(portal.addresses)
    known, inside, colleague = portal.member("bob"), portal.member("bob"), portal.member("cem", shared)
    known.sign_out()
    colleague.sign_out()
    attackers = [portal.visitor(shared), *(portal.visitor() for _ in range(8))]
    wrong = [attacker.sign_in("bob", "a wrong password, again") for attacker in attackers for _ in range(8)]
    wrong += [attackers[0].sign_in("cem", "a wrong password, again") for _ in range(30)]
    saw(f"{len(wrong)} wrong passwords: {sorted(set(wrong))}")
    back = known.sign_in("bob")
    saw(f"the right password from a browser that was signed in before: {back}")
    confirm = inside.get("/confirm")
    confirmed = inside.submit(confirm.form("/confirm").fill("password", portal.password)).status
    saw(f"a signed-in person confirms that it is them: {confirmed}")
    beside = colleague.sign_in("cem")
    saw(f"a colleague at the attacker's address, from a browser that was signed in before: {beside}")
    new = portal.visitor().sign_in("bob")
    unlock = subprocess.run(
        [f"{portal.work}/portal", "users", "unlock", "--email", "bob@example.org"], capture_output=True, check=False
    )
    after = portal.visitor().sign_in("bob")
    saw(f"from a new browser: {new}; `users unlock`: exit {unlock.returncode}; from a new browser then: {after}")
    if unlock.returncode != 0:
        saw(unlock.stderr.decode().strip().splitlines()[0] if unlock.stderr else "it said nothing")
    return back == 303 and confirmed == 303 and beside == 303 and unlock.returncode == 0 and after == 303


@attack("comment-flood", "one author cannot make a page, or what unread answers hold, grow without end")
def comment_flood(portal, _mail) -> bool:
    ada = portal.member("ada")
    document = place(ada.hand_in("Discussed"))
    path, answers = f"{document}/comments", {}
    form = ada.get(document).form(path)
    for number in range(1_000):
        status = ada.submit(form.fill("comment", f"{number} " + "x" * 3_900)).status
        answers[status] = answers.get(status, 0) + 1
        if answers.get(429, 0) >= 20:
            break
    page = ada.get(document)
    size = len(page.body)
    saw(f"comments: {answers}; the page: {page.status}, {size // 1024} KiB")
    before = portal.memory()
    deaf = [heavy.unread(portal, document, ada.cookies, 100) for _ in range(10)]
    most = 0
    for _ in range(20):
        time.sleep(0.25)
        most = max(most, portal.memory())
    for connection in deaf:
        connection.close()
    saw(f"ten connections with a hundred unread answers each: {most - before} MiB more than {before} MiB")
    return page.status == 200 and size < 1 * MIB and most - before < 256


@attack("refusal-flood", "refused requests are counted, and do not fill the disk")
def refusal_flood(portal, _mail) -> bool:
    def sizes():
        return len(portal.file("data/audit.jsonl")), len(portal.file("log")) + len(portal.file("said"))

    address = next(portal.addresses)

    def flood(_):
        visitor, statuses = portal.visitor(address), []
        until = time.monotonic() + 6
        while time.monotonic() < until:
            statuses.append(visitor.post("/sign-in", b"email=a%40example.org&password=x").status)
        return statuses

    audit, said = sizes()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = [status for part in pool.map(flood, range(4)) for status in part]
    time.sleep(2)
    audit, said = (after - before for after, before in zip(sizes(), (audit, said)))
    each = (audit / len(statuses), said / len(statuses))
    saw(f"{len(statuses)} refused requests in 6 s: {sorted(set(statuses))}")
    saw(f"the audit log grew by {audit // 1024} KiB, {each[0]:.0f} bytes each; output by {said // 1024} KiB, {each[1]:.0f} bytes each")
    # The log has a hundred refusals in full and counts the others; each request has one line in the program's log.
    return len(statuses) > 150 and audit < 64 * 1024 and each[1] < 400


@attack("token-in-log", "no link's token reaches a log")
def token_in_log(portal, mail) -> bool:
    visitor = portal.visitor()
    visitor.submit(visitor.get("/forgot").form("/forgot").fill("email", "dora@example.org"))
    link = mail.link("/reset/")
    token = link.rsplit("/", 1)[1]
    from_us = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    requests = [
        ("POST", link, from_us | {"Sec-Fetch-Site": "cross-site"}),
        ("POST", link, from_us),
        ("POST", link, from_us | {"Content-Type": "text/plain"}),
        ("POST", f"{link}?a=%zz", from_us),
        ("POST", f"/setup/{token}", from_us),
        ("PUT", link, from_us),
        ("GET", f"{link}/more", {}),
        ("GET", f"/nowhere/{token}", {}),
        ("GET", f"{link}?{token}=1", {"Accept": "application/json"}),
    ]
    statuses = []
    for method, path, headers in requests:
        body = None if method == "GET" else b"password=x"
        statuses.append(visitor.ask(method, path, body=body, headers=headers).status)
    time.sleep(2)
    where = [name for name in ("log", "said", "data/audit.jsonl") if token.encode() in portal.file(name)]
    saw(f"{len(requests)} requests with a live token: {statuses}; it stands in: {', '.join(where) or 'nothing'}")
    return not where


@attack("heavy-pictures", "pictures that are slow to read keep nobody else's upload waiting for long")
def heavy_pictures(portal, _mail) -> bool:
    attacker, other = portal.member("cem"), portal.member("gus")
    session = dict(attacker.cookies)

    def send(picture):
        visitor = portal.visitor(attacker.address)
        visitor.cookies = dict(session)
        form = visitor.get("/documents/new").form("/documents")
        return visitor.submit(form.fill("title", "Heavy").fill("file", ("a.jpg", picture))).status

    too_many = send(heavy.jpeg(8_000, 8_000, 64))
    # The limit for a picture of this size.
    picture = heavy.jpeg(8_000, 8_000, 16)
    saw(f"a JPEG of 8000 x 8000 in 64 scans: {too_many}; one in 16 scans has {len(picture) // 1024} KiB")
    honest = []
    with concurrent.futures.ThreadPoolExecutor(36) as pool:
        sending = [pool.submit(send, picture) for _ in range(36)]
        while not all(task.done() for task in sending) and len(honest) < 20:
            began = time.monotonic()
            status = other.hand_in(f"Honest {len(honest)}").status
            honest.append((status, time.monotonic() - began))
        statuses = [task.result() for task in sending]
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    worst = max((took for _, took in honest), default=0)
    saw(f"36 of them at once: {counted}; meanwhile {len(honest)} other uploads: {sorted({status for status, _ in honest})}, at most {worst:.1f} s")
    if not honest:
        saw("the pictures were done before another upload could be tried, so nothing was shown")
    return too_many == 422 and bool(honest) and all(status == 303 for status, _ in honest)


@attack("old-link", "a link of a letter ends when the password is changed or the account is disabled")
def old_link(portal, mail) -> bool:
    def link_for(name):
        visitor = portal.visitor()
        visitor.submit(visitor.get("/forgot").form("/forgot").fill("email", f"{name}@example.org"))
        return mail.link("/reset/")

    def still_works(link):
        visitor = portal.visitor()
        page = visitor.get(link)
        if not page.has_form(link):
            return f"no form ({page.status})", False
        status = visitor.submit(page.form(link).fill("password", "the attacker's own words by night")).status
        return str(status), status == 303

    link = link_for("eli")
    eli = portal.member("eli")
    form = eli.get("/account/password").form("/account/password")
    form.fill("current_password", portal.password).fill("new_password", "nine new lanterns over the canal")
    changed = eli.submit(form).status
    said, changed_works = still_works(link)
    saw(f"the password was changed ({changed}), then the link of before: {said}")
    link = link_for("fay")
    disabled = subprocess.run(
        [f"{portal.work}/portal", "users", "disable", "--email", "fay@example.org"], capture_output=True, check=False
    )
    said, disabled_works = still_works(link)
    saw(f"the account was disabled (exit {disabled.returncode}), then the link of before: {said}")
    return changed == 303 and disabled.returncode == 0 and not changed_works and not disabled_works


@attack("review-queue", "one member's many documents hide nobody's from the reviewers")
def review_queue(portal, _mail) -> bool:
    cem, ada, rita = portal.member("cem"), portal.member("ada"), portal.member("rita")
    taken = 0
    for number in range(60):
        if cem.hand_in(f"Junk {number}").status == 303:
            taken += 1
    honest = place(ada.hand_in("The one that matters")).rsplit("/", 1)[1]
    path, pages = "/reviews", 0
    while path and pages < 50:
        page = rita.get(path)
        pages += 1
        if f'href="/reviews/{honest}"' in page.text:
            saw(f"{taken} junk documents were taken; the honest one stands on page {pages} of the queue")
            return True
        following = re.search(r'<a[^>]*rel="?next"?[^>]*>', page.text)
        found = following and re.search(r'href="([^"]+)"', following.group())
        path = urllib.parse.urljoin("/reviews", found.group(1).replace("&amp;", "&")) if found else ""
    saw(f"{taken} junk documents were taken; the honest one stands on none of {pages} pages of the queue")
    return False


NEEDED = ("x-content-type-options", "content-security-policy", "x-frame-options", "cache-control")


@attack("broken-requests", "what no HTTP is, is refused with every security header, or not answered")
def broken_requests(portal, _mail) -> bool:
    held = True
    end = b"Host: localhost\r\nConnection: close\r\n\r\n"
    for name, request in {
        "no HTTP": b"HELO example.org\r\n\r\n",
        "another version": b"GET / HTTP/9.9\r\n" + end,
        "a header of 100 KiB": b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n" + end,
        "20,000 headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + end,
        "a header with a NUL": b"GET / HTTP/1.1\r\nX: a\0b\r\n" + end,
        "a name with a blank": b"GET / HTTP/1.1\r\nX y: z\r\n" + end,
        "a method with a brace": b"G{T / HTTP/1.1\r\n" + end,
        "a path of 100 KiB": b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\n" + end,
        "a line that ends with LF alone": b"GET /sign-in HTTP/1.1\nHost: localhost\nConnection: close\n\n",
        "one header that ends with LF alone": b"GET /sign-in HTTP/1.1\r\nX: y\nHost: localhost\r\nConnection: close\r\n\r\n",
        "two equal lengths": b"POST /sign-in HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n" + end + b"a=b",
        "a list of equal lengths": b"POST /sign-in HTTP/1.1\r\nContent-Length: 3, 3\r\n" + end + b"a=b",
        "a length with a sign": b"POST /sign-in HTTP/1.1\r\nContent-Length: +3\r\n" + end + b"a=b",
        "a length and chunks": b"POST /sign-in HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + end + b"0\r\n\r\n",
    }.items():
        heard = heavy.exchange(portal, request)
        head = heard.split(b"\r\n\r\n", 1)[0].decode("latin-1").lower()
        status = head.split(" ")[1] if head.startswith("http/1.") else "closed"
        missing = [header for header in NEEDED if f"\n{header}:" not in head] if head else []
        good = not head or (status in ("400", "411", "413", "414", "431", "501", "505") and not missing)
        held &= good
        saw(f"{name}: {status}{', without ' + ', '.join(missing) if missing else ''}{'' if good else '  <-- HOLE'}")
    honest = heavy.exchange(portal, b"GET /sign-in HTTP/1.1\r\n" + end)
    saw(f"and a right one: {honest.split(b' ')[1].decode() if honest else 'closed'}")
    return held and honest.startswith(b"HTTP/1.1 200")


@attack("foreign-cookies", "another page's cookies sign nobody out and keep nobody from signing in")
def foreign_cookies(portal, _mail) -> bool:
    ada, held = portal.member("ada"), True
    session = f"__Host-session={ada.cookies['__Host-session']}".encode()
    for name, foreign in {
        "UTF-8": "n=Grüße".encode(),
        "Latin-1": "n=Grüße".encode("latin-1"),
        "no equals sign": b"flag",
        "an open quote": b'n="a',
        "JSON": b'n={"a":1,"b":[2]}',
        "one with our own end": b"not__Host-session=x",
    }.items():
        statuses = [ada.get("/documents", cookie=cookie).status for cookie in (foreign + b"; " + session, session + b"; " + foreign)]
        visitor = portal.visitor()
        visitor.get("/sign-in")
        own = "; ".join(f"{key}={value}" for key, value in visitor.cookies.items()).encode()
        form = visitor.get("/sign-in", cookie=foreign + (b"; " + own if own else b"")).form("/sign-in")
        own = "; ".join(f"{key}={value}" for key, value in visitor.cookies.items()).encode()
        form.fill("email", "ada@example.org").fill("password", portal.password)
        signed_in = visitor.submit(form, cookie=foreign + b"; " + own).status
        good = statuses == [200, 200] and signed_in == 303
        held &= good
        saw(f"{name}: a signed-in page {statuses}, a sign-in {signed_in}{'' if good else '  <-- HOLE'}")
    return held


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("portal", "http", "authority", "work", "password", "process"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--mail", type=int)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    if given.list:
        for name, (promise, _) in ATTACKS.items():
            print(f"{name}: {promise}")
        return
    unknown = [name for name in given.names if name not in ATTACKS]
    if unknown:
        sys.exit(f"no attack is called {', '.join(unknown)}; `attacks --list` says what there is")
    portal, mail, worked = Portal(given), Mail(given), []
    for name in given.names or ATTACKS:
        promise, function = ATTACKS[name]
        print(f"-- {name}: {promise}", flush=True)
        try:
            held = function(portal, mail)
        except Exception as error:  # An error of the attack proves nothing.
            saw(f"it could not be tried: {error!r}")
            if not isinstance(error, Failed):
                traceback.print_exc()
            held = False
        print(f"   {'held' if held else 'WORKED'}", flush=True)
        if not held:
            worked.append(name)
    if worked:
        sys.exit(f"worked: {', '.join(worked)}")


if __name__ == "__main__":
    main()
