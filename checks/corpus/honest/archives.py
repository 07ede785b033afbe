"""Archives of the programs that pack files."""

import gzip
import io
import os
import tarfile
import zipfile

import sources
from corpus import node, run, temporary


def folder():
    """A folder with names in several scripts, an empty folder and a program's source."""
    root = temporary("pack/minutes.txt", "\n".join(sources.PARAGRAPHS)).parent
    for name, content in [("Grüße/Zürich.txt", "lake\n"), ("Grüße/東京.csv", "a,b\n"), ("lake.png", sources.encoded(sources.flat(60, 40), "PNG")), ("deep/a/b/c/d.txt", "x\n"), ("name with spaces.txt", "x"), ("empty.txt", "")]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (root / "nothing").mkdir(exist_ok=True)
    return root


def zips(group):
    root = folder()

    def put(name, path, program, how):
        group.put(f"zip/{name}.zip", path, program, how)
        if os.path.exists(str(path)):
            os.unlink(path)

    for name, options, how in [("info-zip", ["-r"], ""), ("info-zip-stored", ["-0", "-r"], ""), ("info-zip-no-extra", ["-X", "-r"], ""), ("info-zip-no-directories", ["-D", "-r"], ""), ("info-zip-9", ["-9", "-r"], ""), ("info-zip-text", ["-l", "-r"], "")]:
        out = temporary("i.zip")
        out.unlink(missing_ok=True)
        run("zip", "-q", *options, out, ".", cwd=root)
        put(name, out, "debian:zip", "zip " + " ".join(options))
    put("info-zip-stream", temporary("s.zip", run("zip", "-q", "-r", "-", ".", cwd=root)), "debian:zip", "zip -r - : data descriptors")
    put("info-zip-stdin", temporary("s.zip", run("zip", "-q", "-", "-", data=b"lake\n" * 99, cwd=root)), "debian:zip", "zip - - : one entry named -, zip64 extra fields")
    out = temporary("fz.zip")
    run("zip", "-q", "-fz", out, "minutes.txt", cwd=root)
    put("info-zip-forced-64", out, "debian:zip", "zip -fz: zip64 of a small file")
    out = temporary("c.zip")
    run("zip", "-q", "-z", out, "minutes.txt", data=b"Minutes of May\n.\n", cwd=root)
    put("info-zip-comment", out, "debian:zip", "zip -z: a comment of the archive")
    for name, options in [("7z", ["-mx=5"]), ("7z-stored", ["-mx=0"]), ("7z-utf8", ["-mcu=on"]), ("7z-max", ["-mx=9"])]:
        out = temporary("7.zip")
        run("7z", "a", "-tzip", *options, out, ".", cwd=root)
        put(f"{name}", out, "debian:p7zip-full", "7z a -tzip " + " ".join(options))
    run("bsdtar", "-c", "--format=zip", "-f", temporary("b.zip"), ".", cwd=root)
    put("bsdtar", temporary("b.zip"), "debian:libarchive-tools", "bsdtar --format=zip")
    for name, options in [("python-deflated", {"compression": zipfile.ZIP_DEFLATED}), ("python-stored", {}), ("python-bzip2", {"compression": zipfile.ZIP_BZIP2}), ("python-lzma", {"compression": zipfile.ZIP_LZMA})]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", **options) as packed:
            packed.writestr("minutes.txt", "lake\n" * 50)
            packed.writestr("Zürich.txt", "lake\n")
        if "bzip2" in name or "lzma" in name:
            continue  # documented: stored and deflated entries only
        group.put(f"zip/{name}.zip", out.getvalue(), "Python 3.11", f"zipfile, {name}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, packed.open("a.txt", "w", force_zip64=True) as entry:
        entry.write(b"lake\n")
    group.put("zip/python-zip64.zip", out.getvalue(), "Python 3.11", "zipfile, force_zip64")
    out = io.BytesIO()
    with zipfile.ZipFile(Unseekable(out), "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.txt", "lake\n" * 9)
        packed.writestr("b/c.txt", "lake\n" * 9)
    group.put("zip/python-stream.zip", out.getvalue(), "Python 3.11", "zipfile to a stream: data descriptors")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w"):
        pass
    group.put("zip/python-empty.zip", out.getvalue(), "Python 3.11", "an archive without entries")
    for name, script in [
        ("archiver", "const A=require('archiver');const Z=A.ZipArchive||(o=>A('zip',o));const a=A.ZipArchive?new A.ZipArchive({}):A('zip');a.pipe(process.stdout);a.append('lake',{name:'Zürich/a.txt'});a.append('x',{name:'b.txt'});a.finalize()"),
        ("jszip", "const J=require('jszip');const z=new J();z.file('Zürich/a.txt','lake');z.generateAsync({type:'nodebuffer',compression:'DEFLATE'}).then(b=>process.stdout.write(b))"),
        ("fflate", "const f=require('fflate');process.stdout.write(Buffer.from(f.zipSync({'a.txt':f.strToU8('lake'),'d':{'ü.txt':f.strToU8('x')}})))"),
    ]:
        group.put(f"zip/node-{name}.zip", node(script), f"npm:{name}", f"Node, {name}")
    run("perl", "-MArchive::Zip", "-e", "my $z=Archive::Zip->new();$z->addString('lake','a.txt');$z->addString('x','b/c.txt')->desiredCompressionMethod(8);$z->writeToFileNamed($ARGV[0])", temporary("p.zip"))
    put("perl-archive-zip", temporary("p.zip"), "debian:libarchive-zip-perl", "Archive::Zip")
    run("php", "-r", "$z=new ZipArchive();$z->open($argv[1],ZipArchive::CREATE);$z->addFromString('Zürich.txt','lake');$z->addEmptyDir('d');$z->close();", temporary("php.zip"))
    put("php-ziparchive", temporary("php.zip"), "debian:php-cli", "ZipArchive")
    run("ruby", "-rzip", "-e", "Zip::File.open(ARGV[0], (Zip::File::CREATE rescue true)) { |z| z.get_output_stream('a.txt') { |o| o.write 'lake' } }", temporary("r.zip"))
    put("rubyzip", temporary("r.zip"), "debian:ruby-zip", "rubyzip")
    run("advzip", "-q", "-a", "-3", temporary("adv.zip"), "minutes.txt", cwd=root)
    put("advzip", temporary("adv.zip"), "debian:advancecomp", "advzip -3")
    group.put("zip/cp437-names.zip", cp437(), "Python 3.11", "names in code page 437, as Windows Explorer writes")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.zip", zipped("a.txt", b"lake"))
        packed.writestr("letter.docx", open(next((group_folder() / "docx").glob("python-docx-plain.docx")), "rb").read())
    group.put("zip/archive-inside.zip", inner.getvalue(), "Python 3.11", "an archive and a document inside")
    mac = io.BytesIO()
    with zipfile.ZipFile(mac, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("lake.png", sources.encoded(sources.flat(9, 9), "PNG"))
        packed.writestr("__MACOSX/._lake.png", b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(40))
        packed.writestr(".DS_Store", b"\0\0\0\1Bud1" + bytes(40))
    group.put("zip/macos-finder.zip", mac.getvalue(), "Python 3.11", "with __MACOSX and .DS_Store, as the Finder packs")


def group_folder():
    from corpus import CORPUS
    return CORPUS / "honest"


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return out.getvalue()


def cp437() -> bytes:
    """zipfile writes UTF-8; an entry of Windows Explorer has the bytes of code page 437 and no flag."""
    content = zipped("Gr__e.txt", b"lake\n")
    return content.replace(b"Gr__e.txt", "Grüße.txt".encode("cp437"))


class Unseekable:
    def __init__(self, inner):
        self.inner = inner

    def write(self, data):
        return self.inner.write(data)

    def flush(self):
        pass


def tars(group):
    root = folder()
    for name, options in [("gnu", ["--format=gnu"]), ("ustar", ["--format=ustar"]), ("pax", ["--format=pax"]), ("v7", ["--format=v7"]), ("owner", ["--owner=0", "--group=0", "--numeric-owner", "--sort=name"])]:
        run("tar", *options, "-cf", temporary("t.tar"), ".", cwd=root)
        group.put(f"tar/gnu-tar-{name}.tar", temporary("t.tar"), "Debian's tar 1.34", "tar " + " ".join(options))
    long = root / ("long-" * 20) / ("name-" * 20 + ".txt")
    long.parent.mkdir(exist_ok=True)
    long.write_text("x")
    for name in ["gnu", "pax"]:
        run("tar", f"--format={name}", "-cf", temporary("t.tar"), "-C", root, long.relative_to(root))
        group.put(f"tar/gnu-tar-{name}-long-name.tar", temporary("t.tar"), "Debian's tar 1.34", f"--format={name}, a path of more than 100 bytes")
    for name in ["ustar", "pax", "gnutar"]:
        run("bsdtar", f"--format={name}", "-cf", temporary("b.tar"), "minutes.txt", "deep", cwd=root)
        group.put(f"tar/bsdtar-{name}.tar", temporary("b.tar"), "debian:libarchive-tools", f"bsdtar --format={name}")
    run("7z", "a", "-ttar", temporary("7.tar"), "minutes.txt", cwd=root)
    group.put("tar/7z.tar", temporary("7.tar"), "debian:p7zip-full", "7z a -ttar")
    for name, form in [("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as packed:
            packed.add(root / "minutes.txt", "Zürich/minutes.txt")
        group.put(f"tar/python-{name}.tar", out.getvalue(), "Python 3.11", f"tarfile, {name}")
    for name, extension, options in [("gnu", "tar.gz", ["-z"]), ("gnu-best", "tgz", ["-I", "gzip -9n"]), ("pigz", "tgz", ["-I", "pigz -p2"])]:
        run("tar", *options, "-cf", temporary("t.tgz"), "minutes.txt", "deep", cwd=root)
        group.put(f"gzip/tar-{name}.{extension}", temporary("t.tgz"), "Debian's tar 1.34", "tar " + " ".join(options))
    plain = ("\n".join(sources.PARAGRAPHS)).encode()
    path = temporary("minutes.txt", plain)
    for name, command, program in [("gzip", ["gzip", "-c"], "Debian's gzip 1.12"), ("gzip-no-name", ["gzip", "-n9c"], "Debian's gzip 1.12"), ("pigz", ["pigz", "-c"], "debian:pigz"), ("pigz-zopfli", ["pigz", "-11", "-c"], "debian:pigz"), ("zopfli", ["zopfli", "-c"], "debian:zopfli")]:
        group.put(f"gzip/{name}.txt.gz", run(*command, path), program, " ".join(command))
    run("7z", "a", "-tgzip", temporary("7.gz"), path)
    group.put("gzip/7z.txt.gz", temporary("7.gz"), "debian:p7zip-full", "7z a -tgzip")
    group.put("gzip/python.csv.gz", gzip.compress(b"a,b\n1,2\n"), "Python 3.11", "gzip.compress")
    group.put("gzip/concatenated.txt.gz", gzip.compress(b"one\n") + gzip.compress(b"two\n"), "Python 3.11", "two members, as logs have that were joined")


ALL = [zips, tars]
