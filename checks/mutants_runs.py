"""Runs the tests of a program with many mutants: each test once by itself, to record the mutants that it reaches; then, for
each mutant, the tests that reach it."""

import json
import os
import pathlib
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

# In the order of the runs.
PROGRAMS = ("unit", "integration", "attacks")
# If a mutant makes tests endless, they are killed after TIMES their usual duration and ENDLESS more seconds.
ENDLESS, TIMES = 20, 10
# One process runs so many seconds of tests, the quickest first, and ends with its first failure.
TOGETHER = 3
# A test that reaches more than this share of all reached mutants comes after the others.
WIDE = 0.4
# A mutant may make a test allocate without end.
MOST_MEMORY = 4 << 30


def environment() -> dict:
    """The environment of builds and runs, in which a failing test writes no files."""
    kept = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    return kept | {"CARGO_INCREMENTAL": "1", "INSTA_UPDATE": "no", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1"}


def bound() -> None:
    # Not RLIMIT_AS: a browser reserves more address space than the machine has memory, and never writes to it.
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))


def beside(file: str) -> str:
    """The module of a file: `dewar/src/forms/url.rs` is `forms::url::`."""
    return file.removeprefix("dewar/src/").removesuffix(".rs").removesuffix("/mod").replace("/", "::") + "::"


def near_by(name: str, mutant: dict):
    """The beginning of the names of the tests that run first."""
    room = mutant["room"]
    if name == "unit":
        return beside(mutant["file"])
    if name == "integration":
        return f"{room}::"
    return ("commands::", "administration::") if room == "app" else f"attacks::{room}"


class Runs:
    def __init__(self, programs: dict, store: pathlib.Path, given) -> None:
        self.programs, self.store, self.given = programs, store, given
        self.asked = [name for name in PROGRAMS if name in given.ask.split(",")]
        self.reached, self.wide = {}, set()

    # Which test reaches which mutants

    def reach(self) -> None:
        """Runs each test of the selected programs, unless the programs are the same as the last time."""
        stored = json.loads(self.store.read_text()) if self.store.exists() else {}
        for name in self.asked:
            made = os.stat(self.programs[name][0])
            program = [str(self.programs[name][0]), made.st_mtime_ns, made.st_size]
            if stored.get(name, {}).get("program") != program:
                stored[name] = {"program": program} | self.reach_of(name)
                self.store.write_text(json.dumps(stored))
            self.reached[name] = {test: (took, set(numbers)) for test, (took, numbers) in stored[name]["tests"].items()}
            for test in stored[name]["fail"]:
                print(f"{name}: {test} fails without any change, and is not asked", flush=True)
        all_ = set().union(*(numbers for tests in self.reached.values() for _, numbers in tests.values()))
        for tests in self.reached.values():
            self.wide |= {test for test, (_, numbers) in tests.items() if len(numbers) > WIDE * len(all_)}
        print(f"{len(all_)} mutants are reached by a test", flush=True)

    def reach_of(self, name: str) -> dict:
        program, folder = self.programs[name]
        told = [
            subprocess.run([program, "--list", "--format", "terse", *more], cwd=folder, capture_output=True, text=True, check=True)
            for more in ([], ["--ignored"])
        ]
        all_, ignored = ({line.removesuffix(": test") for line in one.stdout.splitlines() if line.endswith(": test")} for one in told)
        turns = sorted(test for test in all_ - ignored if "measured" not in test and "does_not_compile" not in test)
        count, began, found, fail = len(turns), time.monotonic(), {}, []

        def work() -> None:
            while turns:
                try:
                    test = turns.pop()
                except IndexError:
                    return
                with tempfile.TemporaryDirectory() as kept:
                    start = time.monotonic()
                    seen, _ = self.once(name, [test], None, 600, kept)
                    if seen != "passed":
                        start = time.monotonic()
                        seen, _ = self.once(name, [test], None, 600, kept)
                    took = time.monotonic() - start
                    numbers = set()
                    for file in pathlib.Path(kept).iterdir():
                        content = file.read_bytes()
                        numbers |= {number for (number,) in struct.iter_unpack("<I", content[: len(content) // 4 * 4])}
                if seen == "passed":
                    found[test] = (round(took, 3), sorted(numbers))
                else:
                    fail.append(test)

        workers = [threading.Thread(target=work) for _ in range(self.given.judges + 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if not found:
            sys.exit(f"without any change, all {name} tests fail")
        print(f"{name}: {count} tests were asked what they reach, in {time.monotonic() - began:.0f} s", flush=True)
        return {"tests": found, "fail": sorted(fail)}

    # What a mutant's tests say

    def judge(self, mutant: dict):
        """`caught` or `missed`, and the test that caught it or the reason."""
        number, of_all, reached, left = mutant["number"], 0, 0, 0
        for name in self.asked:
            tests = self.reached[name]
            near = near_by(name, mutant)
            those = [test for test in tests if number in tests[test][1]]
            those.sort(key=lambda test: (not test.startswith(near), test in self.wide, tests[test][0]))
            reached += len(those)
            spent = 0
            while those:
                took, batch = 0, []
                # The unit tests of the same file are not mixed with others: they catch most mutants, and fast.
                is_near = those[0].startswith(near)
                while those and (not batch or (took + tests[those[0]][0] < TOGETHER and those[0].startswith(near) == is_near)):
                    took += tests[those[0]][0]
                    batch.append(those.pop(0))
                if spent + took > self.given.most and spent:
                    left += len(batch) + len(those)
                    break
                spent += took
                of_all += len(batch)
                seen, at = self.batch(name, batch, number, took)
                if seen != "passed":
                    return "caught", f"{name}: {at or seen}"
        if not reached:
            return "missed", "no test reaches it"
        return "missed", f"{of_all} tests reach it and pass" + (f", {left} slower ones were not asked" if left else "")

    def batch(self, name: str, tests: list, number: int, took: float):
        """Whether they passed, failed or were endless, and at which test.

        If a failed test passes when it runs again by itself, it caught nothing: the machine was busy."""
        tests = list(tests)
        while tests:
            seen, at = self.once(name, tests, number, took)
            if seen != "failed":
                return seen, at
            # Without a name, the program ended in the middle of a test.
            again = self.once(name, [at] if at else tests, number, took)
            if again[0] != "passed" or not at:
                return again
            tests.remove(at)
        return "passed", ""

    def once(self, name: str, tests: list, number, took: float, reached: str = ""):
        program, folder = self.programs[name]
        with_number = {} if number is None else {"MUTANT_OF_A_CHECK": str(number)}
        with_reach = {"MUTANTS_REACHED_OF_A_CHECK": reached} if reached else {}
        process = subprocess.Popen(
            [program, "--exact", *tests],
            cwd=folder,
            env=environment() | {"CARGO_MANIFEST_DIR": str(folder)} | with_number | with_reach,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=bound,
        )
        endless = threading.Event()

        def stop() -> None:
            # Kills all processes that it started, in its own session only.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        def tired() -> None:
            endless.set()
            stop()

        watch = threading.Timer(TIMES * took + ENDLESS, tired)
        watch.start()
        try:
            for line in process.stdout:
                if line.startswith("test ") and line.rstrip().endswith("FAILED"):
                    return "failed", line.split()[1]
                if line.startswith("test result:"):
                    break
            # Remaining child processes may hold the pipe, so this waits for the program itself.
            code = process.wait()
            return ("endless" if endless.is_set() else "failed" if code else "passed"), ""
        finally:
            watch.cancel()
            stop()
            process.wait()
