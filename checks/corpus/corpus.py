"""The folder of the corpus: puts a file at its place and writes its row of the manifest."""

import csv
import functools
import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "dewar" / "tests" / "corpus"
NODE = pathlib.Path(os.environ.get("CORPUS_NODE", "/tmp/corpus-node"))
WORK = pathlib.Path(tempfile.mkdtemp(prefix="corpus-"))

HEADS = {
    "honest": ["file", "program", "how"],
    "hostile": ["file", "rejection", "rule", "what"],
}


@functools.cache
def version(program: str) -> str:
    """The version of `debian:NAME`, `pypi:NAME`, `npm:NAME`, or the text itself."""
    source, _, name = program.partition(":")
    match source:
        case "debian":
            out = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True)
            if out.returncode != 0:
                raise SystemExit(f"the Debian package {name} is missing: run checks/corpus/packages")
            return f"{name} {out.stdout.split('-')[0]}"
        case "pypi":
            return f"{name} {importlib.metadata.version(name)}"
        case "npm":
            package = json.loads((NODE / "node_modules" / name / "package.json").read_text())
            return f"{name} {package['version']}"
        case _:
            return program


class Group:
    """The files of one module, honest or hostile. What the module no longer makes is deleted."""

    def __init__(self, side: str, name: str):
        self.side, self.name, self.rows, self.failed = side, name, {}, []

    def put(self, path: str, content, program: str, how: str):
        """Keeps `content`, bytes or the path of a file, as an honest file made by `program`."""
        self._write(path, content, [version(program), how])

    def hostile(self, path: str, content, rejection: str, rule: str, what: str):
        """Keeps a hostile file with the rejections that are right for it, and the rule that it breaks."""
        self._write(path, content, [rejection, rule, what])

    def _write(self, path: str, content, fields: list):
        if path in self.rows:
            raise SystemExit(f"{path} is made twice")
        if isinstance(content, (str, pathlib.Path)):
            content = pathlib.Path(content).read_bytes()
        if not content:
            raise SystemExit(f"{path} is empty")
        place = CORPUS / self.side / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        self.rows[path] = [path] + [" ".join(field.split()) for field in fields]

    def done(self):
        manifest = CORPUS / self.side / f"{self.name}.tsv"
        before = [row[0] for row in read(manifest)]
        for path in set(before) - set(self.rows):
            (CORPUS / self.side / path).unlink(missing_ok=True)
        with manifest.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
            writer.writerow(HEADS[self.side])
            writer.writerows(self.rows[path] for path in sorted(self.rows))
        size = sum((CORPUS / self.side / path).stat().st_size for path in self.rows)
        print(f"{self.side} {self.name}: {len(self.rows)} files, {size / 1000:.0f} kB")


def read(manifest: pathlib.Path) -> list:
    if not manifest.exists():
        return []
    with manifest.open(newline="", encoding="utf-8") as rows:
        return list(csv.reader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def run(*command, data=None, cwd=None, env=None, allowed=(0,)) -> bytes:
    """Runs a program of the machine at low priority and returns its output."""
    command = ["nice", *map(str, command)]
    done = subprocess.run(command, input=data, capture_output=True, cwd=cwd or WORK, env={**os.environ, **(env or {})})
    if done.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')[-2000:]}")
    return done.stdout


def temporary(name: str, content=None) -> pathlib.Path:
    """A path in the working folder, with this content if any."""
    path = WORK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def office(target: str, files: list, filter_options: str = "") -> pathlib.Path:
    """Converts all files in one call of LibreOffice, and returns the folder of the results."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    wanted = f"{target}:{filter_options}" if filter_options else target
    profile = f"-env:UserInstallation=file://{WORK}/profile"
    run("soffice", profile, "--headless", "--convert-to", wanted, "--outdir", folder, *files)
    return folder


def chromium(page: str, *options) -> bytes:
    """The PDF that Chromium prints of this HTML."""
    html, out = temporary("page.html", page), temporary("page.pdf")
    run("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={WORK}/chromium",
        "--no-pdf-header-footer", *options, f"--print-to-pdf={out}", html.as_uri())
    return out.read_bytes()


def node(script: str, *arguments) -> bytes:
    """The standard output of a script for Node with the packages of checks/corpus/packages."""
    path = NODE / "script.cjs"
    path.write_text(script)
    return run("node", path, *arguments, cwd=NODE)


def clean():
    shutil.rmtree(WORK, ignore_errors=True)
