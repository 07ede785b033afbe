"""Pictures that swell, lie, loop or run."""

import gzip
import struct
import zlib


import sources

BOMB = "ASVS V5.2.6, CWE-409"
LIES = "ASVS V5.2.2, CWE-20"
RUNS = "ASVS V5.2.2, CWE-434"
LOOP = "ASVS V5.2.6, CWE-835"


def chunk(kind: bytes, content: bytes, crc: int | None = None, length: int | None = None) -> bytes:
    crc = zlib.crc32(kind + content) if crc is None else crc
    return struct.pack(">I", len(content) if length is None else length) + kind + content + struct.pack(">I", crc)


def png(width: int, height: int, data: bytes, *more: bytes, depth=8, colour=0, interlace=0, before=(), after=()) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(before) + chunk(b"IDAT", data) + b"".join(more) + b"".join(after) + chunk(b"IEND", b"")


SMALL = zlib.compress(b"\0\0")


def zeros(count: int) -> bytes:
    packed, piece = zlib.compressobj(9), bytes(1024 * 1024)
    out = b"".join(packed.compress(piece) for _ in range(count // len(piece)))
    return out + packed.compress(bytes(count % len(piece))) + packed.flush()


def pngs(group):
    def put(name, content, words, rule, what):
        group.hostile(f"png/{name}.png", content, words, rule, what)

    put("bomb-30000", png(30000, 30000, zeros(30000 * 375), depth=1), "too_many_pixels|bomb", BOMB, "30,000 x 30,000 pixels by the header; the data end early")
    put("huge-header", png(0x7FFFFFFF, 0x7FFFFFFF, SMALL), "too_many_pixels|damaged", BOMB, "2^31 x 2^31 pixels by the header")
    put("huge-width", png(0x7FFFFFFF, 1, SMALL), "too_many_pixels|damaged", BOMB, "a line of 2^31 pixels")
    put("huge-16-bit-rgba", png(20000, 20000, SMALL, depth=16, colour=6), "too_many_pixels|damaged|bomb", BOMB, "3.2 GB decoded")
    put("text-bomb", png(1, 1, SMALL, before=[chunk(b"zTXt", b"Comment\0\0" + zeros(64 * 1024 * 1024))]), "bomb|damaged", BOMB, "64 MiB of text in a zTXt chunk")
    put("profile-bomb", png(1, 1, SMALL, before=[chunk(b"iCCP", b"a\0\0" + zeros(64 * 1024 * 1024))]), "bomb|damaged", BOMB, "64 MiB in an iCCP chunk")
    put("data-too-long", png(1, 1, zeros(64 * 1024 * 1024)), "bomb|damaged|trailing_data", BOMB, "one pixel, and 64 MiB of data")
    put("crc", png(1, 1, SMALL, before=[chunk(b"gAMA", struct.pack(">I", 45455), crc=1)]), "damaged", LIES, "a wrong checksum of a chunk")
    put("crc-header", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0), crc=1) + chunk(b"IDAT", SMALL) + chunk(b"IEND", b""), "damaged", LIES, "a wrong checksum of the header")
    put("adler", png(1, 1, SMALL[:-1] + bytes([SMALL[-1] ^ 1])), "damaged", LIES, "a wrong checksum of the data")
    put("truncated", png(9, 9, zlib.compress(bytes(90)))[:-20], "damaged", LIES, "cut in the data")
    put("no-end", png(1, 1, SMALL)[:-12], "damaged", LIES, "without IEND")
    put("no-data", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"IEND", b""), "damaged", LIES, "without IDAT")
    put("data-short", png(100, 100, zlib.compress(bytes(50))), "damaged", LIES, "fewer data than pixels")
    put("zero-width", png(0, 1, SMALL), "damaged", LIES, "no pixels")
    put("length-lies", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"tEXt", b"a\0b", length=0x7FFFFFFF) + chunk(b"IDAT", SMALL) + chunk(b"IEND", b""), "damaged", LIES, "a chunk of 2 GiB that is not there")
    put("colour-type", png(1, 1, SMALL, colour=5), "damaged", LIES, "an unknown colour type")
    put("depth", png(1, 1, SMALL, depth=3), "damaged", LIES, "an unknown depth")
    put("no-palette", png(1, 1, SMALL, colour=3), "damaged", LIES, "a palette is missing")
    put("critical-chunk", png(1, 1, SMALL, before=[chunk(b"EVIL", b"x")]), "damaged", LIES, "a critical chunk that nobody knows")
    put("two-headers", png(1, 1, SMALL, before=[chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 6, 0, 0, 0))]), "damaged|too_many_pixels", LIES, "two headers")
    control = lambda frames: chunk(b"acTL", struct.pack(">II", frames, 0))
    frame = lambda number, width=1, height=1, x=0, y=0: chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, x, y, 1, 10, 0, 0))
    put("apng-frames-lie", png(1, 1, SMALL, before=[control(2000000000), frame(0)]), "damaged|too_many_frames|animated", LIES, "two billion frames by the header")
    put("apng-no-frames", png(1, 1, SMALL, before=[control(0)]), "damaged|animated|too_many_frames", LIES, "an animation of no frames")
    put("apng-outside", png(1, 1, SMALL, before=[control(1), frame(0, 99999, 99999)]), "damaged|too_many_pixels|animated", LIES, "a frame larger than the picture")
    put("apng-sequence", png(1, 1, SMALL, frame(7), chunk(b"fdAT", struct.pack(">I", 3) + SMALL), before=[control(2), frame(0)]), "damaged|animated", LIES, "frames out of order")
    put("apng-late-control", png(1, 1, SMALL, control(2)), "damaged|animated", LIES, "acTL after the picture")
    put("cgbi", b"\x89PNG\r\n\x1a\n" + chunk(b"CgBI", b"\x50\0\x20\x02") + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)) + chunk(b"IDAT", SMALL) + chunk(b"IEND", b""), "damaged|unknown_kind", LIES, "Apple's private format")


def jpegs(group):
    plain = sources.encoded(sources.gradient(), "JPEG")

    def put(name, content, words, rule, what, extension="jpg"):
        group.hostile(f"jpeg/{name}.{extension}", content, words, rule, what)

    frame = plain.index(b"\xff\xc0")
    sized = lambda width, height: plain[: frame + 5] + struct.pack(">HH", height, width) + plain[frame + 9 :]
    put("65535", sized(65535, 65535), "too_many_pixels|damaged", BOMB, "65,535 x 65,535 pixels by the header")
    put("65535-wide", sized(65535, 9000), "too_many_pixels|damaged", BOMB, "590 million pixels by the header")
    put("no-height", sized(96, 0), "damaged", LIES, "a height of 0 (DNL)")
    put("no-width", sized(0, 64), "damaged", LIES, "a width of 0")
    put("truncated-header", plain[:300], "damaged", LIES, "cut in the tables")
    put("no-end", plain[:-2], "damaged", LIES, "without EOI")
    put("two-frames", plain[:frame] + plain[frame : frame + 19] + plain[frame:], "damaged", LIES, "two frames")
    put("segment-length", plain[:2] + b"\xff\xe1\0\0" + plain[2:], "damaged", LIES, "a segment of length 0")
    put("segment-beyond", plain[:2] + b"\xff\xe1\xff\xff" + plain[2:], "damaged", LIES, "a segment that goes beyond the end")
    put("second-start", plain[:2] + plain[:2] + plain[2:], "damaged", LIES, "two starts")
    put("components", plain[: frame + 9] + b"\xff" + plain[frame + 10 :], "damaged", LIES, "255 components")
    put("sampling", plain[: frame + 11] + b"\x00" + plain[frame + 12 :], "damaged", LIES, "sampling 0 x 0")
    put("precision", plain[: frame + 4] + b"\x10" + plain[frame + 5 :], "damaged", LIES, "16 bits")
    put("lossless", plain[: frame + 1] + b"\xc3" + plain[frame + 2 :], "damaged", LIES, "a lossless frame")
    put("no-tables", plain[:frame] + plain[frame:].replace(b"\xff\xc4", b"\xff\xef"), "damaged", LIES, "no Huffman tables")
    put("script-after", plain + b"<script>alert(1)</script>", "trailing_data", RUNS, "a script after the end")
    put("php-after", plain + b"<?php system($_GET['c']); ?>", "trailing_data", RUNS, "PHP after the end")
    put("php-in-comment-as-php", b"\xff\xd8\xff\xfe\0\x20<?php system($_GET['c']); ?>   " + plain[2:], "active_extension|name", RUNS, "PHP in a comment, under a name that a server runs", "php.jpg")
    put("html-as-jpeg", b"\xff\xd8\xff\xe0<html><script>alert(1)</script>", "damaged", RUNS, "a page after the first bytes of a JPEG")
    put("php-only", b"\xff\xd8\xff\xe0<?php system($_GET['c']);", "damaged", RUNS, "PHP after the first bytes of a JPEG")
    put("zip-after", plain + archive_bytes(), "trailing_data", RUNS, "an archive after the end")
    put("program-after", plain + b"MZ" + bytes(200), "trailing_data", RUNS, "a program after the end")
    put("jar-as-trailer", plain + archive_bytes() + b"SEFT", "trailing_data", RUNS, "an archive that ends as Samsung's trailer does")
    trailer = b"SEFH" + struct.pack("<II", 107, 1) + struct.pack("<HHII", 0, 0x0A01, 900000, 900000)
    put("samsung-lies", plain + b"<script>" + trailer + struct.pack("<I", len(trailer)) + b"SEFT", "trailing_data|damaged", LIES, "a Samsung trailer whose block is beyond the file")
    put("motion-page", motion(plain, b"<!doctype html><script>alert(1)</script>".ljust(400)), "trailing_data|damaged|active_content", RUNS, "XMP promises a motion photo, and a page follows")
    put("motion-zip", motion(plain, archive_bytes()), "trailing_data|damaged|active_content", RUNS, "XMP promises a motion photo, and an archive follows")
    put("motion-lies", motion(plain, struct.pack(">I4s4sI", 24, b"ftyp", b"mp42", 0) + b"mp42isom" + b"<script>alert(1)</script>"), "trailing_data|damaged|active_content", RUNS, "a motion photo with a script after its first box")
    put("many-pictures", plain * 40, "trailing_data|damaged|bomb", LIES, "forty pictures in one file")
    put("scans-100", progressive(100, 16), "too_many_scans", "ASVS V5.2.6, CWE-400", "100 scans")


def archive_bytes() -> bytes:
    from hostile.archives_lib import of
    return of({"a.html": "<script>alert(1)</script>", "A.class": b"\xca\xfe\xba\xbe"})


def motion(jpeg: bytes, film: bytes) -> bytes:
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoVersion='1' GCamera:MicroVideoOffset='%d'/></rdf:RDF></x:xmpmeta>" % len(film)
    return jpeg[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(xmp) + 2) + xmp + jpeg[2:] + film


def progressive(scans: int, side: int) -> bytes:
    """A grey progressive picture: a scan for the first coefficient, and further scans that have only ends of blocks."""
    blocks = ((side + 7) // 8) ** 2
    out = b"\xff\xd8" + b"\xff\xdb\0\x43\0" + b"\1" * 64
    out += b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, side, side, 1) + b"\1\x11\0"
    out += b"\xff\xc4" + struct.pack(">H", 20) + b"\0" + b"\1" + bytes(15) + b"\0"
    out += b"\xff\xc4" + struct.pack(">H", 20) + b"\x10" + b"\1" + bytes(15) + b"\xe0"
    scan = lambda start, end, data: b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, start, end, 0) + data
    out += scan(0, 0, b"\0" * (blocks // 8) + (b"\x7f" if blocks % 8 else b""))
    for number in range(scans - 1):
        bits, left = "", blocks
        while left > 0:
            run = min(left, 32767)
            if run < 16384:
                bits += "0" + "0" * 14
                left -= 16384
                continue
            bits += "0" + format(run - 16384, "014b")
            left -= run
        bits += "1" * (-len(bits) % 8)
        data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")
        out += scan(number % 63 + 1, number % 63 + 1, data)
    return out + b"\xff\xd9"


def gifs(group):
    def put(name, content, words, rule, what):
        group.hostile(f"gif/{name}.gif", content, words, rule, what)

    screen = lambda width, height: b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = lambda width, height, x=0, y=0, data=b"\2\2\x4c\1\0": b"," + struct.pack("<HHHHB", x, y, width, height, 0) + data
    control = b"!\xf9\4\0\0\0\0\0"
    put("65535", screen(65535, 65535) + image(65535, 65535) + b";", "too_many_pixels|damaged", BOMB, "65,535 x 65,535 pixels by the header")
    put("frame-larger", screen(1, 1) + image(65535, 65535) + b";", "too_many_pixels|damaged", LIES, "a frame larger than the screen")
    put("frame-outside", screen(10, 10) + image(5, 5, 60000, 60000) + b";", "damaged|too_many_pixels", LIES, "a frame outside the screen")
    put("frames-large", screen(10000, 10000) + (control + image(1, 1)) * 100 + b";", "too_many_frames|too_many_pixels|bomb", BOMB, "a hundred frames on a screen of 100 million pixels")
    put("no-end", screen(1, 1) + image(1, 1), "damaged", LIES, "without a trailer")
    put("no-picture", screen(1, 1) + b";", "damaged", LIES, "without a picture")
    put("truncated", screen(9, 9) + image(9, 9)[:12], "damaged", LIES, "cut")
    put("lzw-code", screen(1, 1) + image(1, 1, data=b"\x0f\1\0\0") + b";", "damaged", LIES, "an impossible size of codes")
    put("lzw-garbage", screen(100, 100) + image(100, 100, data=b"\2\4\xff\xff\xff\xff\0") + b";", "damaged", LIES, "codes that are not in the table")
    put("script", b"GIF89a/*" + bytes(2) + b"*/=alert(1)//;", "damaged", RUNS, "a script that begins as a GIF")
    put("script-size", b"GIF89a" + b"/*" + struct.pack("<HBBB", 1, 0, 0, 0) + image(1, 1) + b"*/=1;alert(1);//;", "damaged|trailing_data|too_many_pixels", RUNS, "a GIF whose width opens a comment of JavaScript")
    put("script-after", screen(1, 1) + image(1, 1) + b";<script>alert(1)</script>", "trailing_data", RUNS, "a script after the end")
    put("zip-after", screen(1, 1) + image(1, 1) + b";" + archive_bytes(), "trailing_data", RUNS, "an archive after the end (GIFAR)")
    put("php", b"GIF89a<?php system($_GET['c']); ?>", "damaged", RUNS, "PHP that begins as a GIF")
    put("block-unknown", screen(1, 1) + b"\x77" + image(1, 1) + b";", "damaged", LIES, "an unknown block")


def webps(group):
    def put(name, content, words, rule, what):
        group.hostile(f"webp/{name}.webp", content, words, rule, what)

    def riff(*chunks):
        body = b"WEBP" + b"".join(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2) for kind, content in chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    plain = sources.encoded(sources.flat(16, 16), "WEBP")
    lossless = sources.encoded(sources.flat(16, 16), "WEBP", lossless=True)
    data = lossless[20 : 20 + struct.unpack("<I", lossless[16:20])[0]]
    wide = b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + data[5:]
    put("huge-lossless", riff((b"VP8L", wide)), "too_many_pixels|damaged", BOMB, "16,384 x 16,384 pixels by the header")
    put("huge-canvas", riff((b"VP8X", b"\2\0\0\0" + b"\xff\xff\xff" * 2), (b"ANIM", bytes(6))), "too_many_pixels|damaged", BOMB, "a canvas of 2^24 x 2^24")
    put("canvas-differs", riff((b"VP8X", b"\0\0\0\0" + b"\x7f\x7f\0" * 2), (b"VP8L", data)), "damaged|too_many_pixels", LIES, "a canvas of another size than the picture")
    frame = lambda: bytes(6) + b"\x0f\0\0" * 2 + b"\1\0\0\0" + b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    put("frames-large-canvas", riff((b"VP8X", b"\2\0\0\0" + struct.pack("<I", 9999)[:3] * 2), (b"ANIM", bytes(6)), *[(b"ANMF", frame())] * 60), "too_many_frames|too_many_pixels|bomb|animated", BOMB, "sixty frames on a canvas of 100 million pixels")
    put("frame-outside", riff((b"VP8X", b"\2\0\0\0" + b"\x0f\0\0" * 2), (b"ANIM", bytes(6)), (b"ANMF", b"\xff\xff\xff" + frame()[3:])), "damaged|too_many_pixels|animated", LIES, "a frame outside the canvas")
    put("length-more", plain[:4] + struct.pack("<I", 0x7FFFFFFF) + plain[8:], "damaged", LIES, "a header that promises 2 GiB")
    put("length-less", plain[:4] + struct.pack("<I", 20) + plain[8:], "trailing_data|damaged", LIES, "a header that ends early")
    put("chunk-beyond", plain[:16] + struct.pack("<I", 0xFFFFFFF0) + plain[20:], "damaged", LIES, "a chunk of 4 GiB")
    put("script-after", plain + b"<script>alert(1)</script>", "trailing_data", RUNS, "a script after the end")
    put("script-chunk", riff((b"VP8L", data), (b"EVIL", b"<script>alert(1)</script>")) + b"\0*/alert(1)", "trailing_data|damaged", RUNS, "a script after an unknown chunk")
    put("as-wave", plain.replace(b"WEBP", b"WAVE"), "unknown_kind|damaged|extension_disagrees", LIES, "another form of RIFF")
    put("truncated", plain[:-9], "damaged", LIES, "cut")
    put("no-picture", riff((b"VP8X", bytes(10))), "damaged", LIES, "no picture")


def tiffs(group):
    def put(name, content, words, rule, what):
        group.hostile(f"tiff/{name}.tif", content, words, rule, what)

    def tiff(entries, following=0, first=8, data=b""):
        directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *item) for item in entries) + struct.pack("<I", following)
        return b"II*\0" + struct.pack("<I", first) + directory + data

    basic = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 134), (278, 4, 1, 1), (279, 4, 1, 1)]
    end = 8 + 2 + 12 * 8 + 4
    good = [item if item[0] != 273 else (273, 4, 1, end) for item in basic]
    put("loop", tiff(good, following=8, data=b"\0"), "damaged|bomb", LOOP, "a directory that follows itself")
    first = tiff(good, following=end + 2, data=b"\0\0")
    put("loop-two", first + struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 1) + struct.pack("<I", 8), "damaged|bomb", LOOP, "two directories that follow each other")
    put("subdirectory-loop", tiff(sorted([*good[:7], (279, 4, 1, 1), (330, 4, 1, 8)]), data=b"\0" * 20), "damaged|bomb", LOOP, "a subdirectory that is its parent")
    put("exif-loop", tiff(sorted([*good, (34665, 4, 1, 8)]), data=b"\0" * 20), "damaged|bomb", LOOP, "EXIF data that are their parent")
    put("huge", tiff([(256, 4, 1, 0x7FFFFFFF), (257, 4, 1, 0x7FFFFFFF), *good[2:]], data=b"\0"), "too_many_pixels|damaged|bomb", BOMB, "2^31 x 2^31 pixels by the header")
    put("count", tiff([*good[:5], (273, 4, 0x40000000, 8), *good[6:]], data=b"\0"), "damaged|bomb", LIES, "2^30 strips")
    put("offset", b"II*\0" + struct.pack("<I", 0xFFFFFF00), "damaged", LIES, "a directory beyond the end")
    put("strip-beyond", tiff([*good[:5], (273, 4, 1, 0x7FFFFF00), *good[6:]], data=b"\0"), "damaged", LIES, "pixels beyond the end")
    put("no-directory", b"II*\0\0\0\0\0", "damaged", LIES, "no directory")
    put("script-after", tiff(good, data=b"\0<script>alert(1)</script>"), "trailing_data|damaged", RUNS, "a script after the pixels")
    put("zip-after", tiff(good, data=b"\0" + archive_bytes()), "trailing_data|damaged", RUNS, "an archive after the pixels")


SVG = "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>%s</svg>"


def svgs(group):
    def put(name, content, what, words="active_content|external|unknown_kind|page", rule="ASVS V1.3.4, CWE-79"):
        group.hostile(f"svg/{name}.svg", content if isinstance(content, bytes) else (SVG % content).encode(), words + "|active_extension", rule, what)

    put("script", "<script>alert(1)</script>", "a script")
    put("script-href", "<script href='https://host.example/a.js'/>", "a script from elsewhere")
    put("script-prefix", b"<s:svg xmlns:s='http://www.w3.org/2000/svg'><s:script>alert(1)</s:script></s:svg>", "a script under a prefix")
    put("script-xhtml", "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>", "a script of XHTML")
    put("onload", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "an event")
    put("onload-case", b"<svg xmlns='http://www.w3.org/2000/svg' onLoad='alert(1)' OnClick='alert(1)'/>", "events in other letters")
    put("onbegin", "<animate onbegin='alert(1)' attributeName='x' dur='1s'/>", "an event of an animation")
    put("foreign-object", "<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='javascript:alert(1)'/></foreignObject>", "a page inside")
    put("use-elsewhere", "<use href='https://host.example/a.svg#x'/>", "a drawing of another host")
    put("use-data", "<use href='data:image/svg+xml;base64,PHN2Zy8+#x'/>", "a drawing in an address")
    put("image-elsewhere", "<image href='https://host.example/a.png'/>", "a picture of another host")
    put("image-svg", "<image href='data:image/svg+xml,&lt;svg onload=&quot;alert(1)&quot;/&gt;'/>", "a drawing as a picture")
    put("link-script", "<a href='javascript:alert(1)'><text>x</text></a>", "a link to a script")
    put("link-script-xlink", "<a xlink:href=' jAvA&#115;cript:alert(1)'><text>x</text></a>", "a link to a script, disguised")
    put("animate-href", "<a id='a'><text>x</text></a><set href='#a' attributeName='href' to='javascript:alert(1)'/>", "an animation that sets a link")
    put("data-page", "<a href='data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;'><text>x</text></a>", "a link to a page in an address")
    put("css-import", "<style>@import url(https://host.example/a.css);</style>", "a style of another host")
    put("css-url", "<rect style='fill:url(https://host.example/a.svg#x)'/>", "a fill of another host")
    put("css-escape", "<style>@\\69mport 'https://host.example/a.css';</style>", "a style of another host, escaped")
    put("css-font", "<style>@font-face{font-family:a;src:url(//host.example/a.woff)}</style>", "a font of another host")
    put("filter-image", "<filter id='a'><feImage href='https://host.example/a.png'/></filter>", "a filter that loads")
    put("stylesheet", b"<?xml-stylesheet href='https://host.example/a.css'?><svg xmlns='http://www.w3.org/2000/svg'/>", "a stylesheet of another host")
    put("stylesheet-xslt", b"<?xml-stylesheet type='text/xsl' href='#a'?><svg xmlns='http://www.w3.org/2000/svg'><x:stylesheet xmlns:x='http://www.w3.org/1999/XSL/Transform' id='a'/></svg>", "a transformation inside")
    put("entity", b"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg xmlns='http://www.w3.org/2000/svg'><text>&x;</text></svg>", "an external entity", rule="ASVS V1.5.1, CWE-611")
    laughs = "".join(f"<!ENTITY l{n} '{('&l%d;' % (n - 1)) * 10}'>" for n in range(1, 10))
    put("entity-bomb", f"<!DOCTYPE svg [<!ENTITY l0 'lol'>{laughs}]><svg xmlns='http://www.w3.org/2000/svg'><text>&l9;</text></svg>".encode(), "entities that grow to a billion", words="active_content|external|bomb|damaged|unknown_kind|page", rule="ASVS V1.5.1, CWE-776")
    put("entity-script", b"<!DOCTYPE svg [<!ENTITY s '&#60;script>alert(1)&#60;/script>'>]><svg xmlns='http://www.w3.org/2000/svg'>&s;</svg>", "a script in an entity")
    put("use-bomb", "<defs><g id='a0'><rect width='1' height='1'/></g>" + "".join(f"<g id='a{n}'>" + f"<use href='#a{n - 1}'/>" * 10 + "</g>" for n in range(1, 10)) + "</defs><use href='#a9'/>", "use of use, a billion times", words="bomb|active_content|unknown_kind", rule="ASVS V5.2.6, CWE-400")
    put("nested", "<g>" * 5000 + "</g>" * 5000, "groups nested 5,000 deep", words="bomb|damaged|unknown_kind|active_content", rule="ASVS V5.2.6, CWE-674")
    put("utf-16", "<?xml version='1.0' encoding='UTF-16'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".encode("utf-16"), "an event, in UTF-16")
    put("utf-7", b"<?xml version='1.0' encoding='UTF-7'?>+ADw-svg onload=+ACc-alert(1)+ACc-/+AD4-", "an event, in UTF-7", words="active_content|external|damaged|unknown_kind|page")
    put("handler", "<handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event='load'>alert(1)</handler>", "a handler of SVG Tiny")
    put("cdata", "<style><![CDATA[@import 'https://host.example/a.css';]]></style>", "a style of another host in CDATA")
    put("svgz", gzip.compress((SVG % "<script>alert(1)</script>").encode(), mtime=0), "compressed", words="active_content|damaged|unknown_kind")


def box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I", len(content) + 8 if size is None else size) + kind + content


def heifs(group):
    for folder, brand, extension in [("heic", b"heic", "heic"), ("avif", b"avif", "avif")]:
        head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)

        def put(name, content, what, words="damaged|trailing_data|unknown_kind|bomb", rule=LIES, folder=folder, extension=extension):
            group.hostile(f"{folder}/{name}.{extension}", content, words, rule, what)

        put("only-head", head, "a first box alone")
        put("size-zero", head + box(b"meta", bytes(4), size=0) + b"<script>alert(1)</script>", "a box that goes to the end, with a script in it")
        put("size-huge", head + box(b"meta", bytes(4), size=0x7FFFFFFF), "a box of 2 GiB")
        put("size-64", head + struct.pack(">I4sQ", 1, b"meta", 1 << 63) + bytes(4), "a box of 2^63 bytes")
        put("size-small", head + box(b"meta", bytes(4), size=4), "a box smaller than its head")
        nested_box = b""
        for _ in range(5000):
            nested_box = box(b"moov", nested_box)
        put("nested", head + nested_box, "boxes nested 5,000 deep", rule=LOOP)
        put("script-after", head + box(b"meta", bytes(4)) + b"<script>alert(1)</script>", "a script after the last box")
        put("html-box", head + box(b"free", b"<html><script>alert(1)</script></html>" * 3) + box(b"meta", bytes(4)), "a page in a free box, and no picture")
        put("items", head + box(b"meta", bytes(4) + box(b"iinf", b"\1\0\0\0" + b"\xff\xff\xff\xff")), "four billion items")
        put("jpeg-inside", b"\xff\xd8\xff\xe0" + head, "first bytes of a JPEG", words="unknown_kind|damaged|extension_disagrees")


ALL = [pngs, jpegs, gifs, webps, tiffs, svgs, heifs]
