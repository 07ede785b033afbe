"""PDF documents of the programs that people make them with."""

import datetime
import io

import fpdf
import pikepdf
import pypdf
import pypdf.annotations
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

import sources
from corpus import chromium, node, office, run, temporary

DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def two_pages() -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    for number, text in enumerate(sources.PARAGRAPHS[:2], start=1):
        page.drawString(72, 720, text)
        page.bookmarkPage(f"p{number}")
        page.addOutlineEntry(f"Page {number}", f"p{number}")
        page.showPage()
    page.save()
    return out.getvalue()


def of_libreoffice(group):
    text = temporary("minutes.html", sources.HTML)
    odt = next(office("odt", [text], "writer8").iterdir())
    for name, options, how in [
        ("default", {}, "writer_pdf_Export"),
        ("pdf-1.5", {"SelectPdfVersion": 15}, "PDF 1.5"),
        ("pdf-1.7-tagged", {"SelectPdfVersion": 17, "UseTaggedPDF": True, "ExportBookmarks": True}, "PDF 1.7, tagged, bookmarks"),
        ("pdfa-1b", {"SelectPdfVersion": 1}, "PDF/A-1b"),
        ("pdfa-2b", {"SelectPdfVersion": 2}, "PDF/A-2b"),
        ("pdfa-3b", {"SelectPdfVersion": 3}, "PDF/A-3b"),
        ("pdfua", {"PDFUACompliance": True}, "PDF/UA"),
        ("opens-at-page", {"InitialView": 1, "InitialPage": 1, "Magnification": 2, "OpenInFullScreenMode": False}, "opens at a page: /OpenAction is a destination"),
        ("links", {"ConvertOOoTargetToPDFTarget": True, "ExportLinksRelativeFsys": True}, "links to other documents"),
    ]:
        pairs = ",".join(f'"{key}":{{"type":"{kind(value)}","value":"{str(value).lower()}"}}' for key, value in options.items())
        out = next(office("pdf", [odt], f"writer_pdf_Export:{{{pairs}}}").iterdir())
        group.put(f"pdf/libreoffice-{name}.pdf", out, "debian:libreoffice-core-nogui", f"soffice --convert-to pdf, {how}")
    table = temporary("boats.csv", "boat,price\nraft,12.50\nkayak,80\n")
    group.put("pdf/libreoffice-calc.pdf", next(office("pdf", [table], "calc_pdf_Export").iterdir()), "debian:libreoffice-core-nogui", "calc_pdf_Export of a CSV file")
    from pptx import Presentation
    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    slide.shapes.title.text = sources.TITLE
    path = temporary("slides.pptx")
    slides.save(path)
    options = '{"ExportNotesPages":{"type":"boolean","value":"true"},"UseTransitionEffects":{"type":"boolean","value":"true"}}'
    group.put("pdf/libreoffice-impress.pdf", next(office("pdf", [path], f"impress_pdf_Export:{options}").iterdir()), "debian:libreoffice-core-nogui", "impress_pdf_Export with notes and transitions")
    form = temporary("form.html", "<form><p>Name <input type=text name=a> <input type=checkbox name=b> <select><option>x<option>y</select></form>")
    group.put("pdf/libreoffice-form.pdf", next(office("pdf", [form], "writer_web_pdf_Export").iterdir()), "debian:libreoffice-core-nogui", "a web form with fields, without scripts")


def kind(value) -> str:
    return "boolean" if isinstance(value, bool) else "long"


def of_ghostscript(group):
    ps = temporary("page.ps", sources.POSTSCRIPT)
    for level in ["1.3", "1.4", "1.5", "1.6", "1.7", "2.0"]:
        out = temporary("gs.pdf")
        run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", f"-dCompatibilityLevel={level}", "-o", out, ps)
        group.put(f"pdf/ghostscript-{level}.pdf", out, "debian:ghostscript", f"pdfwrite -dCompatibilityLevel={level}")
    for name, options in [
        ("linearized", ["-dFastWebView=true"]),
        ("uncompressed", ["-dCompressPages=false", "-dCompressFonts=false", "-dCompressStreams=false"]),
        ("ascii", ["-dASCII85EncodePages=true", "-dCompressPages=true"]),
        ("cmyk", ["-sColorConversionStrategy=CMYK"]),
        ("screen", ["-dPDFSETTINGS=/screen"]),
        ("prepress", ["-dPDFSETTINGS=/prepress"]),
    ]:
        out = temporary("gs.pdf")
        run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", *options, "-o", out, ps)
        group.put(f"pdf/ghostscript-{name}.pdf", out, "debian:ghostscript", "pdfwrite " + " ".join(options))
    marks = temporary("marks.ps", sources.POSTSCRIPT.replace("showpage\n/Times", """
        [ /Title (Planks) /Page 1 /OUT pdfmark [ /Title (Key) /Page 2 /Count 0 /OUT pdfmark
        [ /Rect [72 500 272 600] /Action << /Subtype /URI /URI (https://developer.example/docs/JavaScript) >> /Subtype /Link /ANN pdfmark
        [ /Rect [72 400 272 450] /Page 2 /View [/XYZ 0 700 null] /Subtype /Link /ANN pdfmark
        [ /Rect [300 700 330 730] /Contents (a note) /Subtype /Text /ANN pdfmark
        [ /PageMode /UseOutlines /Page 2 /View [/Fit] /DOCVIEW pdfmark
        [ /Title (Minutes) /Author (Ada) /DOCINFO pdfmark
        showpage\n/Times"""))
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", temporary("gs.pdf"), marks)
    group.put("pdf/ghostscript-marks.pdf", temporary("gs.pdf"), "debian:ghostscript", "pdfmark: outline, links, a note, /OpenAction with a destination")
    icc = "/usr/share/color/icc/ghostscript/srgb.icc"
    definition = temporary("PDFA_def.ps", f"""%!
        [/_objdef {{icc_PDFA}} /type /stream /OBJ pdfmark [{{icc_PDFA}} <</N 3>> /PUT pdfmark
        [{{icc_PDFA}} ({icc}) (r) file /PUT pdfmark [/_objdef {{OutputIntent_PDFA}} /type /dict /OBJ pdfmark
        [{{OutputIntent_PDFA}} << /Type /OutputIntent /S /GTS_PDFA1 /DestOutputProfile {{icc_PDFA}} /OutputConditionIdentifier (sRGB) >> /PUT pdfmark
        [{{Catalog}} <</OutputIntents [ {{OutputIntent_PDFA}} ]>> /PUT pdfmark""")
    run("gs", "-q", "-dNOSAFER", "-dPDFA=2", "-dBATCH", "-dNOPAUSE", "-sColorConversionStrategy=RGB", "-dPDFACompatibilityPolicy=1", "-sDEVICE=pdfwrite", "-o", temporary("gs.pdf"), definition, ps)
    group.put("pdf/ghostscript-pdfa-2b.pdf", temporary("gs.pdf"), "debian:ghostscript", "pdfwrite -dPDFA=2 with an sRGB output intent")
    group.put("pdf/ghostscript-image.pdf", image_pdf("pdfimage24"), "debian:ghostscript", "the device pdfimage24: a page as a picture")


def image_pdf(device: str) -> bytes:
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", f"-sDEVICE={device}", "-r30", "-o", temporary("image.pdf"), temporary("page.ps", sources.POSTSCRIPT))
    return temporary("image.pdf").read_bytes()


def of_tex(group):
    folder = temporary("tex/x", b"").parent
    (folder / "minutes.tex").write_text(sources.LATEX)
    for _ in range(2):
        run("pdflatex", "-interaction=batchmode", "minutes.tex", cwd=folder)
    group.put("pdf/pdflatex-hyperref.pdf", folder / "minutes.pdf", "debian:texlive-latex-base", "pdflatex with hyperref: object streams, /OpenAction is a destination, named destinations")
    run("latex", "-interaction=batchmode", "minutes.tex", cwd=folder)
    run("dvips", "-q", "-o", "minutes.ps", "minutes.dvi", cwd=folder)
    run("ps2pdf", "minutes.ps", "old.pdf", cwd=folder)
    group.put("pdf/latex-dvips-ps2pdf.pdf", folder / "old.pdf", "debian:texlive-latex-base", "latex, dvips, ps2pdf")
    (folder / "plain.tex").write_text(sources.LATEX.replace(r"\usepackage[utf8]{inputenc}", r"\pdfminorversion=4\pdfobjcompresslevel=0\pdfcompresslevel=0"))
    run("pdflatex", "-interaction=batchmode", "plain.tex", cwd=folder)
    group.put("pdf/pdflatex-1.4.pdf", folder / "plain.pdf", "debian:texlive-latex-base", "pdflatex, PDF 1.4 without compression")
    (folder / "xe.tex").write_text(sources.LATEX.replace(r"\usepackage[utf8]{inputenc}", r"\usepackage{fontspec}\setmainfont{DejaVu Sans}"))
    run("xelatex", "-interaction=batchmode", "xe.tex", cwd=folder)
    group.put("pdf/xelatex.pdf", folder / "xe.pdf", "debian:texlive-xetex", "xelatex, written by xdvipdfmx")
    text = temporary("minutes.md", sources.MARKDOWN.replace("$E = mc^2$", "").replace("`code`", "").replace("**bold**", ""))
    run("pandoc", text, "-o", folder / "pandoc.pdf")
    group.put("pdf/pandoc-pdflatex.pdf", folder / "pandoc.pdf", "debian:pandoc", "pandoc minutes.md -o minutes.pdf")


def of_browsers(group):
    group.put("pdf/chromium-page.pdf", chromium(sources.HTML), "debian:chromium", "--print-to-pdf: tagged, links, two pages")
    form = "<form><label>Name <input name=a value=Ada></label><input type=checkbox checked><select><option>x</select><button>Go</button></form>"
    group.put("pdf/chromium-form.pdf", chromium(form), "debian:chromium", "--print-to-pdf of a form")
    outline = sources.HTML.replace("<h1>", "<h1 id=top>").replace("</body>", "<a href='#top'>up</a></body>")
    group.put("pdf/chromium-outline.pdf", chromium(outline, "--generate-pdf-document-outline"), "debian:chromium", "--generate-pdf-document-outline, an inner link")
    rtl = "<html dir=rtl lang=ar><body><p>محضر لجنة البحيرة</p><p>日本語の議事録 😀</p></body></html>"
    group.put("pdf/chromium-scripts.pdf", chromium(rtl), "debian:chromium", "--print-to-pdf of Arabic, Japanese and emoji")
    svg = "<svg width=200 height=100><defs><linearGradient id=g><stop stop-color=red /><stop offset=1 stop-color=blue /></linearGradient></defs><rect width=200 height=100 fill='url(#g)' opacity=.5 /></svg>"
    group.put("pdf/chromium-drawing.pdf", chromium(svg), "debian:chromium", "--print-to-pdf of an SVG drawing with transparency")
    html = temporary("minutes.html", sources.HTML)
    run("wkhtmltopdf", "-q", html, temporary("wk.pdf"), env={"QT_QPA_PLATFORM": "offscreen"})
    group.put("pdf/wkhtmltopdf.pdf", temporary("wk.pdf"), "debian:wkhtmltopdf", "wkhtmltopdf minutes.html")
    import weasyprint
    page = weasyprint.HTML(string=sources.HTML)
    group.put("pdf/weasyprint.pdf", page.write_pdf(), "pypi:weasyprint", "HTML(...).write_pdf()")
    group.put("pdf/weasyprint-pdfa-3b.pdf", page.write_pdf(pdf_variant="pdf/a-3b"), "pypi:weasyprint", "pdf_variant=pdf/a-3b")
    group.put("pdf/weasyprint-ua.pdf", page.write_pdf(pdf_variant="pdf/ua-1"), "pypi:weasyprint", "pdf_variant=pdf/ua-1")
    fields = weasyprint.HTML(string="<style>* { font-family: 'Liberation Mono' }</style><form><input name=a><input type=checkbox name=b></form>")
    group.put("pdf/weasyprint-form.pdf", fields.write_pdf(pdf_forms=True), "pypi:weasyprint", "pdf_forms=True")


def of_reportlab(group):
    def made(name, how, draw, **options):
        out = io.BytesIO()
        page = canvas.Canvas(out, pagesize=A4, **options)
        draw(page)
        page.save()
        group.put(f"pdf/reportlab-{name}.pdf", out.getvalue(), "pypi:reportlab", how)

    def link(page):
        page.drawString(72, 720, sources.PARAGRAPHS[3])
        page.linkURL("https://developer.example/docs/Web/JavaScript", (72, 700, 300, 740))
        page.linkURL("https://developer.example/a(b)/JavaScript /JS", (72, 600, 300, 640))

    def fields(page):
        page.drawString(72, 740, "Sign up for the swim")
        page.acroForm.textfield(name="name", tooltip="Name", x=72, y=700)
        page.acroForm.checkbox(name="swim", x=72, y=650)
        page.acroForm.choice(name="boat", value="raft", options=["raft", "kayak"], x=72, y=600)
        page.acroForm.radio(name="r", value="a", selected=True, x=72, y=560)
        page.acroForm.radio(name="r", value="b", x=100, y=560)

    def words(page):
        pdfmetrics.registerFont(TTFont("DejaVu", DEJAVU))
        page.setFont("DejaVu", 12)
        page.drawString(72, 720, "Привет, Grüße, こんにちは")

    def names(page):
        for line, text in enumerate(["/JavaScript /Launch /OpenAction /JS (x)", "5 0 obj <</S/JavaScript>>", "%%EOF startxref 0"]):
            page.drawString(72, 720 - 20 * line, text)

    def pictures(page):
        for number, form in enumerate(["PNG", "JPEG"]):
            path = temporary(f"inline.{form.lower()}", sources.encoded(sources.flat(60, 40), form))
            page.drawImage(str(path), 72, 700 - 100 * number)
            page.drawInlineImage(str(path), 300, 700 - 100 * number)

    made("link", "an address with the word JavaScript", link)
    made("form", "an AcroForm of four fields without scripts", fields)
    made("truetype", "an embedded subset of DejaVu Sans", words)
    made("names", "a CV of a programmer: names of actions and PDF syntax inside strings, page streams without compression", names, pageCompression=0)
    made("pictures", "pictures, also inline", pictures)
    group.put("pdf/reportlab-outline.pdf", two_pages(), "pypi:reportlab", "two pages with an outline")


def of_fpdf(group):
    def made(name, how, draw=lambda page: None, **options):
        page = fpdf.FPDF(**options)
        page.add_page()
        page.set_font("Helvetica", size=12)
        page.multi_cell(0, 8, sources.PARAGRAPHS[1].replace("€", "EUR"))
        draw(page)
        group.put(f"pdf/fpdf2-{name}.pdf", bytes(page.output()), "pypi:fpdf2", how)

    def outline(page):
        page.start_section("Planks")
        page.write_html("<a href='https://en.wikipedia.example/wiki/JavaScript'>JavaScript</a> <b>bold</b>")

    made("plain", "FPDF().output()")
    made("outline-link", "start_section and a link about JavaScript", outline)
    made("note", "a text annotation and a highlight", lambda page: (page.text_annotation(50, 50, "a note"), page.highlight("x", type="Squiggly")))
    made("ink-transitions", "a page label and an ink annotation", lambda page: page.ink_annotation([(10, 10), (50, 50), (90, 10)], title="ink"))


def of_drawing_programs(group):
    run("/usr/bin/python3", "-c", "import cairo,sys\ns=cairo.PDFSurface(sys.argv[1],300,200)\nc=cairo.Context(s)\nc.tag_begin('Link',\"uri='https://a.example/JavaScript'\")\nc.move_to(20,40);c.set_font_size(20);c.show_text('Cairo')\nc.tag_end('Link')\ns.set_metadata(cairo.PDFMetadata.TITLE,'x')\ns.show_page();c.rectangle(9,9,90,90);c.set_source_rgba(1,0,0,.5);c.fill();s.finish()", temporary("cairo.pdf"))
    group.put("pdf/cairo.pdf", temporary("cairo.pdf"), "debian:python3-cairo", "PDFSurface with a link")
    import cairosvg
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><rect width='90' height='60' fill='teal'/><text x='9' y='30'>lake</text></svg>"
    group.put("pdf/cairosvg.pdf", cairosvg.svg2pdf(bytestring=drawing.encode()), "pypi:cairosvg", "svg2pdf")
    run("rsvg-convert", "-f", "pdf", "-o", temporary("rsvg.pdf"), temporary("drawing.svg", drawing))
    group.put("pdf/rsvg-convert.pdf", temporary("rsvg.pdf"), "debian:librsvg2-bin", "rsvg-convert -f pdf")
    import matplotlib
    matplotlib.use("pdf")
    import matplotlib.pyplot as plot
    for font in [3, 42]:
        matplotlib.rcParams["pdf.fonttype"] = font
        figure, axes = plot.subplots(figsize=(3, 2))
        axes.plot([1, 2, 3], [1, 4, 9])
        axes.set_title("Levels of the lake (α)")
        out = io.BytesIO()
        figure.savefig(out, format="pdf")
        group.put(f"pdf/matplotlib-type{font}.pdf", out.getvalue(), "pypi:matplotlib", f"savefig, fonttype {font}")
    run("gnuplot", "-e", f"set terminal postscript color; set output '{temporary('plot.ps')}'; plot sin(x)")
    run("ps2pdf", temporary("plot.ps"), temporary("plot.pdf"))
    group.put("pdf/gnuplot-ps2pdf.pdf", temporary("plot.pdf"), "debian:gnuplot-nox", "postscript terminal, ps2pdf")
    group.put("pdf/graphviz.pdf", run("dot", "-Tpdf", data=b"digraph { lake -> jetty -> boat [label=plank] }"), "debian:graphviz", "dot -Tpdf")
    run("Rscript", "-e", f"pdf('{temporary('r.pdf')}'); plot(1:9, main='R'); invisible(dev.off())")
    group.put("pdf/r-plot.pdf", temporary("r.pdf"), "debian:r-base-core", "pdf(); plot()")
    png = temporary("lake.png", sources.encoded(sources.flat(90, 60), "PNG"))
    run("gm", "convert", png, temporary("gm.pdf"))
    group.put("pdf/graphicsmagick.pdf", temporary("gm.pdf"), "debian:graphicsmagick", "gm convert lake.png lake.pdf")


def of_scanners(group):
    jpeg = temporary("scan.jpg", sources.encoded(sources.gradient(), "JPEG", dpi=(150, 150)))
    png = temporary("scan.png", sources.encoded(sources.flat(200, 280, "1"), "PNG"))
    run("img2pdf", jpeg, "-o", temporary("img.pdf"))
    group.put("pdf/img2pdf-jpeg.pdf", temporary("img.pdf"), "debian:img2pdf", "img2pdf of a JPEG")
    run("img2pdf", png, "-o", temporary("img.pdf"))
    group.put("pdf/img2pdf-ccitt.pdf", temporary("img.pdf"), "debian:img2pdf", "img2pdf of a black and white page: CCITT group 4")
    for how, mode, options in [("group4", "1", []), ("flate", "L", ["-z"]), ("jpeg", "RGB", ["-j", "-q", "70"])]:
        tiff = temporary("scan.tiff", sources.encoded(sources.flat(200, 280, mode), "TIFF", compression="group4" if mode == "1" else None))
        run("tiff2pdf", *options, "-o", temporary("t.pdf"), tiff)
        group.put(f"pdf/tiff2pdf-{how}.pdf", temporary("t.pdf"), "debian:libtiff-tools", f"tiff2pdf {' '.join(options)} of a TIFF ({how})")
    pages = [sources.flat(100, 140), sources.gradient()]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], title="scan")
    group.put("pdf/pillow-two-pages.pdf", out.getvalue(), "pypi:pillow", "save_all")
    text = temporary("scan.pdf", two_pages())
    run("pdftocairo", "-pdf", text, temporary("cairo.pdf"))
    group.put("pdf/poppler-pdftocairo.pdf", temporary("cairo.pdf"), "debian:poppler-utils", "pdftocairo -pdf")
    padded = two_pages() + b"\0" * 4096
    group.put("pdf/scanner-padding.pdf", padded, "pypi:reportlab", "padded with NULs to a whole block, as devices do")


def of_tools(group):
    plain = temporary("plain.pdf", two_pages())
    for name, options, how in [
        ("linearized", ["--linearize"], ""),
        ("object-streams", ["--object-streams=generate"], ""),
        ("no-streams", ["--object-streams=disable", "--stream-data=uncompress"], ""),
        ("qdf", ["--qdf", "--object-streams=disable"], ""),
        ("2.0", ["--force-version=2.0", "--object-streams=generate"], ""),
        ("1.3", ["--force-version=1.3"], ""),
        ("newline", ["--newline-before-endstream", "--normalize-content=y"], ""),
        ("all-filters", ["--recompress-flate", "--compression-level=1"], ""),
    ]:
        run("qpdf", *options, plain, temporary("q.pdf"))
        group.put(f"pdf/qpdf-{name}.pdf", temporary("q.pdf"), "debian:qpdf", "qpdf " + " ".join(options))
    run("mutool", "clean", "-gggg", "-z", plain, temporary("m.pdf"))
    group.put("pdf/mutool-clean.pdf", temporary("m.pdf"), "debian:mupdf-tools", "mutool clean -gggg -z")
    run("mutool", "create", "-o", temporary("mc.pdf"), temporary("page.txt", "%%MediaBox 0 0 300 200\n%%Font F Times-Roman\nBT /F 14 Tf 20 100 Td (mutool) Tj ET\n"))
    group.put("pdf/mutool-create.pdf", temporary("mc.pdf"), "debian:mupdf-tools", "mutool create")
    other = temporary("other.pdf", image_pdf("pdfimage8"))
    run("pdfunite", plain, other, temporary("u.pdf"))
    group.put("pdf/poppler-pdfunite.pdf", temporary("u.pdf"), "debian:poppler-utils", "pdfunite")
    run("pdfseparate", "-f", "2", "-l", "2", plain, temporary("s.pdf"))
    group.put("pdf/poppler-pdfseparate.pdf", temporary("s.pdf"), "debian:poppler-utils", "pdfseparate")
    run("pdftk", plain, "cat", "2", "1", "output", temporary("k.pdf"))
    group.put("pdf/pdftk-cat.pdf", temporary("k.pdf"), "debian:pdftk-java", "pdftk cat 2 1")
    run("pdftk", plain, "stamp", other, "output", temporary("k.pdf"))
    group.put("pdf/pdftk-stamp.pdf", temporary("k.pdf"), "debian:pdftk-java", "pdftk stamp")
    copy = temporary("exif.pdf", two_pages())
    run("exiftool", "-q", "-overwrite_original", "-Title=Minutes", "-Author=Ada", "-XMP-dc:Subject=lake", copy)
    group.put("pdf/exiftool-update.pdf", copy, "debian:libimage-exiftool-perl", "exiftool -Title: an incremental update with a comment before it")


def of_python_tools(group):
    writer = pypdf.PdfWriter(io.BytesIO(two_pages()), incremental=True)
    writer.add_annotation(0, pypdf.annotations.FreeText(text="a note", rect=(72, 600, 300, 650)))
    out = io.BytesIO()
    writer.write(out)
    group.put("pdf/pypdf-incremental.pdf", out.getvalue(), "pypi:pypdf", "an incremental update with a note")
    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(two_pages()))
    writer.append(io.BytesIO(two_pages()))
    writer.add_metadata({"/Title": "Minutes"})
    for page in writer.pages:
        page.compress_content_streams()
    out = io.BytesIO()
    writer.write(out)
    group.put("pdf/pypdf-merged.pdf", out.getvalue(), "pypi:pypdf", "two documents in one")
    for name, options in [("object-streams", {"object_stream_mode": pikepdf.ObjectStreamMode.generate}), ("linearized", {"linearize": True}), ("static", {"deterministic_id": True, "compress_streams": False})]:
        with pikepdf.open(io.BytesIO(two_pages())) as pdf:
            with pdf.open_metadata() as meta:
                meta["dc:title"] = "Minutes"
            pdf.Root.PageLabels = pikepdf.Dictionary(Nums=[0, pikepdf.Dictionary(S=pikepdf.Name.r)])
            out = io.BytesIO()
            pdf.save(out, **options)
        group.put(f"pdf/pikepdf-{name}.pdf", out.getvalue(), "pypi:pikepdf", f"save({name}), XMP and page labels")
    with pikepdf.open(io.BytesIO(two_pages())) as pdf:
        page, other = pdf.pages
        page.Annots = pdf.make_indirect([
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=[other.obj, pikepdf.Name.Fit])),
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 9, 9, 19], A=pikepdf.Dictionary(S=pikepdf.Name.Named, N=pikepdf.Name.NextPage)),
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Highlight, Rect=[72, 700, 200, 730], QuadPoints=[72, 730, 200, 730, 72, 700, 200, 700], Contents="see /JavaScript"),
        ])
        out = io.BytesIO()
        pdf.save(out)
    group.put("pdf/pikepdf-actions.pdf", out.getvalue(), "pypi:pikepdf", "links that go to a page: GoTo and Named NextPage")
    with pikepdf.open(io.BytesIO(two_pages())) as pdf:
        layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Plan"))
        pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(Order=[layer]))
        pdf.pages[0].Annots = [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=pikepdf.Dictionary(S=pikepdf.Name.SetOCGState, State=[pikepdf.Name.Toggle, layer]))]
        out = io.BytesIO()
        pdf.save(out)
    group.put("pdf/pikepdf-layers.pdf", out.getvalue(), "pypi:pikepdf", "layers and a link that switches one (SetOCGState)")


def of_signers(group):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada")])
    begin = datetime.datetime(2026, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
                   .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9000)).sign(key, hashes.SHA256()))
    files = [temporary("key.pem", key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())),
             temporary("cert.pem", certificate.public_bytes(serialization.Encoding.PEM))]
    signer = signers.SimpleSigner.load(*map(str, files))
    for label, options in [("signature", {}), ("certified", {"certify": True, "docmdp_permissions": fields.MDPPerm.FILL_FORMS}), ("pades", {"subfilter": fields.SigSeedSubFilter.PADES})]:
        writer = IncrementalPdfFileWriter(io.BytesIO(two_pages()))
        out = signers.sign_pdf(writer, signers.PdfSignatureMetadata(field_name="Sig", **options), signer=signer)
        group.put(f"pdf/pyhanko-{label}.pdf", out.getvalue(), "pypi:pyhanko", f"sign_pdf, {label}")


def of_javascript_libraries(group):
    for name, script in [
        ("pdfkit", "const P=require('pdfkit');const d=new P({info:{Title:'Minutes'}});d.pipe(process.stdout);d.text('The jetty needs new planks.');d.addPage().text('x',{link:'https://a.example/docs/JavaScript'});d.outline.addItem('Planks');d.end();"),
        ("pdfkit-form", "const P=require('pdfkit');const d=new P({pdfVersion:'1.7',tagged:true,lang:'en'});d.pipe(process.stdout);d.font('Helvetica');d.initForm();d.formText('name',50,50,200,20,{value:'Ada'});d.formCheckbox('swim',50,90,20,20);d.end();"),
        ("pdf-lib", "const {PDFDocument}=require('pdf-lib');(async()=>{const d=await PDFDocument.create();d.addPage([300,200]).drawText('pdf-lib');d.setTitle('Minutes');process.stdout.write(Buffer.from(await d.save()))})()"),
        ("pdf-lib-form", "const {PDFDocument}=require('pdf-lib');(async()=>{const d=await PDFDocument.create();const p=d.addPage([300,200]);const f=d.getForm();const t=f.createTextField('name');t.setText('Ada');t.addToPage(p,{x:9,y:9});f.createDropdown('boat').addToPage(p);process.stdout.write(Buffer.from(await d.save({useObjectStreams:false})))})()"),
        ("jspdf", "const {jsPDF}=require('jspdf');const d=new jsPDF();d.text('jsPDF',10,10);d.textWithLink('JavaScript',10,30,{url:'https://a.example/wiki/JavaScript'});d.addPage();d.outline.add(null,'Planks',{pageNumber:1});process.stdout.write(Buffer.from(d.output('arraybuffer')))"),
    ]:
        group.put(f"pdf/{name}.pdf", node(script), f"npm:{name.removesuffix('-form')}", f"Node, {name}")


def of_other_languages(group):
    group.put("pdf/prawn.pdf", run("ruby", "-rprawn", "-e", "d=Prawn::Document.new;d.text 'Prawn';d.start_new_page;d.text '<link href=\"https://a.example/JavaScript\">x</link>',inline_format: true;d.outline.define{page title: 'One',destination: 1};$stdout.binmode;print d.render"), "debian:ruby-prawn", "Prawn with a link and an outline")
    group.put("pdf/tcpdf.pdf", run("php", "-d", "error_reporting=0", "-r", "require '/usr/share/php/tcpdf/tcpdf.php';$p=new TCPDF();$p->AddPage();$p->Write(0,'TCPDF','https://a.example/JavaScript');$p->Bookmark('One');echo $p->Output('x.pdf','S');"), "debian:php-tcpdf", "TCPDF with a bookmark")
    group.put("pdf/perl-api2.pdf", run("perl", "-MPDF::API2", "-e", "my $p=PDF::API2->new();my $g=$p->page();$g->text()->font($p->font('Helvetica'),20);my $t=$g->text();$t->font($p->font('Helvetica'),20);$t->translate(50,700);$t->text('PDF::API2');print $p->to_string();"), "debian:libpdf-api2-perl", "PDF::API2")
    fo = "<fo:root xmlns:fo='http://www.w3.org/1999/XSL/Format'><fo:layout-master-set><fo:simple-page-master master-name='a'><fo:region-body/></fo:simple-page-master></fo:layout-master-set><fo:page-sequence master-reference='a'><fo:flow flow-name='xsl-region-body'><fo:block>FOP <fo:basic-link external-destination=\"url('https://a.example/JavaScript')\">x</fo:basic-link></fo:block></fo:flow></fo:page-sequence></fo:root>"
    run("fop", temporary("a.fo", fo), temporary("fop.pdf"))
    group.put("pdf/apache-fop.pdf", temporary("fop.pdf"), "debian:fop", "fop a.fo a.pdf")
    group.put("pdf/groff.pdf", run("groff", "-Tpdf", "-ms", temporary("x.ms", ".TL\nMinutes\n.PP\nThe jetty needs planks.\n")), "debian:groff", "groff -Tpdf -ms")
    run("enscript", "-q", "-p", temporary("e.ps"), temporary("letter.txt", "Dear Ada,\n\nthe jetty.\n"))
    run("ps2pdf", temporary("e.ps"), temporary("e.pdf"))
    group.put("pdf/enscript-ps2pdf.pdf", temporary("e.pdf"), "debian:enscript", "enscript, ps2pdf")
    run("abiword", "--to=pdf", "-o", temporary("abi.pdf"), temporary("minutes.html", sources.HTML))
    group.put("pdf/abiword.pdf", temporary("abi.pdf"), "debian:abiword", "abiword --to=pdf")
    run("ssconvert", temporary("boats.csv", "boat,price\nraft,12.50\n"), temporary("gnumeric.pdf"))
    group.put("pdf/gnumeric.pdf", temporary("gnumeric.pdf"), "debian:gnumeric", "ssconvert boats.csv boats.pdf")
    import typst
    text = temporary("t/minutes.typ", '#set document(title: "Minutes")\n#outline()\n= Planks\n#link("https://a.example/JavaScript")[the form] $ integral x^2 dif x $\n')
    for name, options in [("default", {}), ("pdfa-2b", {"pdf_standards": "a-2b"})]:
        group.put(f"pdf/typst-{name}.pdf", typst.compile(str(text), format="pdf", **options), "pypi:typst", f"typst compile {name}")


ALL = [of_libreoffice, of_ghostscript, of_tex, of_browsers, of_reportlab, of_fpdf, of_drawing_programs, of_scanners, of_tools,
       of_python_tools, of_signers, of_javascript_libraries, of_other_languages]
