"""Runs a sample of cargo-mutants' mutants of each room, in a copy of the tree, against that room's tests first.

Every mutant of the sample is built into one program, behind a number in the environment: one build instead of hundreds,
and a run of the tests for each. What cannot be written so (the operators inside of longer expressions, constant functions)
is counted as not tried. A mutant is `caught` by the room's unit tests, by its integration tests, or by the portal's attacks
on it, whichever comes first; `missed` where none of the three sees it.
"""

import argparse
import datetime
import fnmatch
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

# The files of each room that protect something. A file that only draws, says or lists is not among them.
ROOMS = {
    "csrf": ["gate.rs", "rule.rs", "token.rs", "signed.rs", "taken.rs", "delivery.rs"],
    "roles": ["guard.rs", "access.rs", "scoped.rs"],
    "sessions": ["cookie.rs", "ending.rs", "handle.rs", "principal.rs", "record.rs", "session.rs", "store/database.rs"],
    "secrets": ["file.rs", "keys/*.rs", "keys.rs", "source.rs", "quality.rs", "seal*.rs"],
    "accounts": ["throttle.rs", "link.rs", "password.rs", "buckets.rs", "changing.rs", "entering.rs", "joining.rs"],
    "audit": ["log/chain.rs", "log/verify.rs", "log/tail.rs", "plain.rs", "owner_only.rs"],
    "https": ["strict.rs", "hosts.rs", "seats.rs", "address.rs", "frames.rs", "body.rs", "redirect.rs", "proxy/*.rs"],
    "forms": ["reader.rs", "received.rs", "urlencoded.rs", "multipart.rs", "json.rs", "rows.rs", "hidden.rs"],
    "pages": ["escape/*.rs", "markup.rs", "redirect.rs", "foreign.rs"],
    "uploads": ["recognise.rs", "examine.rs", "scan.rs", "archive.rs", "pdf.rs", "disposition.rs", "name.rs"],
    "database": ["limits.rs", "literal.rs", "sealed.rs", "tx.rs"],
    "dependencies": ["checks.rs", "parts.rs"],
}
SEED = 20261127
# Tests that a mutant makes endless are ended, and have seen it.
ENDLESS = 300
# Which mutant a program is; read once.
SWITCH = """
pub(crate) fn is(number: u32) -> bool {
    static NUMBER: std::sync::LazyLock<Option<u32>> = std::sync::LazyLock::new(|| {
        std::env::var_os("DEWAR_MUTANT_OF_A_CHECK")?.to_str()?.parse().ok()
    });
    *NUMBER == Some(number)
}
"""
# A side of a comparison that is whole as it stands: a path, a field, a call without blanks, a number, a text.
SIDE = r"[&*]*[A-Za-z_0-9][\w.:']*(?:\([\w.:&*']*\))?(?:\.[\w]+(?:\([\w.:&*']*\))?)*|'.'|b'.'|\"[^\"]*\""
BEFORE = re.compile(rf"(?:^|[({{,|]|\bif|&&|\|\||=|=>|\breturn)\s*(?P<side>{SIDE})\s*$")
AFTER = re.compile(rf"^\s*(?P<side>{SIDE})(?=\s*(?:$|[)}},;{{]|&&|\|\||=>))")


class Mutants:
    def __init__(self, given) -> None:
        self.root, self.given = given.root, given
        self.copy = pathlib.Path(given.copy or given.root / "target" / "mutants" / "tree").resolve()
        self.results = self.root / "checks" / "mutants.jsonl"
        self.known = {}
        if self.results.exists():
            for line in self.results.read_text().splitlines():
                result = json.loads(line)
                self.known[result["key"]] = result

    def prepare(self) -> None:
        """A copy of what is committed: the tree that is being edited stays as it is."""
        self.copy.mkdir(parents=True, exist_ok=True)
        for entry in self.copy.iterdir():
            if entry.name != "target":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=self.root, stdout=subprocess.PIPE)
        # Unpacked files are as old as their commit; cargo goes by age, so they are touched.
        subprocess.run(["tar", "x", "-m", "-C", self.copy], stdin=archive.stdout, check=True)
        archive.wait()
        self.originals = {}

    def listed(self, room: str) -> list:
        wanted = [f"dewar/src/{room}/{name}" for name in ROOMS[room]]
        command = ["cargo", "mutants", "--list", "--json", "--no-config", "-d", str(self.copy)]
        for name in wanted:
            command += ["-f", name]
        listed = subprocess.run(command, cwd=self.copy, capture_output=True, text=True, check=True)
        mutants = [mutant for mutant in json.loads(listed.stdout) if any(fnmatch.fnmatch(mutant["file"], name) for name in wanted)]
        seen = {}
        for mutant in mutants:
            # What a mutant is called has its line in it, which moves; what it does, and the how many-th it is, does not.
            told = mutant["file"] + re.sub(r"^\S+: ", " ", mutant["name"])
            seen[told] = seen.get(told, 0) + 1
            mutant["key"] = hashlib.sha256(f"{told} {seen[told]}".encode()).hexdigest()[:16]
            mutant["room"] = room
        return mutants

    def run(self) -> None:
        self.prepare()
        sample = []
        for room in self.given.rooms or ROOMS:
            mutants = self.listed(room)
            can = [mutant for mutant in mutants if self.written(mutant, 0)]
            random.Random(f"{SEED} {room}").shuffle(can)
            drawn = can[: self.given.each] if self.given.each else can
            for mutant in drawn:
                mutant["of"] = len(mutants)
            sample += drawn
            print(f"{room}: {len(mutants)} mutants, {len(can)} can be built together, a sample of {len(drawn)}", flush=True)
        sample = [mutant for mutant in sample if mutant["key"] not in self.known]
        sample = self.build(sample)
        end = time.monotonic() + self.given.minutes * 60
        rooms = list(dict.fromkeys(mutant["room"] for mutant in sample))
        for room in rooms:
            for name in self.programs:
                began = time.monotonic()
                if self.tests(name, room, None) != "passed":
                    sys.exit(f"{room}: its {name} tests fail without any change")
                print(f"{room}: {name} passes without a change, {time.monotonic() - began:.0f} s", flush=True)
        # A little of every room first: whenever it is ended, each has been looked at.
        turns = [[mutant for mutant in sample if mutant["room"] == room] for room in rooms]
        while any(turns):
            for turn in turns:
                if turn:
                    if time.monotonic() > end:
                        print("the time is over; the next run goes on here", flush=True)
                        return
                    self.judge(turn.pop(0))

    # The build

    def written(self, mutant: dict, number: int):
        """The place, and what comes there, so that the program is this mutant when it is told its number."""
        text = self.lines(mutant["file"])
        start, end = mutant["span"]["start"], mutant["span"]["end"]
        line = text[start["line"] - 1]
        told = f"crate::mutants::is({number})"
        if mutant["genre"] == "FnValue":
            # The end of the line is the mutant's own, so that an error of the compiler names it.
            return start["line"], start["column"], start["column"], f"if {told} {{ return {mutant['replacement']}; }} /*M{number}*/\n"
        if start["line"] != end["line"]:
            return None
        inside = line[start["column"] - 1 : end["column"] - 1]
        if mutant["genre"] == "MatchArmGuard" and " let " not in f" {inside}":
            new = f"({told} || ({inside}))" if mutant["replacement"] == "true" else f"(!{told} && ({inside}))"
            return start["line"], start["column"], end["column"], f"\n/*M{number}*/ {new}\n"
        if mutant["genre"] == "BinaryOperator" and inside in ("==", "!=", "<", ">", "<=", ">="):
            before, after = BEFORE.search(line[: start["column"] - 1]), AFTER.search(line[end["column"] - 1 :])
            if before and after:
                left, right = before.group("side"), after.group("side")
                new = f"(if {told} {{ {left} {mutant['replacement']} {right} }} else {{ {left} {inside} {right} }})"
                return start["line"], before.start("side") + 1, end["column"] + after.end("side"), f"\n/*M{number}*/ {new}\n"
        return None

    def lines(self, file: str) -> list:
        if file not in self.originals:
            self.originals[file] = (self.copy / file).read_text().split("\n")
        return self.originals[file]

    def build(self, sample: list) -> list:
        (self.copy / "dewar/src/mutants.rs").write_text("//! Which mutant this is." + SWITCH)
        library = self.copy / "dewar/src/lib.rs"
        library.write_text(library.read_text() + "\nmod mutants;\n")
        for number, mutant in enumerate(sample, 1):
            mutant["number"] = number
        while True:
            hidden = self.write(sample)
            sample = [mutant for mutant in sample if mutant["number"] not in hidden]
            print(f"{len(sample)} mutants are built into one program", flush=True)
            bad = self.broken()
            if not bad:
                break
            for mutant in sample:
                if mutant["number"] in bad:
                    self.keep(mutant, "unviable", "")
            sample = [mutant for mutant in sample if mutant["number"] not in bad]
        self.programs = self.built()
        return sample

    def write(self, sample: list) -> set:
        files, hidden = {}, set()
        for mutant in sample:
            line, start, end, new = self.written(mutant, mutant["number"])
            files.setdefault(mutant["file"], {}).setdefault(line, []).append((start, end, new, mutant["number"]))
        for file, lines in self.originals.items():
            text = list(lines)
            for line, changes in files.get(file, {}).items():
                old, taken = text[line - 1], len(text[line - 1]) + 1
                for start, end, new, number in sorted(changes, reverse=True):
                    # Two of one place: one of them has to wait for another run.
                    if end > taken and start != end:
                        hidden.add(number)
                        continue
                    old, taken = old[: start - 1] + new + old[end - 1 :], start
                text[line - 1] = old
            path = self.copy / file
            if path.read_text() != "\n".join(text):
                path.write_text("\n".join(text))
        return hidden

    def broken(self) -> set:
        command = ["cargo", "check", "--quiet", "--message-format=json", "-p", "dewar", "--lib"]
        told = subprocess.run(command, cwd=self.copy, env=self.environment(), capture_output=True, text=True)
        bad, other = set(), []
        for line in told.stdout.splitlines():
            message = json.loads(line).get("message") or {}
            if message.get("level") != "error" or not message.get("spans"):
                continue
            numbers = {number for span in message["spans"] for number in self.near(span)}
            bad |= {int(number) for number in numbers}
            if not numbers:
                other.append(message["rendered"])
        if told.returncode and not bad:
            sys.exit("it does not compile, and no mutant is named:\n" + "\n".join(other)[:4000] + told.stderr[-2000:])
        return bad

    def near(self, span: dict) -> list:
        """The mutants that stand where an error is, or on the line before, where it is said of what follows them."""
        if not (self.copy / span["file_name"]).is_file():
            return []
        text = (self.copy / span["file_name"]).read_text().split("\n")
        here = "\n".join(text[span["line_start"] - 1 : span["line_end"]])
        found = re.findall(r"/\*M(\d+)\*/", here)
        return found or re.findall(r"/\*M(\d+)\*/", text[span["line_start"] - 2])

    def built(self) -> dict:
        """The programs of the tests, each with the folder that it is run in."""
        command = ["cargo", "test", "--no-run", "--quiet", "--message-format=json", "-p", "dewar", "-p", "portal", "--lib", "--test", "it"]
        built = subprocess.run(command, cwd=self.copy, env=self.environment(), stdout=subprocess.PIPE, text=True)
        if built.returncode:
            sys.exit("the tests do not compile")
        programs = {}
        for part in map(json.loads, built.stdout.splitlines()):
            if part.get("executable") and part["profile"]["test"]:
                package = pathlib.Path(part["manifest_path"]).parent.name
                name = {"dewar lib": "unit", "dewar it": "integration", "portal it": "attacks"}.get(
                    f"{package} {'it' if part['target']['name'] == 'it' else 'lib'}"
                )
                programs[name] = (part["executable"], self.copy / package)
        return {name: programs[name] for name in ("unit", "integration", "attacks")}

    def environment(self) -> dict:
        return {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"} | {"CARGO_INCREMENTAL": "1"}

    # The runs

    def tests(self, name: str, room: str, number) -> str:
        program, folder = self.programs[name]
        environment = self.environment()
        environment["CARGO_MANIFEST_DIR"] = str(folder)
        if number is not None:
            environment["DEWAR_MUTANT_OF_A_CHECK"] = str(number)
        wanted = f"attacks::{room}" if name == "attacks" else f"{room}::"
        process = subprocess.Popen(
            [program, wanted, "--skip", "measured"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return "failed" if process.wait(ENDLESS if number is not None else None) else "passed"
        except subprocess.TimeoutExpired:
            return "endless"
        finally:
            # Whatever it began, of its own session alone.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def judge(self, mutant: dict) -> None:
        began, by, outcome = time.monotonic(), "", "missed"
        for name in self.programs:
            seen = self.tests(name, mutant["room"], mutant["number"])
            if seen != "passed":
                by, outcome = name if seen == "failed" else f"{name}, endless", "caught"
                break
        self.keep(mutant, outcome, by)
        print(f"{outcome:7} {by:12} {time.monotonic() - began:5.0f} s  {mutant['name']}", flush=True)

    def keep(self, mutant: dict, outcome: str, by: str) -> None:
        result = {key: mutant[key] for key in ("key", "room", "of", "name")}
        result |= {"outcome": outcome, "by": by, "date": datetime.date.today().isoformat()}
        self.known[mutant["key"]] = result
        with self.results.open("a") as file:
            file.write(json.dumps(result) + "\n")

    # The table

    def table(self) -> str:
        accepted_file = self.root / "checks" / "mutants.accepted"
        reasons = dict(line.split("\t", 1) for line in accepted_file.read_text().splitlines() if "\t" in line)
        rows, accepted, open_ = [], [], []
        for room in ROOMS:
            results = [result for result in self.known.values() if result["room"] == room and result["outcome"] != "unviable"]
            if not results:
                rows.append(f"| `{room}` | | 0 | | | | not run |")
                continue
            caught = [result for result in results if result["outcome"] == "caught"]
            missed = [result for result in results if result["outcome"] == "missed"]
            known = [result for result in missed if result["key"] in reasons]
            accepted += [(result, reasons[result["key"]]) for result in known]
            open_ += [result for result in missed if result["key"] not in reasons]
            most, last = max(result["of"] for result in results), max(result["date"] for result in results)
            rows.append(f"| `{room}` | {most} | {len(results)} | {len(caught)} | {len(missed) - len(known)} | {len(known)} | {last} |")
        text = "| room | mutants | sample | caught | missed | accepted | date |\n|---|---|---|---|---|---|---|\n"
        text += "\n".join(rows) + "\n"
        if accepted:
            text += "\nAccepted, because nothing is weaker by it:\n\n"
            text += "".join(f"- `{result['name']}`: {reason}\n" for result, reason in accepted)
        if open_:
            text += "\nMissed, and to be looked at:\n\n" + "".join(f"- `{result['name']}`\n" for result in open_)
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
    parser.add_argument("--minutes", type=float, default=24 * 60)
    parser.add_argument("--copy", help="where the copy is, with its target directory; under target/mutants otherwise")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    unknown = [room for room in given.rooms if room not in ROOMS]
    if unknown:
        sys.exit(f"no room is called {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    mutants = Mutants(given)
    if not given.table:
        mutants.run()
    mutants.write_page()


if __name__ == "__main__":
    main()
