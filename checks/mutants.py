"""Runs a sample of cargo-mutants' mutants of each room, in a copy of the tree, against the tests that reach them.

One program contains every mutant of the sample: a copy of the mutated function is at the function's beginning, and a number
in the environment selects it. That is one build instead of hundreds. Constants, constant functions and functions that return
`impl` something cannot be written in this way; they count as not tried. The same switch records which tests reach which
mutants (mutants_runs.py), so only those tests judge a mutant: it is `caught` by the first unit test, integration test or
attack that fails, and `missed` if none fails or none reaches it.
"""

import argparse
import datetime
import fnmatch
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

from mutants_runs import PROGRAMS, Runs, environment

# The files of each room that protect something. A file that only renders, reports or lists is not among them.
ROOMS = {
    "csrf": "accepted_delivery origin_check token tokens verified_webhook webhook webhook_auth",
    "roles": "access checks guard scoped",
    "sessions": """checks config cookie ending flash handle principal record session store/database store/mod store/place values""",
    "secrets": "config file key keys mac mounts purpose quality random ring seal secret shared sign source token",
    "accounts": """checks config device display_name email endpoints/* extract guessable handle hash_formats/* import known_browser letters link mail
        mail/message password password_change pending_form pool rate_limiter recently_authenticated scheme sign_in stand_in sign_up
        stored_form throttle users""",
    "audit": """clock finding log/chain log/entry log/files log/keeping log/latest log/mod log/outbox log/tail log/tally
        log/verify log/writer mode owner_only path free_space reserve sanitize settings/* size""",
    "https": """acme/* activity address body certificate certificate_status checks client_wait config connection
        connections_per_ip deadline frames headers heads held_responses hosts layer limits list listener local
        media_type nonce proxy/chain proxy/mod proxy/network proxy/protocol random redirect rejection reload reports
        reports/violation request_id request_info request_rules security_txt tls trust upgrade""",
    "forms": """button characters choice clean_html clean_html/allowed clean_html/turned colour composed config decimal
        disposition edits email field file_name form fragment handler_input hidden incoming int invisible json kind line
        list many markdown message moment multipart name number password path pick quarantine query reader received
        record_version rows telephone text unread_form url urlencoded""",
    "pages": """admission assets assets/asset bundle calls context/* csv error escape/* filters handler_output languages/judged
        languages/source_messages languages/wanted markup missing_token mounted negotiation outcome page ranges redirect render
        request_context resume templates untrusted user""",
    "uploads": """archive bucket checks config container_end disposition download examine id kind name pdf pending picture policy queue
        recognise rows scan scans storage/content storage/disk storage/place store sweep tags text upload verify
        moving""",
    "database": """checks compatible config connection db error functions ids limits literal migrations models node_lock orm outbox quota readers
        reencrypt rehearsal row sealed tx value writer""",
    "app": """background build cli commands/* config confirm deliveries early_errors examine extractors handlers health launch
        layers patterns rate_limit request_log rooms routes run scan_detector serving signed_out stack table""",
    "dependencies": "checks parts",
}
# The seed of the sample: another number gives another sample.
SEED = 20261128
# Selects the mutant of a program; if a folder is named, it also writes the reached mutants into a file for each process.
SWITCH = """
pub(crate) fn is(number: u32) -> bool {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    static NUMBER: LazyLock<Option<u32>> = LazyLock::new(|| std::env::var_os("MUTANT_OF_A_CHECK")?.to_str()?.parse().ok());
    static REACHED: LazyLock<Option<std::fs::File>> = LazyLock::new(|| {
        let folder = std::env::var_os("MUTANTS_REACHED_OF_A_CHECK")?;
        let file = std::path::Path::new(&folder).join(std::process::id().to_string());
        std::fs::OpenOptions::new().create(true).append(true).open(file).ok()
    });
    static SEEN: [AtomicBool; SIZE] = [const { AtomicBool::new(false) }; SIZE];
    if let Some(mut file) = REACHED.as_ref() {
        if SEEN.get(number as usize).is_some_and(|seen| !seen.swap(true, Ordering::Relaxed)) {
            // Written at once: a process may be killed.
            file.write_all(&number.to_le_bytes()).ok();
        }
    }
    *NUMBER == Some(number)
}
"""
# The parts of Rust whose braces do not count: comments, strings, characters.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\b(?:br|cr|r)(?P<hashes>\#*)".*?"(?P=hashes)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\[^\n]{1,10}?|[^'\\\n])'|[(){}\[\]]""",
    re.S | re.X,
)


def body(text: str, start: int, end: int):
    """The beginning and end of the body of the function from start to end: the last braces that are in no others."""
    depth, opened, found = 0, 0, None
    for token in TOKEN.finditer(text, start, end):
        if token.group() in ("(", "[", "{"):
            if depth == 0:
                opened = token.start()
            depth += 1
        elif token.group() in (")", "]", "}"):
            depth -= 1
            if depth == 0 and token.group() == "}":
                found = (opened + 1, token.start())
    return found


class Mutants:
    def __init__(self, given) -> None:
        self.root, self.given = given.root, given
        self.copy = pathlib.Path(given.copy or given.root / "target" / "mutants" / "tree").resolve()
        self.results = self.root / "checks" / "mutants.jsonl"
        reasons = (self.root / "checks" / "mutants.accepted").read_text().splitlines()
        self.reasons = dict(line.split("\t", 1) for line in reasons if "\t" in line)
        self.known, self.lock, self.all = {}, threading.Lock(), None
        self.asked = set(given.ask.split(","))
        if self.results.exists():
            for line in self.results.read_text().splitlines():
                result = json.loads(line)
                self.known[result["key"]] = result

    def prepare(self) -> None:
        """Copies the committed tree; the work tree stays as it is."""
        self.copy.mkdir(parents=True, exist_ok=True)
        fresh = self.copy.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=self.root, stdout=subprocess.PIPE)
        subprocess.run(["tar", "x", "-m", "-C", fresh], stdin=archive.stdout, check=True)
        archive.wait()
        # A lint that fails a build elsewhere says nothing about a mutant.
        workspace = fresh / "Cargo.toml"
        workspace.write_text(workspace.read_text().replace('unused_must_use = "deny"', 'unused_must_use = "allow"'))
        for entry in self.copy.iterdir():
            if entry.name != "target":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for entry in fresh.iterdir():
            entry.rename(self.copy / entry.name)
        fresh.rmdir()
        self.originals = {}

    def listed(self, room: str) -> list:
        wanted = [f"dewar/src/{room}/{name}.rs" for name in ROOMS[room].split()]
        for name in wanted:
            if "*" not in name and not (self.copy / name).is_file():
                sys.exit(f"{name} is not there any more: see ROOMS in checks/mutants.py")
        if self.all is None:
            command = ["cargo", "mutants", "--list", "--json", "--no-config", "-d", str(self.copy), "-f", "dewar/src/**"]
            listed = subprocess.run(command, cwd=self.copy, capture_output=True, text=True, check=True)
            self.all = json.loads(listed.stdout)
        mutants = [mutant for mutant in self.all if any(fnmatch.fnmatch(mutant["file"], name) for name in wanted)]
        seen = {}
        for mutant in mutants:
            # A mutant's name has its line, which moves; its change and its count among equal changes do not.
            told = mutant["file"] + re.sub(r"^\S+: ", " ", mutant["name"])
            seen[told] = seen.get(told, 0) + 1
            mutant["key"] = hashlib.sha256(f"{told} {seen[told]}".encode()).hexdigest()[:16]
            mutant["room"] = room
        return mutants

    def run(self) -> None:
        self.prepare()
        sample = []
        self.tree = subprocess.run(["git", "rev-parse", "HEAD:dewar"], cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()
        for room in self.given.rooms or ROOMS:
            mutants = self.listed(room)
            can = [mutant for mutant in mutants if self.written(mutant)]
            # A mutant's place in the sample depends only on itself, so added or removed code does not move the others.
            can.sort(key=lambda mutant: hashlib.sha256(f"{SEED} {mutant['key']}".encode()).digest())
            drawn = can[: self.given.each] if self.given.each else can
            for mutant in mutants:
                mutant["of"] = len(mutants)
            if self.given.again:
                drawn = [mutant for mutant in can if self.known.get(mutant["key"], {}).get("outcome") == "missed"]
                drawn = [mutant for mutant in drawn if mutant["key"] not in self.reasons]
            sample += drawn
            print(f"{room}: {len(mutants)} mutants, {len(can)} can be built together, a sample of {len(drawn)}", flush=True)
        if not self.given.again:
            sample = [mutant for mutant in sample if self.known.get(mutant["key"], {}).get("outcome", "left") == "left"]
        if not sample:
            return
        sample = self.kept_build(sample) or self.build(sample)
        if self.given.build:
            return
        for mutant in sample:
            # If the run is ended early, the table shows how many mutants of the sample were not tried.
            if mutant["key"] not in self.known:
                self.keep(mutant, "left", "")
        end = time.monotonic() + self.given.minutes * 60
        runs = Runs(self.programs, self.copy.with_name("reach.json"), self.given)
        runs.reach()
        # In turns, so that a run that is ended early has tried as many of each room.
        places, count = {}, {}
        for mutant in sample:
            places[mutant["key"]] = count[mutant["room"]] = count.get(mutant["room"], -1) + 1
        turns = sorted(sample, key=lambda mutant: places[mutant["key"]])
        judges = [threading.Thread(target=self.judges, args=(runs, turns, end)) for _ in range(self.given.judges)]
        for judge in judges:
            judge.start()
        for judge in judges:
            judge.join()
        if turns:
            print("the time is over; the next run goes on here", flush=True)

    def judges(self, runs: Runs, turns: list, end: float) -> None:
        while time.monotonic() < end:
            with self.lock:
                if not turns:
                    return
                mutant = turns.pop(0)
            began = time.monotonic()
            outcome, by = runs.judge(mutant)
            self.keep(mutant, outcome, by)
            print(f"{outcome:7} {time.monotonic() - began:5.1f} s  {mutant['name']}  {by}", flush=True)

    # The build

    def written(self, mutant: dict):
        """The place for a copy of the mutant's function, and the copy; None if it cannot be written in this way."""
        text = self.text(mutant["file"])
        function = mutant.get("function")
        if not function:
            return None
        first, last = (self.place(mutant["file"], function["span"][side]) for side in ("start", "end"))
        found = body(text, first, last)
        if not found:
            return None
        head = text[first : found[0]]
        if re.search(r"\bconst\s+(?:async\s+|unsafe\s+)*fn\b|->\s*impl\b", head):
            return None
        start, end = (self.place(mutant["file"], mutant["span"][side]) for side in ("start", "end"))
        if not found[0] <= start <= end <= found[1] or text[found[0] : found[1]].lstrip().startswith("#!["):
            return None
        return found[0], text[found[0] : start] + " " + mutant["replacement"] + " " + text[end : found[1]]

    def text(self, file: str) -> str:
        if file not in self.originals:
            text = (self.copy / file).read_text()
            starts = [0] + [place + 1 for place, character in enumerate(text) if character == "\n"]
            self.originals[file] = (text, starts)
        return self.originals[file][0]

    def place(self, file: str, told: dict) -> int:
        return self.originals[file][1][told["line"] - 1] + told["column"] - 1

    def kept_build(self, sample: list):
        """The sample with its numbers, if the programs of the last run have all of it, from the same sources."""
        kept = self.copy.with_name("built.json")
        if not kept.exists():
            return None
        built = json.loads(kept.read_text())
        numbers = built["numbers"]
        if built["tree"] != self.tree or any(mutant["key"] not in numbers for mutant in sample) or not self.asked <= built["programs"].keys():
            return None
        for mutant in sample:
            mutant["number"] = numbers[mutant["key"]]
        self.programs = {name: (program, pathlib.Path(folder)) for name, (program, folder) in built["programs"].items()}
        return sample

    def build(self, sample: list) -> list:
        switch = SWITCH.replace("SIZE", str(len(sample) + 1))
        (self.copy / "dewar/src/mutants.rs").write_text("//! Which mutant this is.\n" + switch)
        library = self.copy / "dewar/src/lib.rs"
        library.write_text(library.read_text() + "\nmod mutants;\n")
        for number, mutant in enumerate(sample, 1):
            mutant["number"] = number
        while True:
            self.write(sample)
            print(f"{len(sample)} mutants are written into one program", flush=True)
            others = [] if self.asked == {"unit"} else ["--test", "it"]
            bad = self.built(["check", "--lib"]) or self.built(["test", "--no-run", "--lib", *others])
            if not bad:
                built = {"tree": self.tree, "numbers": {mutant["key"]: mutant["number"] for mutant in sample}}
                built["programs"] = {name: (program, str(folder)) for name, (program, folder) in self.programs.items()}
                self.copy.with_name("built.json").write_text(json.dumps(built))
                return sample
            for mutant in sample:
                if mutant["number"] in bad:
                    self.keep(mutant, "unviable", "")
            sample = [mutant for mutant in sample if mutant["number"] not in bad]

    def write(self, sample: list) -> None:
        files = {}
        for mutant in sample:
            place, copy = self.written(mutant)
            number = mutant["number"]
            new = f"\nif crate::mutants::is({number}) {{ return {{ /*M{number}*/\n{copy}\n }} }} /*E{number}*/\n"
            files.setdefault(mutant["file"], []).append((place, new))
        for file, (text, _) in self.originals.items():
            for place, new in sorted(files.get(file, []), reverse=True):
                text = text[:place] + new + text[place:]
            path = self.copy / file
            if path.read_text() != text:
                path.write_text(text)

    def near(self, span: dict) -> set:
        """The mutants at the places of the errors."""
        path = self.copy / span["file_name"]
        if not path.is_file():
            return set()
        lines, open_, found = path.read_text().split("\n"), set(), set()
        for number, line in enumerate(lines[: span["line_end"]], 1):
            open_ |= set(map(int, re.findall(r"/\*M(\d+)\*/", line)))
            if number >= span["line_start"]:
                found |= open_
            open_ -= set(map(int, re.findall(r"/\*E(\d+)\*/", line)))
        return found

    def built(self, what: list) -> set:
        """Builds the test programs, each with its working folder; returns the mutants that do not compile."""
        command = ["cargo", *what, "--message-format=json", "--workspace", "--features", "dewar/redis"]
        built = subprocess.run(command, cwd=self.copy, env=environment(), capture_output=True, text=True)
        self.programs, bad, other = {}, set(), []
        for part in map(json.loads, built.stdout.splitlines()):
            message = part.get("message") or {}
            if message.get("level") == "error" and message.get("spans"):
                spans = message["spans"] + [span for child in message.get("children", []) for span in child.get("spans", [])]
                numbers = set().union(*map(self.near, spans))
                bad |= numbers
                if not numbers:
                    other.append(message["rendered"])
            if part.get("executable") and part["profile"]["test"]:
                package = pathlib.Path(part["manifest_path"]).parent.name
                name = {"dewar lib": "unit", "dewar it": "integration", "portal it": "attacks"}.get(
                    f"{package} {'it' if part['target']['name'] == 'it' else 'lib'}"
                )
                self.programs[name] = (part["executable"], self.copy / package)
        if built.returncode and not bad:
            sys.exit("it does not compile, and no mutant is named:\n" + "\n".join(other)[:4000] + built.stderr[-2000:])
        if not bad and what[0] == "test":
            self.programs = {name: self.programs[name] for name in PROGRAMS if name in self.programs}
            if not self.asked <= self.programs.keys():
                sys.exit(f"of the programs of {', '.join(self.asked)} there are {', '.join(self.programs)}")
        return bad

    def keep(self, mutant: dict, outcome: str, by: str) -> None:
        result = {key: mutant[key] for key in ("key", "room", "of", "name")}
        # The result of the first run says more about other mutants than a result after tests for these were added.
        before = self.known.get(mutant["key"], {})
        first, tree = before.get("first", ""), before.get("tree", "") or self.tree
        if outcome in ("caught", "missed") and tree == self.tree and first != "caught":
            first = outcome
        result |= {"outcome": outcome, "first": first, "by": by, "date": datetime.date.today().isoformat(), "tree": tree}
        with self.lock:
            self.known[mutant["key"]] = result
            with self.results.open("a") as file:
                file.write(json.dumps(result) + "\n")

    # The table

    def table(self) -> str:
        rows, accepted, open_ = [], [], []
        for room in ROOMS:
            results = [result for result in self.known.values() if result["room"] == room and result["outcome"] != "unviable"]
            if not results:
                rows.append(f"| `{room}` | | 0 | | | | | | | not run |")
                continue
            caught, missed, left = (
                [result for result in results if result["outcome"] == outcome] for outcome in ("caught", "missed", "left")
            )
            known = [result for result in missed if result["key"] in self.reasons]
            accepted += [(result, self.reasons[result["key"]]) for result in known]
            open_ += [result for result in missed if result["key"] not in self.reasons]
            most, last = max(result["of"] for result in results), max(result["date"] for result in results)
            # A share of only the tried mutants is marked: the others may be the harder ones.
            asked = [result for result in results if result["outcome"] != "left" and result not in known]
            first = [result for result in asked if result["first"] == "caught"]
            numbers = [most, len(results), len(caught), len(known), len(missed) - len(known), len(left)]
            shares = [f"{100 * len(some) / len(asked):.0f} %" if asked else "" for some in (first, caught)]
            rows.append(f"| `{room}` | " + " | ".join(map(str, [*numbers, *shares, last])) + " |")
        text = "| room | mutants | sample | caught | accepted | missed | not asked yet | caught at first | caught now | date |\n"
        text += "|---|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
        if accepted:
            text += "\nAccepted, because nothing is weaker by it:\n\n"
            text += "".join(f"- `{result['name']}`: {reason}\n" for result, reason in accepted)
        if open_:
            text += "\nMissed, and to be looked at:\n\n" + "".join(f"- `{result['name']}` ({result['by']})\n" for result in open_)
        return text

    def write_page(self) -> None:
        page = self.root / "docs" / "mutants.md"
        begin, end = "<!-- the table of checks/mutants -->\n", "<!-- its end -->\n"
        before, rest = page.read_text().split(begin, 1)
        _, after = rest.split(end, 1)
        page.write_text(before + begin + "\n" + self.table() + "\n" + end + after)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("rooms", nargs="*")
    parser.add_argument("--each", type=int, default=40, help="how many of a room; 0 is all of them")
    parser.add_argument("--again", action="store_true", help="ask once more about those that were missed")
    parser.add_argument("--ask", default="unit,integration,attacks", help="which tests are asked, in which order")
    parser.add_argument("--judges", type=int, default=1, help="how many mutants are run at a time")
    parser.add_argument("--most", type=float, default=60, help="how many seconds of each kind of tests are asked about a mutant")
    parser.add_argument("--minutes", type=float, default=24 * 60)
    parser.add_argument("--copy", help="where the copy is, with its target directory; under target/mutants otherwise")
    parser.add_argument("--build", action="store_true", help="build the sample, and run nothing")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_intermixed_args()
    unknown = [room for room in given.rooms if room not in ROOMS]
    if unknown:
        sys.exit(f"no room is called {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    mutants = Mutants(given)
    if not given.table:
        mutants.run()
    mutants.write_page()


if __name__ == "__main__":
    main()
