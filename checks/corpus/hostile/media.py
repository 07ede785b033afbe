"""Sound and films that lie, swell or hide."""

import struct

from corpus import CORPUS
from hostile.archives_lib import of
from hostile.pictures import box

LIES = "ASVS V5.2.2, CWE-20"
RUNS = "ASVS V5.2.2, CWE-434"
WORDS = "damaged|trailing_data|unknown_kind|bomb"
SCRIPT = b"<script>alert(1)</script>"
ZIP = of({"a.html": SCRIPT, "A.class": b"\xca\xfe\xba\xbe"})


def honest(path: str) -> bytes:
    return (CORPUS / "honest" / path).read_bytes()


def every(group):
    for path, extension in [("mp3/ffmpeg-no-tags.mp3", "mp3"), ("wav/sox-8-bit.wav", "wav"), ("flac/flac.flac", "flac"), ("ogg/oggenc.ogg", "ogg"), ("m4a/ffmpeg-aac.m4a", "m4a"), ("mp4/ffmpeg-h264.mp4", "mp4"), ("mov/ffmpeg.mov", "mov"), ("webm/ffmpeg-vp8.webm", "webm"), ("mkv/ffmpeg.mkv", "mkv")]:
        folder, content = path.split("/")[0], honest(path)

        def put(name, changed, what, words=WORDS, rule=RUNS, folder=folder, extension=extension):
            group.hostile(f"{folder}/{name}.{extension}", changed, words, rule, what)

        put("script-after", content + SCRIPT, "a script after the end")
        put("zip-after", content + ZIP, "an archive after the end")
        put("program-after", content + b"MZ" + bytes(300), "a program after the end")
        put("page-before", b"<!doctype html>" + SCRIPT + content, "a page before the first byte", "unknown_kind|damaged|extension_disagrees|page")
        put("page", b"<!doctype html>" + SCRIPT, "a page under this name", "unknown_kind|damaged|extension_disagrees|page")
        put("program", b"MZ\x90\0" + bytes(200), "a program under this name", "unknown_kind|damaged|extension_disagrees")
        put("only-head", content[:16], "the first 16 bytes", rule=LIES, words=WORDS + "|extension_disagrees")
        put("head-and-page", content[:12] + b"<html>" + SCRIPT * 30, "a page after the first 12 bytes", words=WORDS + "|extension_disagrees")


def boxes(group):
    for folder, brand in [("mp4", b"isom"), ("mov", b"qt  "), ("m4a", b"M4A ")]:
        head = box(b"ftyp", brand + bytes(4) + brand)

        def put(name, content, what, rule=LIES, folder=folder):
            group.hostile(f"{folder}/{name}.{folder}", content, WORDS, rule, what)

        nested = b""
        for _ in range(5000):
            nested = box(b"moov", nested)
        put("nested", head + nested, "boxes nested 5,000 deep", "ASVS V5.2.3, CWE-674")
        put("size-huge", head + box(b"moov", b"", size=0x7FFFFFFF), "a box of 2 GiB")
        put("size-64", head + struct.pack(">I4sQ", 1, b"moov", 1 << 63), "a box of 2^63 bytes")
        put("size-small", head + box(b"moov", b"", size=3), "a box smaller than its head")
        put("no-index", head + box(b"mdat", SCRIPT * 10), "data without an index: a page inside", RUNS)
        put("free-page", head + box(b"free", b"<html>" + SCRIPT), "a page in a free box, and nothing else", RUNS)
        put("size-zero", head + box(b"free", SCRIPT * 9, size=0), "a free box that goes to the end", RUNS)


def others(group):
    group.hostile("mp3/id3-huge.mp3", b"ID3\3\0\0\x7f\x7f\x7f\x7f" + SCRIPT, WORDS, LIES, "a tag of 256 MiB that is not there")
    group.hostile("mp3/id3-only.mp3", b"ID3\3\0\0\0\0\x07\x68" + SCRIPT.ljust(1000, b" "), WORDS, RUNS, "a tag with a page, and no sound")
    group.hostile("mp3/html-tag.mp3", b"ID3\3\0\0\0\0\x01\x00" + b"<html>" + SCRIPT.ljust(122, b" ") + SCRIPT * 20, WORDS, RUNS, "a page as a tag, and another as sound")
    group.hostile("wav/size-lies.wav", b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\4\0\0\0abcd", WORDS, LIES, "a header that promises 2 GiB")
    group.hostile("wav/no-format.wav", b"RIFF\x10\0\0\0WAVEdata\4\0\0\0abcd", WORDS, LIES, "no format chunk")
    group.hostile("flac/block-huge.flac", b"fLaC\x81\xff\xff\xff" + SCRIPT, WORDS, LIES, "a block of 16 MiB that is not there")
    group.hostile("ogg/checksum.ogg", honest("ogg/oggenc.ogg")[:22] + bytes(4) + honest("ogg/oggenc.ogg")[26:], WORDS, "ASVS V5.2.2, CWE-354", "a wrong checksum of a page")
    group.hostile("ogg/page-between.ogg", honest("ogg/oggenc.ogg").replace(b"OggS", SCRIPT + b"OggS", 2).replace(SCRIPT, b"", 1), WORDS, RUNS, "a script between two pages")
    nested = b""
    for _ in range(3000):
        nested = b"\xae\x01" + len(nested).to_bytes(7, "big") + nested
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"
    group.hostile("mkv/nested.mkv", head + b"\x18\x53\x80\x67\x01" + len(nested).to_bytes(7, "big") + nested, WORDS, "ASVS V5.2.3, CWE-674", "elements nested 3,000 deep")
    group.hostile("mkv/size-huge.mkv", head + b"\x18\x53\x80\x67\x01\x7f\xff\xff\xff\xff\xff\xff", WORDS, LIES, "a segment of 2^55 bytes")
    group.hostile("mkv/void-page.mkv", head + b"\xec" + bytes([0x80 | 64]) + (b"<html>" + SCRIPT).ljust(64, b" "), WORDS, RUNS, "a page in a void element, and nothing else")
    group.hostile("webm/matroska.webm", honest("mkv/ffmpeg.mkv"), "extension_disagrees|unknown_kind|damaged", "ASVS V5.2.2, CWE-646", "Matroska under the name of WebM")


ALL = [every, boxes, others]
