"""Pictures as cameras, phones, scanners and programs write them."""

import base64
import io
import pathlib
import struct
import zlib

import PIL.ImageCms
import PIL.PngImagePlugin
import pillow_heif
import tifffile
from PIL import Image

import sources
from corpus import run, temporary

CONVERT = "/usr/bin/convert-im6.q16"
ICC = pathlib.Path("/usr/share/color/icc")
encoded = sources.encoded


def made_by(name: str, *command) -> pathlib.Path:
    """Runs a program whose last argument is its result."""
    out = temporary(name)
    run(*command, out)
    return out


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def video() -> bytes:
    path = temporary("motion.mp4")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=teal:s=64x48:d=0.5:r=10", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
    return path.read_bytes()


def jpeg_of_programs(group):
    ppm = temporary("lake.ppm", encoded(sources.gradient(), "PPM"))
    pgm = temporary("lake.pgm", encoded(sources.gradient().convert("L"), "PPM"))
    for name, options in [
        ("baseline", ["-baseline"]), ("progressive", ["-progressive"]), ("optimized", ["-optimize"]), ("grayscale", ["-grayscale"]),
        ("restart", ["-restart", "1"]), ("restart-blocks", ["-restart", "3B"]), ("444", ["-sample", "1x1"]), ("422", ["-sample", "2x1"]),
        ("440", ["-sample", "1x2"]), ("411", ["-sample", "4x1"]), ("rgb", ["-rgb"]), ("quality-1", ["-quality", "1"]), ("quality-100", ["-quality", "100"]),
        ("progressive-gray", ["-progressive", "-grayscale", "-restart", "2"]),
    ]:
        group.put(f"jpeg/cjpeg-{name}.jpg", run("cjpeg", *options, ppm), "debian:libjpeg-turbo-progs", "cjpeg " + " ".join(options))
    group.put("jpeg/cjpeg-pgm.jpg", run("cjpeg", pgm), "debian:libjpeg-turbo-progs", "cjpeg of a PGM")
    base = temporary("base.jpg", run("cjpeg", ppm))
    for name, options in [("rotated", ["-rotate", "90", "-trim"]), ("progressive", ["-progressive", "-copy", "all"]), ("cropped", ["-crop", "40x24+8+8"]), ("gray", ["-grayscale"])]:
        group.put(f"jpeg/jpegtran-{name}.jpeg", run("jpegtran", *options, base), "debian:libjpeg-turbo-progs", "jpegtran " + " ".join(options))
    png = temporary("lake.png", encoded(sources.gradient(), "PNG"))
    for name, options in [("plain", []), ("interlaced", ["-interlace", "JPEG"]), ("comment", ["-set", "comment", "The lake <b>in May</b>"]), ("cmyk", ["-colorspace", "CMYK"]), ("density", ["-density", "300", "-units", "PixelsPerInch"])]:
        group.put(f"jpeg/imagemagick-{name}.jpg", made_by("im.jpg", CONVERT, png, *options), "debian:imagemagick", "convert " + " ".join(options))
    group.put("jpeg/graphicsmagick.jpg", made_by("gm.jpg", "gm", "convert", png), "debian:graphicsmagick", "gm convert")
    group.put("jpeg/ffmpeg-mjpeg.jpg", made_by("ff.jpg", "ffmpeg", "-v", "error", "-y", "-i", png, "-frames:v", "1"), "debian:ffmpeg", "ffmpeg -frames:v 1: a comment of Lavc")
    group.put("jpeg/vips.jpg", vips(png), "debian:libvips-tools", "vips copy lake.png lake.jpg[Q=80,interlace]")
    group.put("jpeg/netpbm.jpe", run("pnmtojpeg", "-quiet", ppm), "debian:netpbm", "pnmtojpeg, the extension .jpe")
    group.put("jpeg/ghostscript-page.jpg", ghostscript("jpeg"), "debian:ghostscript", "a page: the device jpeg")
    group.put("jpeg/ghostscript-cmyk.jpg", ghostscript("jpegcmyk"), "debian:ghostscript", "a page from a printer's workflow: the device jpegcmyk")
    path = temporary("jo.jpg", run("cjpeg", "-quality", "95", ppm))
    run("jpegoptim", "-q", "-m60", "--strip-all", path)
    group.put("jpeg/jpegoptim.jpg", path, "debian:jpegoptim", "jpegoptim -m60 --strip-all")


def vips(png) -> pathlib.Path:
    out = temporary("v.jpg")
    run("vips", "copy", png, f"{out}[Q=80,interlace]")
    return out


def ghostscript(device: str, name: str = "g.jpg") -> pathlib.Path:
    out = temporary(name)
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", f"-sDEVICE={device}", "-r20", "-dLastPage=1", "-o", out, temporary("page.ps", sources.POSTSCRIPT))
    return out


def jpeg_of_pillow(group):
    picture = sources.gradient()
    for name, options in [("plain", {}), ("progressive", {"progressive": True}), ("jfif-2x2", {"subsampling": "4:2:0", "dpi": (72, 72)}), ("comment", {"comment": "taken in May"}), ("restart", {"restart_marker_rows": 1})]:
        group.put(f"jpeg/pillow-{name}.jpg", encoded(picture, "JPEG", **options), "pypi:pillow", f"save {name}")
    group.put("jpeg/pillow-cmyk.jpg", encoded(picture.convert("CMYK"), "JPEG"), "pypi:pillow", "CMYK with an Adobe marker")
    group.put("jpeg/pillow-ycck.jpg", with_adobe_ycck(encoded(picture.convert("CMYK"), "JPEG")), "pypi:pillow", "CMYK declared as YCCK (Adobe transform 2)")
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    group.put("jpeg/pillow-srgb.jpg", encoded(picture, "JPEG", icc_profile=profile), "pypi:pillow", "an sRGB profile")
    for number in range(1, 9):
        exif = Image.Exif()
        exif[0x0112], exif[0x010F], exif[0x0110] = number, "Example", "Phone 5"
        group.put(f"jpeg/orientation-{number}.jpg", encoded(picture, "JPEG", exif=exif), "pypi:pillow", f"EXIF orientation {number}")
    for name, width, height in [("8160x6144", 8160, 6144), ("8064x6048", 8064, 6048), ("panorama-16000x2000", 16000, 2000), ("12000x8000", 12000, 8000)]:
        group.put(f"jpeg/{name}.jpg", squeezed(Image.new("L", (width, height), 90)), "debian:libjpeg-turbo-progs", f"a flat picture of {name}, jpegtran -optimize -scans: at most 100 million pixels")
    group.put("jpeg/one-pixel.jpg", encoded(Image.new("RGB", (1, 1)), "JPEG"), "pypi:pillow", "1 x 1")
    group.put("jpeg/screenshot.pjpeg", encoded(picture, "JPEG"), "pypi:pillow", "the extension .pjpeg")
    group.put("jpeg/saved.jfif", encoded(picture, "JPEG"), "pypi:pillow", "the extension .jfif, as Windows saves pictures of the web")


def squeezed(picture: Image.Image) -> bytes:
    scans = temporary("scans.txt", "0: 0-0, 0, 0; 0: 1-63, 0, 0;")
    return run("jpegtran", "-optimize", "-scans", scans, temporary("large.jpg", encoded(picture, "JPEG", quality=30)))


def with_adobe_ycck(jpeg: bytes) -> bytes:
    at = jpeg.index(b"Adobe")
    return jpeg[: at + 11] + b"\x02" + jpeg[at + 12 :]


def jpeg_of_phones(group):
    """With the metadata and the further pictures that phones write."""
    plain = encoded(sources.gradient(), "JPEG")
    thumbnail = encoded(sources.flat(32, 24), "JPEG")

    def tagged(name, how, *tags, base=plain):
        path = temporary("phone.jpg", base)
        run("exiftool", "-q", "-overwrite_original", *tags, path)
        group.put(f"jpeg/phone-{name}.jpg", path, "debian:libimage-exiftool-perl", how)
        return path.read_bytes()

    camera = ["-Make=Example", "-Model=Phone 5", "-DateTimeOriginal=2026:05:09 12:00:00", "-ExposureTime=1/250", "-FNumber=1.8", "-ISO=50"]
    tagged("gps", "EXIF with a place", *camera, "-GPSLatitude=47.37", "-GPSLatitudeRef=N", "-GPSLongitude=8.54", "-GPSLongitudeRef=E")
    tagged("thumbnail", "EXIF with a thumbnail", *camera, f"-ThumbnailImage<={temporary('thumb.jpg', thumbnail)}")
    tagged("xmp-iptc", "XMP, IPTC and a comment", "-XMP-dc:Title=Lake", "-XMP-dc:Description=<script>not run</script>", "-IPTC:Keywords=lake", "-Comment=May")
    tagged("maker-note", "a user comment of 20 kB in EXIF, as maker notes are", *camera, "-UserComment=" + "note " * 4000)
    tagged("photoshop", "Photoshop resources", "-Photoshop:XResolution=300", "-Photoshop:YResolution=300", "-Photoshop:PhotoshopQuality=9")
    tagged("big-endian", "EXIF in Motorola's order", "-ExifByteOrder=MM", *camera)
    for profile in ["DisplayP3", "AdobeRGB"]:
        made = make_profile(profile)
        group.put(f"jpeg/phone-{profile.lower()}.jpg", encoded(sources.gradient(), "JPEG", icc_profile=made), "pypi:pillow", f"a profile with the primaries of {profile}")
    large = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    padded = struct.pack(">I", len(large) + 70000) + large[4:] + bytes(70000)
    group.put("jpeg/icc-two-segments.jpg", encoded(sources.gradient(), "JPEG", icc_profile=padded), "pypi:pillow", "an ICC profile in two segments")

    second = encoded(sources.flat(48, 32), "JPEG")
    group.put("jpeg/phone-mpf.jpg", with_mpf(plain, second), "pypi:pillow", "MPF (CIPA DC-007) with a second picture")
    out = io.BytesIO()
    sources.gradient().save(out, "MPO", save_all=True, append_images=[sources.flat(48, 32)])
    group.put("jpeg/pillow-mpo.jpg", out.getvalue(), "pypi:pillow", "an MPO of two pictures")
    gain = with_segments(second, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0' hdrgm:GainMapMax='2'/></rdf:RDF></x:xmpmeta>"))
    group.put("jpeg/phone-ultra-hdr.jpg", with_mpf(plain, gain), "pypi:pillow", "Ultra HDR: a gain map after the picture")

    group.put("jpeg/phone-samsung-trailer.jpg", plain + samsung_trailer([("Image_UTC_Data", 0x0A01, b"1778320800000"), ("MCC_Data", 0x0AA1, b"228")]), "pypi:pillow", "Samsung's trailer SEFH/SEFT with a time and a country")
    motion = video()
    micro = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoVersion='1' GCamera:MicroVideoOffset='{len(motion)}'/></rdf:RDF></x:xmpmeta>"
    group.put("jpeg/MVIMG_20260509_120000.jpg", with_segments(plain, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + micro.encode())) + motion, "debian:ffmpeg", "a motion photo (GCamera:MicroVideo): an MP4 after the picture")
    container = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:Camera='http://ns.google.com/photos/1.0/camera/' xmlns:Container='http://ns.google.com/photos/1.0/container/' xmlns:Item='http://ns.google.com/photos/1.0/container/item/' Camera:MotionPhoto='1' Camera:MotionPhotoVersion='1' Camera:MotionPhotoPresentationTimestampUs='1'><Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='image/jpeg' Item:Semantic='Primary' Item:Length='0' Item:Padding='0'/></rdf:li><rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='video/mp4' Item:Semantic='MotionPhoto' Item:Length='{len(motion)}' Item:Padding='0'/></rdf:li></rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>"
    group.put("jpeg/PXL_20260509_120000000.MP.jpg", with_segments(plain, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + container.encode())) + motion, "debian:ffmpeg", "a motion photo (Camera:MotionPhoto, Container:Directory)")
    group.put("jpeg/phone-samsung-motion.jpg", plain + samsung_trailer([("MotionPhoto_Data", 0x0A30, motion), ("Image_UTC_Data", 0x0A01, b"1778320800000")]), "debian:ffmpeg", "Samsung's motion photo: an MP4 in the trailer SEFH/SEFT")
    group.put("jpeg/newline-at-end.jpg", plain + b"\r\n", "pypi:pillow", "a line break after the end, as some upload scripts add")
    group.put("jpeg/zeros-at-end.jpg", plain + bytes(512), "pypi:pillow", "padded with NULs")


def make_profile(name: str) -> bytes:
    """A matrix profile with these primaries, as LCMS writes it, with the primaries replaced."""
    primaries = {
        "DisplayP3": [(0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)],
        "AdobeRGB": [(0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446)],
    }[name]
    profile = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    for index in range(count):
        tag, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        for key, values in zip([b"rXYZ", b"gXYZ", b"bXYZ"], primaries):
            if tag == key:
                struct.pack_into(">iii", profile, offset + 8, *(round(value * 65536) for value in values))
    return bytes(profile)


def with_mpf(first: bytes, second: bytes) -> bytes:
    """Two pictures with the index of CIPA DC-007."""
    entries = 16 * 2
    head = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 3)
    head += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", 0xB001, 4, 1, 2)
    head += struct.pack(">HHII", 0xB002, 7, entries, 50) + struct.pack(">I", 0)
    size = 2 + 2 + 2 + 4 + len(head) + entries
    total = len(first) + size
    offset = total - (2 + 4 + 4)
    index = struct.pack(">IIIHH", 0x030000, total, 0, 0, 0) + struct.pack(">IIIHH", 0x000000, len(second), offset, 0, 0)
    return with_segments(first, segment(0xE2, b"MPF\0" + head + index)) + second


def samsung_trailer(blocks: list) -> bytes:
    """Blocks, then a directory of them that is read from the end (ExifTool, Samsung.pm)."""
    body, places = b"", []
    for name, kind, data in blocks:
        block = struct.pack("<HHI", 0, kind, len(name)) + name.encode() + data
        places.append((kind, len(body), len(block)))
        body += block
    directory = b"SEFH" + struct.pack("<II", 107, len(blocks))
    for kind, start, length in places:
        directory += struct.pack("<HHII", 0, kind, len(body) - start, length)
    return body + directory + struct.pack("<I", len(directory)) + b"SEFT"


def png(group):
    picture = sources.gradient()
    for name, mode in [("rgb", "RGB"), ("rgba", "RGBA"), ("gray", "L"), ("gray-alpha", "LA"), ("palette", "P"), ("bilevel", "1"), ("gray-16", "I;16")]:
        image = picture.convert("L").point(lambda value: value * 257, "I").convert("I;16") if mode == "I;16" else picture.convert(mode)
        group.put(f"png/pillow-{name}.png", encoded(image, "PNG"), "pypi:pillow", f"mode {mode}")
    palette = picture.quantize(16)
    group.put("png/pillow-palette-16.png", encoded(palette, "PNG", transparency=3, bits=4), "pypi:pillow", "16 colours, one of them transparent")
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("Title", "Lake")
    text.add_text("Comment", "word " * 2000, zip=True)
    text.add_itxt("Description", "Grüße", "de", "Beschreibung", zip=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    group.put("png/pillow-texts.png", encoded(picture, "PNG", pnginfo=text, exif=exif, icc_profile=profile, dpi=(300, 300)), "pypi:pillow", "tEXt, zTXt, iTXt, eXIf, iCCP, pHYs")
    source = temporary("lake.png", encoded(picture, "PNG"))
    for name, options in [("interlaced", ["-interlace", "PNG"]), ("16-bit", ["-depth", "16"]), ("fewer", ["-colors", "5"]), ("gamma", ["-gamma", "0.8"]), ("1-bit", ["-monochrome"]), ("transparent", ["-transparent", "white"])]:
        group.put(f"png/imagemagick-{name}.png", made_by("im.png", CONVERT, source, *options), "debian:imagemagick", "convert " + " ".join(options))
    copy = temporary("opt.png", source.read_bytes())
    run("optipng", "-quiet", "-i1", copy)
    group.put("png/optipng-interlaced.png", copy, "debian:optipng", "optipng -i1")
    group.put("png/pngcrush.png", made_by("crush.png", "pngcrush", "-q", "-brute", source), "debian:pngcrush", "pngcrush -brute")
    group.put("png/pngquant.png", run("pngquant", "8", "-", data=source.read_bytes()), "debian:pngquant", "pngquant 8")
    copy = temporary("adv.png", source.read_bytes())
    run("advpng", "-q", "-z", copy)
    group.put("png/advpng.png", copy, "debian:advancecomp", "advpng -z")
    group.put("png/zopflipng.png", made_by("z.png", "zopflipng", "-y", source), "debian:zopfli", "zopflipng")
    group.put("png/netpbm.png", run("pnmtopng", "-quiet", "-text", temporary("t.txt", "Title lake\n"), temporary("l.ppm", encoded(picture, "PPM"))), "debian:netpbm", "pnmtopng -text")
    group.put("png/ffmpeg.png", made_by("ff.png", "ffmpeg", "-v", "error", "-y", "-i", source, "-pred", "mixed"), "debian:ffmpeg", "ffmpeg -pred mixed")
    group.put("png/ghostscript-page.png", ghostscript("png16m", "g.png"), "debian:ghostscript", "a page: the device png16m")
    group.put("png/rsvg-drawing.png", run("rsvg-convert", data=b"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><circle r='30'/></svg>"), "debian:librsvg2-bin", "rsvg-convert")
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plot
    figure, axes = plot.subplots(figsize=(2, 1.5))
    axes.plot([1, 2])
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Author": "Ada"})
    group.put("png/matplotlib.png", out.getvalue(), "pypi:matplotlib", "savefig")
    run("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=200,150", f"--user-data-dir={temporary('chromium')}", f"--screenshot={temporary('shot.png')}", "data:text/html,<h1>Lake</h1>")
    group.put("png/chromium-screenshot.png", temporary("shot.png"), "debian:chromium", "--screenshot")
    copy = temporary("tags.png", source.read_bytes())
    run("exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=Lake", "-EXIF:GPSLatitude=47", copy)
    group.put("png/exiftool-xmp.png", copy, "debian:libimage-exiftool-perl", "XMP and EXIF with a place")
    group.put("png/8000x8000.png", encoded(Image.new("1", (8000, 8000)), "PNG", optimize=True), "pypi:pillow", "64 million pixels of one colour")
    group.put("png/one-pixel.png", encoded(Image.new("RGBA", (1, 1)), "PNG"), "pypi:pillow", "1 x 1")
    frames = [temporary(f"frame{number}.png", encoded(sources.flat(40, 30).rotate(number * 40), "PNG")) for number in range(3)]
    run("apngasm", temporary("a.png"), *frames, "1", "10")
    group.put("png/apngasm.png", temporary("a.png"), "debian:apngasm", "an animation of three frames")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=48x36:d=0.4:r=10", "-plays", "0", "-f", "apng", temporary("f.png"))
    group.put("png/ffmpeg-apng.png", temporary("f.png"), "debian:ffmpeg", "-f apng: an endless animation")
    group.put("png/pillow-apng.png", encoded(sources.flat(40, 30), "PNG", save_all=True, append_images=[sources.gradient(40, 30)], default_image=True), "pypi:pillow", "APNG with a picture for programs that show none")


def webp(group):
    source = temporary("lake.png", encoded(sources.gradient(), "PNG"))
    clear = temporary("clear.png", encoded(sources.flat(60, 40, "RGBA"), "PNG"))
    for name, picture, options in [
        ("lossy", source, ["-q", "60"]), ("lossless", source, ["-lossless"]), ("alpha", clear, ["-q", "50"]), ("alpha-lossless", clear, ["-lossless", "-exact"]),
        ("near-lossless", source, ["-near_lossless", "40"]), ("segments", source, ["-segments", "4"]), ("sharp", source, ["-sharp_yuv", "-m", "6"]),
    ]:
        group.put(f"webp/cwebp-{name}.webp", made_by("c.webp", "cwebp", "-quiet", picture, *options, "-o"), "debian:webp", "cwebp " + " ".join(options))
    gif = temporary("a.gif", encoded(sources.flat(40, 30), "GIF", save_all=True, append_images=[sources.gradient(40, 30)], duration=100, loop=0))
    for name, options in [("animated", []), ("animated-lossy", ["-lossy"]), ("animated-mixed", ["-mixed"])]:
        group.put(f"webp/gif2webp-{name}.webp", made_by("g.webp", "gif2webp", "-quiet", *options, gif, "-o"), "debian:webp", "gif2webp " + " ".join(options))
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=48x36:d=0.4:r=10", "-loop", "0", temporary("f.webp"))
    group.put("webp/ffmpeg-animated.webp", temporary("f.webp"), "debian:ffmpeg", "libwebp_anim")
    group.put("webp/imagemagick.webp", made_by("im.webp", CONVERT, source), "debian:imagemagick", "convert")
    exif = Image.Exif()
    exif[0x0112] = 8
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    group.put("webp/pillow-metadata.webp", encoded(sources.gradient(), "WEBP", exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"), "pypi:pillow", "VP8X with ICCP, EXIF and XMP")
    group.put("webp/pillow-animated-alpha.webp", encoded(sources.flat(40, 30, "RGBA"), "WEBP", save_all=True, append_images=[sources.gradient(40, 30)]), "pypi:pillow", "save_all, with alpha")
    path = temporary("mux.webp")
    run("webpmux", "-set", "exif", temporary("e.exif", exif.tobytes()), temporary("c.webp"), "-o", path)
    group.put("webp/webpmux-exif.webp", path, "debian:webp", "webpmux -set exif")
    group.put("webp/vips.webp", made_by("v.webp", "vips", "copy", source), "debian:libvips-tools", "vips copy")


def gif(group):
    picture = sources.flat(60, 40)
    group.put("gif/pillow.gif", encoded(picture, "GIF"), "pypi:pillow", "one frame")
    group.put("gif/pillow-interlaced.gif", encoded(picture, "GIF", interlace=1, comment=b"<b>lake</b>"), "pypi:pillow", "interlaced, a comment")
    group.put("gif/pillow-transparent.gif", encoded(picture.quantize(8), "GIF", transparency=0), "pypi:pillow", "transparency")
    group.put("gif/pillow-animated.gif", encoded(picture, "GIF", save_all=True, append_images=[picture.rotate(20), picture.rotate(40)], loop=0, duration=80), "pypi:pillow", "three frames, NETSCAPE2.0")
    source = temporary("lake.png", encoded(picture, "PNG"))
    group.put("gif/imagemagick.gif", made_by("im.gif", CONVERT, source), "debian:imagemagick", "convert")
    group.put("gif/imagemagick-87a.gif", gif87(source), "debian:imagemagick", "convert GIF87: the older version")
    group.put("gif/imagemagick-layers.gif", made_by("l.gif", CONVERT, "-delay", "5", source, "(", source, "-rotate", "30", "-resize", "60x40!", ")", "-layers", "optimize"), "debian:imagemagick", "an optimised animation with offsets")
    run("gifsicle", "-O3", "--colors", "8", temporary("l.gif"), "-o", temporary("s.gif"))
    group.put("gif/gifsicle.gif", temporary("s.gif"), "debian:gifsicle", "gifsicle -O3 --colors 8")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=48x36:d=0.5:r=10", temporary("f.gif"))
    group.put("gif/ffmpeg.gif", temporary("f.gif"), "debian:ffmpeg", "ffmpeg testsrc")
    group.put("gif/netpbm.gif", run("ppmtogif", "-quiet", temporary("p.ppm", encoded(picture, "PPM"))), "debian:netpbm", "ppmtogif")
    path = temporary("xmp.gif", encoded(picture, "GIF"))
    run("exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=Lake", "-Comment=May", path)
    group.put("gif/exiftool-xmp.gif", path, "debian:libimage-exiftool-perl", "an XMP application extension and a comment")
    group.put("gif/one-pixel.gif", encoded(Image.new("P", (1, 1)), "GIF"), "pypi:pillow", "1 x 1, as mail has")


def gif87(source) -> pathlib.Path:
    run(CONVERT, source, "GIF87:" + str(temporary("im87.gif")))
    return temporary("im87.gif")


def avif(group):
    source = temporary("lake.png", encoded(sources.gradient(), "PNG"))
    clear = temporary("clear.png", encoded(sources.flat(60, 40, "RGBA"), "PNG"))
    for name, picture, options in [("420", source, ["-y", "420"]), ("444", source, ["-y", "444"]), ("10-bit", source, ["-d", "10"]), ("lossless", source, ["--lossless"]), ("alpha", clear, []), ("rotated", source, ["--irot", "1"]), ("monochrome", source, ["-y", "400"])]:
        group.put(f"avif/avifenc-{name}.avif", made_by("a.avif", "avifenc", "-s", "8", *options, picture), "debian:libavif-bin", "avifenc " + " ".join(options))
    run("avifenc", "-s", "9", "--fps", "5", source, source, temporary("seq.avif"))
    group.put("avif/avifenc-sequence.avif", temporary("seq.avif"), "debian:libavif-bin", "an image sequence (avis)")
    group.put("avif/pillow.avif", encoded(sources.gradient(), "AVIF"), "pypi:pillow", "save")
    exif = Image.Exif()
    exif[0x0112] = 6
    group.put("avif/pillow-exif.avif", encoded(sources.gradient(), "AVIF", exif=exif), "pypi:pillow", "with EXIF")
    run("heif-enc", "-A", source, "-o", temporary("h.avif"))
    group.put("avif/heif-enc.avif", temporary("h.avif"), "debian:libheif-examples", "heif-enc -A")


def heic(group):
    source = temporary("lake.png", encoded(sources.gradient(), "PNG"))
    clear = temporary("clear.png", encoded(sources.flat(60, 40, "RGBA"), "PNG"))
    for name, picture, options in [("plain", source, []), ("lossless", source, ["-L"]), ("thumbnail", source, ["-t", "32"]), ("alpha", clear, []), ("quality", source, ["-q", "20"])]:
        run("heif-enc", *options, picture, "-o", temporary("h.heic"))
        group.put(f"heic/heif-enc-{name}.heic", temporary("h.heic"), "debian:libheif-examples", "heif-enc " + " ".join(options))
    picture = pillow_heif.from_pillow(sources.gradient())
    picture.add_from_pillow(sources.flat(48, 32))
    out = io.BytesIO()
    picture.save(out, quality=40)
    group.put("heic/pillow-heif-two.heic", out.getvalue(), "pypi:pillow-heif", "two pictures")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Apple", "iPhone 15"
    exif[0x8825] = {1: "N", 2: (47.0, 22.0, 0.0)}
    group.put("heic/IMG_0001.HEIC", encoded(sources.gradient(), "HEIF", exif=exif, quality=50, icc_profile=make_profile("DisplayP3")), "pypi:pillow-heif", "EXIF of a phone and a Display P3 profile")
    group.put("heic/pillow-heif.heif", encoded(sources.gradient(), "HEIF"), "pypi:pillow-heif", "the extension .heif")


def tiff(group):
    picture = sources.gradient()
    for how in ["raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg", "tiff_adobe_deflate"]:
        group.put(f"tiff/pillow-{how.removeprefix('tiff_')}.tif", encoded(picture.resize((48, 32)), "TIFF", compression=how), "pypi:pillow", f"compression={how}")
    page = temporary("page.tiff", encoded(sources.flat(200, 280, "1"), "TIFF"))
    for how in ["g3", "g4", "lzw", "zip"]:
        group.put(f"tiff/tiffcp-{how}.tiff", made_by("t.tiff", "tiffcp", "-c", how, page), "debian:libtiff-tools", f"tiffcp -c {how}")
    group.put("tiff/tiffcp-tiles.tiff", made_by("t.tiff", "tiffcp", "-t", "-w", "32", "-l", "32", "-c", "zip", temporary("rgb.tiff", encoded(picture, "TIFF"))), "debian:libtiff-tools", "tiffcp -t: tiles")
    group.put("tiff/tiffcp-big-endian.tiff", made_by("t.tiff", "tiffcp", "-B", "-c", "lzw", temporary("rgb.tiff")), "debian:libtiff-tools", "tiffcp -B")
    group.put("tiff/tiffcp-bigtiff.tiff", made_by("t.tiff", "tiffcp", "-8", "-c", "zip", temporary("rgb.tiff")), "debian:libtiff-tools", "tiffcp -8: BigTIFF")
    group.put("tiff/tiffcp-planes.tiff", made_by("t.tiff", "tiffcp", "-p", "separate", "-c", "zip", temporary("rgb.tiff")), "debian:libtiff-tools", "tiffcp -p separate")
    group.put("tiff/pillow-pages.tiff", encoded(picture, "TIFF", save_all=True, append_images=[sources.flat(48, 32)], compression="tiff_lzw"), "pypi:pillow", "two pages")
    group.put("tiff/imagemagick-cmyk.tif", made_by("im.tif", CONVERT, temporary("rgb.tiff"), "-colorspace", "CMYK", "-compress", "LZW"), "debian:imagemagick", "CMYK, LZW")
    group.put("tiff/imagemagick-16-bit.tif", made_by("im.tif", CONVERT, temporary("rgb.tiff"), "-depth", "16", "-compress", "Zip"), "debian:imagemagick", "16 bits")
    group.put("tiff/ghostscript-fax.tif", ghostscript("tiffg4", "fax.tif"), "debian:ghostscript", "a fax: the device tiffg4")
    group.put("tiff/ffmpeg.tiff", made_by("ff.tiff", "ffmpeg", "-v", "error", "-y", "-i", temporary("rgb.tiff"), "-compression_algo", "deflate"), "debian:ffmpeg", "ffmpeg")
    out = io.BytesIO()
    import numpy
    tifffile.imwrite(out, numpy.zeros((2, 30, 40), numpy.float32), compression="zlib", metadata={"axes": "ZYX"})
    group.put("tiff/tifffile-float.tif", out.getvalue(), "pypi:tifffile", "floats of a microscope, two pages")


def svg(group):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plot
    figure, axes = plot.subplots(figsize=(2, 1.5))
    axes.plot([1, 2])
    out = io.BytesIO()
    figure.savefig(out, format="svg")
    group.put("svg/matplotlib.svg", out.getvalue(), "pypi:matplotlib", "savefig: clip paths, use of own definitions, a DOCTYPE")
    group.put("svg/graphviz.svg", run("dot", "-Tsvg", data=b"digraph { lake -> jetty }"), "debian:graphviz", "dot -Tsvg")
    run("gnuplot", "-e", f"set terminal svg; set output '{temporary('g.svg')}'; plot sin(x)")
    group.put("svg/gnuplot.svg", temporary("g.svg"), "debian:gnuplot-nox", "terminal svg")
    run("/usr/bin/python3", "-c", "import cairo,sys\ns=cairo.SVGSurface(sys.argv[1],90,60)\nc=cairo.Context(s)\nc.rectangle(9,9,50,30);c.set_source_rgba(1,0,0,.5);c.fill();c.move_to(9,50);c.show_text('lake');s.finish()", temporary("c.svg"))
    group.put("svg/cairo.svg", temporary("c.svg"), "debian:python3-cairo", "SVGSurface: glyphs as use")
    run("Rscript", "-e", f"svg('{temporary('r.svg')}', 2, 2); plot(1:3); invisible(dev.off())")
    group.put("svg/r.svg", temporary("r.svg"), "debian:r-base-core", "svg(); plot()")
    group.put("svg/inkscape-like.svg", INKSCAPE, "written by hand", "as Inkscape writes: sodipodi, RDF metadata, gradients, a style")
    group.put("svg/icon.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor"><title>Boat</title><path d="M2 20h20L19 12H5z"/><circle cx="12" cy="6" r="3"/></svg>\n', "written by hand", "an icon")
    inline = b"".join([b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image width="9" height="9" xlink:href="data:image/png;base64,', base64.b64encode(encoded(Image.new("RGB", (1, 1)), "PNG")), b'"/></svg>'])
    group.put("svg/inline-picture.svg", inline, "pypi:pillow", "a PNG inside, as data:")


INKSCAPE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="90" height="60" version="1.1" id="svg1" inkscape:version="1.2" sodipodi:docname="lake.svg"
 xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:cc="http://creativecommons.org/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
 <sodipodi:namedview id="n" pagecolor="#ffffff" inkscape:zoom="2"/>
 <defs><linearGradient id="a"><stop style="stop-color:#00f" offset="0"/></linearGradient><linearGradient id="b" xlink:href="#a"/></defs>
 <metadata><rdf:RDF><cc:Work rdf:about=""><dc:title>Lake</dc:title></cc:Work></rdf:RDF></metadata>
 <style>.w { fill: url(#b); font-family: "DejaVu Sans" }</style>
 <g inkscape:groupmode="layer" inkscape:label="Layer 1"><rect class="w" width="90" height="60"/><text x="5" y="20"><tspan>Jetty</tspan></text></g>
</svg>
""".encode()


ALL = [jpeg_of_programs, jpeg_of_pillow, jpeg_of_phones, png, webp, gif, avif, heic, tiff, svg]
