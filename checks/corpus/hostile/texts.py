"""Texts that are pages, scripts or no texts, and files of two kinds at once."""

import struct
import zlib

import sources
from corpus import CORPUS
from hostile.archives_lib import archive, Entry, of

PAGE = "ASVS V3.2.1, CWE-79"
KIND = "ASVS V5.2.2, CWE-434"
BOTH = "ASVS V5.2.2, CWE-436"
PROGRAM = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48) + b"PE\0\0"


def texts(group):
    def put(name, content, words, rule, what):
        content = content if isinstance(content, bytes) else content.encode()
        group.hostile(f"text/{name}.txt", content, words, rule, what)
        group.hostile(f"text/{name}.csv", content, words, rule, what)

    html = "<!doctype html><script>alert(1)</script>"
    put("page", html, "page", PAGE, "a page")
    put("page-case", "<!DOCTYPE HtMl><SCRIPT>alert(1)</SCRIPT>", "page", PAGE, "a page in other letters")
    put("page-bom", "\ufeff" + html, "page", PAGE, "a page after a byte order mark")
    put("page-spaces", "\n \t" * 300 + html, "page", PAGE, "a page after 900 spaces")
    put("page-comment", "<!-- x -->\n<!-- y --!>" + html, "page", PAGE, "a page after comments")
    put("page-xml", "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>", "page", PAGE, "XHTML")
    put("page-utf-16", "\ufeff".encode("utf-16-le") + html.encode("utf-16-le"), "page|not_text", PAGE, "a page in UTF-16LE with a byte order mark")
    put("page-utf-16-be", b"\xfe\xff" + html.encode("utf-16-be"), "page|not_text", PAGE, "a page in UTF-16BE with a byte order mark")
    put("page-utf-16-no-bom", html.encode("utf-16-le"), "page|not_text|control_character", PAGE, "a page in UTF-16LE without a byte order mark")
    put("page-utf-32", html.encode("utf-32"), "page|not_text|control_character", PAGE, "a page in UTF-32")
    put("page-latin-1", (html + "é").encode("latin-1"), "page|not_text", PAGE, "a page in Latin-1")
    put("svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "page", PAGE, "a drawing")
    put("svg-prefix", "<?xml version='1.0'?><s:svg xmlns:s='http://www.w3.org/2000/svg' onload='alert(1)'/>", "page", PAGE, "a drawing under a prefix")
    put("script", "<script>alert(1)</script>", "page", PAGE, "a script element")
    put("iframe", "<iframe src=javascript:alert(1)>", "page", PAGE, "a frame")
    put("php", "<?php system($_GET['c']);", "page", KIND, "PHP")
    put("php-short", "<?= system($_GET['c']);", "page", KIND, "PHP, short")
    put("asp", "<%@ Page Language='C#' %>", "page", KIND, "ASP.NET")
    put("shell", "#!/bin/sh\nrm -rf ~\n", "page", KIND, "a shell script")
    put("env", "#! /usr/bin/env python3\nimport os\n", "page", KIND, "a Python script")
    put("nul", b"text\0more\n", "control_character|unknown_kind|not_text", KIND, "NUL")
    put("escape", "harmless\x1b[2J\x1b]0;title\x07\n", "control_character", "ASVS V5.2.2, CWE-150", "escape codes of a terminal")
    put("c1", "a\u009b2J", "control_character|not_text", "ASVS V5.2.2, CWE-150", "the control sequence introducer as one character")
    put("backspace", "password: secret\b\b\b\b\b\b******\n", "control_character", "ASVS V5.2.2, CWE-150", "backspaces that hide text")
    put("ctrl-z-hides", "DOS text\r\n\x1ahidden from DOS\r\n", "control_character", "ASVS V5.2.2, CWE-436", "text after Ctrl-Z")
    put("program", PROGRAM, "unknown_kind|control_character|not_text", KIND, "a program")
    put("elf", b"\x7fELF\2\1\1" + bytes(60), "unknown_kind|control_character|not_text", KIND, "a program of Linux")
    put("class", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(20), "unknown_kind|control_character|not_text", KIND, "a Java class")
    put("wasm", b"\0asm\1\0\0\0" + bytes(8), "unknown_kind|control_character|not_text", KIND, "WebAssembly")
    put("ole", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "unknown_kind|not_text|control_character|encrypted", KIND, "an old office file")
    put("zip", of({"a.txt": "x"}), "extension_disagrees|unknown_kind|control_character|not_text", "ASVS V5.2.2, CWE-646", "an archive")
    put("picture", sources.encoded(sources.flat(9, 9), "PNG"), "extension_disagrees|unknown_kind|not_text", "ASVS V5.2.2, CWE-646", "a picture")
    put("pdf", b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n", "extension_disagrees|unknown_kind", "ASVS V5.2.2, CWE-646", "a PDF of letters alone")
    put("pickle", b"\x80\4\x95\x1f\0\0\0\0\0\0\0\x8c\5posix\x8c\6system\x93\x8c\4calc\x85R.", "unknown_kind|control_character|not_text", KIND, "a pickle that runs a program")
    put("utf-8-broken", b"text \xc3\x28 \xf0\x28\x8c\x28 \x00", "not_text|control_character|unknown_kind", "ASVS V5.2.2, CWE-20", "broken UTF-8 with NUL")
    put("utf-8-overlong", b"\xc0\xbcscript\xc0\xbealert(1)\xc0\xbc/script\xc0\xbe\x00", "not_text|control_character|unknown_kind|page", "ASVS V5.2.2, CWE-20", "overlong UTF-8 with NUL")
    put("noncharacter", "a\ufffe\uffff", "control_character|not_text", "ASVS V5.2.2, CWE-20", "noncharacters")
    put("random", bytes(number * 167 % 256 for number in range(3000)), "not_text|control_character|unknown_kind", "ASVS V5.2.2, CWE-20", "bytes of no encoding")
    put("utf-16-odd", b"\xff\xfea\0b\0c", "not_text|control_character|unknown_kind", "ASVS V5.2.2, CWE-20", "UTF-16 with half a character")
    put("utf-16-nul", "a\0b\n".encode("utf-16"), "not_text|control_character|unknown_kind", "ASVS V5.2.2, CWE-20", "UTF-16 with a NUL")
    put("utf-16-surrogate", b"\xff\xfe\0\xd8a\0", "not_text|control_character|unknown_kind", "ASVS V5.2.2, CWE-20", "UTF-16 with half a pair")


def polyglots(group):
    """Files that one program reads as the one kind and another as the other."""
    def put(path, content, words, what, rule=BOTH):
        group.hostile(f"both/{path}", content, words, rule, what)

    png = sources.encoded(sources.flat(9, 9), "PNG")
    jpeg = sources.encoded(sources.flat(9, 9), "JPEG")
    gif = sources.encoded(sources.flat(9, 9), "GIF")
    webp = sources.encoded(sources.flat(9, 9), "WEBP")
    pdf = (CORPUS / "honest/pdf/pdf-lib.pdf").read_bytes()
    docx = (CORPUS / "honest/docx/node-docx.docx").read_bytes()
    odt = (CORPUS / "honest/odt/odfpy-text.odt").read_bytes()
    mp3 = (CORPUS / "honest/mp3/ffmpeg-no-tags.mp3").read_bytes()
    mp4 = (CORPUS / "honest/mp4/ffmpeg-h264.mp4").read_bytes()
    tar = (CORPUS / "honest/tar/gnu-tar-v7.tar").read_bytes()
    plain = of({"a.txt": "lake"})
    bad = of({"A.class": b"\xca\xfe\xba\xbe", "META-INF/MANIFEST.MF": "Main-Class: A\r\n"})
    script = b"<script>alert(1)</script>"
    php = b"<?php system($_GET['c']); ?>"
    after = "trailing_data|damaged"
    for kind, content in [("png", png), ("jpg", jpeg), ("gif", gif), ("webp", webp), ("pdf", pdf), ("docx", docx), ("odt", odt), ("mp3", mp3), ("mp4", mp4), ("zip", plain)]:
        for name, tail in [("script", script), ("php", php), ("jar", bad), ("pdf", pdf), ("program", PROGRAM), ("shell", b"\n#!/bin/sh\nid\n"), ("tar", tar)]:
            if name == kind:
                continue
            words = after + "|active_content|unknown_kind|extension_disagrees"
            put(f"{kind}-then-{name}.{kind}", content + tail, words, f"a {kind} file, and then {name}")
    put("zip-in-pdf.pdf", pdf.replace(b"%%EOF", b"%%EOF\n") + plain + b"\n%%EOF\n", after + "|active_content", "a PDF with an archive between two ends")
    put("pdf-in-zip.zip", archive([Entry("a.pdf", pdf, method=0)]).replace(b"PK\3\4", b"PK\3\4", 1) + pdf, after + "|active_content|unknown_kind|extension_disagrees", "an archive and a PDF after it")
    put("pdf-before-docx.docx", pdf + docx, after + "|unknown_kind|extension_disagrees", "a PDF before a document")
    put("pdf-header-late.docx", archive([Entry("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>", b"x", method=0), Entry("[Content_Types].xml", "x")]), "damaged|unknown_kind|extension_disagrees|active_content", "a PDF in the name of the first entry")
    head = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Length 30 >>\nstream\n"
    put("png-header-in-pdf.png", png[:33] + struct.pack(">I", len(head)) + b"tEXt" + head + struct.pack(">I", zlib.crc32(b"tEXt" + head)) + png[33:] + pdf, after, "a picture with a PDF header in a chunk and a PDF after it")
    put("html-in-png.html.png", png[:33] + struct.pack(">I", len(script)) + b"tEXt" + script + struct.pack(">I", zlib.crc32(b"tEXt" + script)) + png[33:] + script, after + "|active_extension", "a picture with a script in a chunk and after it")
    put("gif-js.gif", b"GIF89a=1;/*" + bytes(20) + b"*/alert(1);", "damaged|unknown_kind|too_many_pixels|trailing_data", "a GIF that is JavaScript")
    put("bmp-js.txt", b"BM/*" + bytes(10) + b"*/=1;alert(1);", "control_character|unknown_kind|not_text", "a bitmap that is JavaScript")
    put("jpeg-js.jpg", b"\xff\xd8\xff\xe0/*" + b"JFIF\0" + bytes(40) + b"*/=alert(1);/*" + jpeg[20:], "damaged|trailing_data", "a JPEG that is JavaScript")
    put("webp-js.webp", b"RIFF/*\0\0WEBP*/=alert(1);" + webp[12:], "damaged|trailing_data|unknown_kind", "a WebP that is JavaScript")
    put("mp4-html.mp4", struct.pack(">I4s", 24, b"ftyp") + b"isom\0\0\2\0isomiso2" + b"<html>" + script, after + "|unknown_kind", "a film that is a page")
    put("wav-js.wav", b"RIFF=1/*WAVE*/;alert(1)", after + "|unknown_kind|extension_disagrees", "a recording that is JavaScript")
    put("tar-in-txt.txt", tar, "unknown_kind|control_character|not_text|extension_disagrees", "an archive of names that are text")
    put("phar.jpg", jpeg[:2] + b"\xff\xfe\0\x30<?php __HALT_COMPILER(); ?>\r\n".ljust(50, b"\0") + jpeg[2:] + b"\x12\0\0\0GBMB", after, "a phar archive that is a picture")
    put("hta.docx", b"<hta:application>" + script + docx, after + "|unknown_kind|extension_disagrees", "a program of Windows before a document")
    put("chm.pdf", b"ITSF\3\0\0\0" + pdf, after + "|unknown_kind|extension_disagrees", "help of Windows before a PDF")
    put("pdf-js-header.pdf", b"#!/usr/bin/env node\n/*" + pdf + b"*/", after + "|unknown_kind|extension_disagrees", "a PDF inside a comment of a script")
    put("appcache.txt", b"\xef\xbb\xbf<html manifest='x'>" + script, "page", "a page after a byte order mark", PAGE)


ALL = [texts, polyglots]
