"""Documents, tables and slides of the programs that people make them with."""

import datetime
import io
import zipfile

import docx
import docxtpl
import odf.draw
import odf.opendocument
import odf.style
import odf.table
import odf.text
import openpyxl
import openpyxl.chart
import openpyxl.comments
import openpyxl.drawing.image
import openpyxl.formatting.rule
import openpyxl.styles
import openpyxl.worksheet.datavalidation
import openpyxl.worksheet.table
import pptx
import pptx.chart.data
import pptx.enum.chart
import pptx.enum.shapes
import pptx.util
import xlsxwriter
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

import sources
from corpus import node, office, run, temporary


def saved(document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def picture(form: str = "PNG") -> io.BytesIO:
    return io.BytesIO(sources.encoded(sources.flat(90, 60), form))


def of_python_docx(group):
    def made(name, how, fill):
        document = docx.Document()
        document.add_heading(sources.TITLE, 0)
        fill(document)
        group.put(f"docx/python-docx-{name}.docx", saved(document), "pypi:python-docx", how)

    def rich(document):
        for text in sources.PARAGRAPHS:
            document.add_paragraph(text, style="List Bullet")
        table = document.add_table(2, 2, style="Table Grid")
        table.cell(0, 0).text, table.cell(1, 1).text = "plank", "12"
        document.add_picture(picture())
        document.add_picture(picture("JPEG"))
        document.add_page_break()
        section = document.add_section()
        section.orientation = WD_ORIENT.LANDSCAPE
        section.header.paragraphs[0].text = "Header"
        document.core_properties.author = "Ada"

    def link(document):
        target = "https://developer.example/docs/Web/JavaScript?a=1&b=2"
        relation = document.part.relate_to(target, docx.opc.constants.RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        element = OxmlElement("w:hyperlink")
        element.set(qn("r:id"), relation)
        run = OxmlElement("w:r")
        run.append(OxmlElement("w:t"))
        run[0].text = "the form"
        element.append(run)
        document.add_paragraph()._p.append(element)
        mail = document.part.relate_to("mailto:ada@example.org", docx.opc.constants.RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        other = OxmlElement("w:hyperlink")
        other.set(qn("r:id"), mail)
        document.add_paragraph()._p.append(other)

    def fields(document):
        for instruction in ["PAGE", "NUMPAGES", "DATE \\@ \"d MMMM yyyy\"", "TOC \\o \"1-3\" \\h \\z \\u", "HYPERLINK \"https://a.example/\"", "REF _Ref1 \\h", "SEQ Figure \\* ARABIC", "AUTHOR", "IF 1 = 1 \"yes\" \"no\""]:
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), f" {instruction} ")
            document.add_paragraph()._p.append(field)

    def comment(document):
        paragraph = document.add_paragraph("The jetty needs planks. DDEAUTO is a word of Excel's manual.")
        document.add_comment(paragraph.runs, text="How many?", author="Grace", initials="G")

    made("plain", "one heading", lambda document: None)
    made("rich", "lists, a table, pictures, a landscape section, a header", rich)
    made("links", "hyperlinks to a page and to an address for mail", link)
    made("fields", "fields of pages, dates, contents, links, sequences", fields)
    made("comment", "a comment; the text names DDEAUTO", comment)
    template = temporary("template.docx")
    document = docx.Document()
    document.add_paragraph("Dear {{ name }}, {% for boat in boats %}{{ boat }} {% endfor %}")
    document.save(template)
    filled = docxtpl.DocxTemplate(template)
    filled.render({"name": "Zoë & Søren", "boats": ["raft", "kayak"]})
    group.put("docx/docxtpl-letter.docx", saved(filled), "pypi:docxtpl", "a letter from a template")


def of_word(group):
    """What Word and Outlook leave in a document, added to one of python-docx."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    name = "http://schemas.openxmlformats.org/package/2006/relationships"

    def external(kind: str, target: str) -> str:
        return f'<Relationships xmlns="{name}"><Relationship Id="rId1" Type="{relations}/{kind}" Target="{target}" TargetMode="External"/></Relationships>'

    def made(label: str, how: str, replace: dict, more: dict):
        document = docx.Document()
        document.add_paragraph(sources.PARAGRAPHS[0])
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(saved(document))) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
            for entry in before.namelist():
                content = before.read(entry)
                for old, new in replace.get(entry, []):
                    content = content.replace(old.encode(), new.encode())
                after.writestr(entry, content)
            for entry, content in more.items():
                after.writestr(entry, content)
        group.put(f"docx/word-{label}.docx", out.getvalue(), "pypi:python-docx", how)

    template = {"word/settings.xml": [("<w:zoom ", '<w:attachedTemplate xmlns:r="' + relations + '" r:id="rId1"/><w:zoom ')]}
    for label, target in [("normal-template", "Normal.dotm"), ("local-template", "file:///C:\\Users\\ada\\AppData\\Roaming\\Microsoft\\Templates\\Letterhead.dotx"), ("mac-template", "file:////Users/ada/Library/Group%20Containers/UBF8T346G9.Office/Normal.dotm"), ("program-template", "C:\\Program Files\\Microsoft Office\\Templates\\Letter.dotx")]:
        made(label, f"an attached template of this computer: {target}", template, {"word/_rels/settings.xml.rels": external("attachedTemplate", target)})
    made("outlook-cid-image", "a picture of a mail, as Outlook leaves it", {"word/_rels/document.xml.rels": [("</Relationships>", f'<Relationship Id="rId99" Type="{relations}/image" Target="cid:image001.png@01D9" TargetMode="External"/></Relationships>')]}, {})
    custom = '<?xml version="1.0" encoding="UTF-16" standalone="no"?><b:Sources xmlns:b="http://schemas.openxmlformats.org/officeDocument/2006/bibliography"/>'
    made("custom-xml-utf-16", "a list of sources as a custom part in UTF-16", {}, {"customXml/item9.xml": b"\xff\xfe" + custom.encode("utf-16-le")})
    made("directories", "entries for folders, as a packer leaves them", {}, {"word/media/": b"", "empty/": b""})


def of_pandoc(group):
    text = temporary("minutes.md", sources.MARKDOWN + "\n![lake](lake.png)\n")
    temporary("lake.png", sources.encoded(sources.flat(90, 60), "PNG"))
    for kind in ["docx", "odt", "pptx"]:
        run("pandoc", text, "-o", temporary(f"pandoc.{kind}"))
        group.put(f"{kind}/pandoc.{kind}", temporary(f"pandoc.{kind}"), "debian:pandoc", f"pandoc minutes.md -o minutes.{kind}: footnote, formula, table, picture")
        run("pandoc", "--toc", "-s", "-f", "html", temporary("minutes.html", sources.HTML), "-o", temporary(f"toc.{kind}"))
        group.put(f"{kind}/pandoc-html-toc.{kind}", temporary(f"toc.{kind}"), "debian:pandoc", f"pandoc -f html --toc -o minutes.{kind}")


def of_libreoffice(group):
    rich = temporary("o/rich.docx")
    run("pandoc", temporary("o/minutes.md", sources.MARKDOWN), "-o", rich)
    flat = temporary("o/drawing.fodt", FLAT)
    rtf = temporary("o/letter.rtf", r"{\rtf1\ansi{\fonttbl{\f0 Times;}}\f0 Dear Ada,\par the {\b jetty} needs planks. \u8364? \par}")
    odt = office("odt", [rich, flat, rtf], "writer8")
    for path in sorted(odt.iterdir()):
        group.put(f"odt/libreoffice-{path.name}", path, "debian:libreoffice-writer-nogui", f"writer8 from {path.stem}")
    back = office("docx", sorted(odt.iterdir()), "MS Word 2007 XML")
    for path in sorted(back.iterdir()):
        group.put(f"docx/libreoffice-{path.name}", path, "debian:libreoffice-writer-nogui", f"MS Word 2007 XML from {path.stem}")
    strict = office("docx", [flat], "Office Open XML Text")
    group.put("docx/libreoffice-ooxml-text.docx", next(strict.iterdir()), "debian:libreoffice-writer-nogui", "Office Open XML Text")

    book = temporary("o/boats.xlsx", boats())
    table = temporary("o/table.csv", "boat;price\nraft;12,50\nkayak;80\n")
    formulas = temporary("o/sums.fods", FLAT_SHEET)
    ods = office("ods", [book, table, formulas], "calc8")
    for path in sorted(ods.iterdir()):
        group.put(f"ods/libreoffice-{path.name}", path, "debian:libreoffice-calc-nogui", f"calc8 from {path.stem}")
    for path in sorted(office("xlsx", sorted(ods.iterdir()), "Calc MS Excel 2007 XML").iterdir()):
        group.put(f"xlsx/libreoffice-{path.name}", path, "debian:libreoffice-calc-nogui", f"Calc MS Excel 2007 XML from {path.stem}")

    slides = temporary("o/slides.pptx", presentation())
    odp = office("odp", [slides], "impress8")
    group.put("odp/libreoffice-slides.odp", next(odp.iterdir()), "debian:libreoffice-impress-nogui", "impress8 from a PPTX")
    group.put("pptx/libreoffice-slides.pptx", next(office("pptx", list(odp.iterdir()), "Impress MS PowerPoint 2007 XML").iterdir()), "debian:libreoffice-impress-nogui", "Impress MS PowerPoint 2007 XML")
    shapes = temporary("o/shapes.fodp", FLAT_SLIDES)
    odp = office("odp", [shapes], "impress8")
    group.put("odp/libreoffice-shapes.odp", next(odp.iterdir()), "debian:libreoffice-impress-nogui", "impress8: shapes, a link to the next slide")
    group.put("pptx/libreoffice-shapes.pptx", next(office("pptx", list(odp.iterdir()), "Impress MS PowerPoint 2007 XML").iterdir()), "debian:libreoffice-impress-nogui", "from an ODP: shapes, a link to the next slide")


NAMES = """xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.3\""""

FLAT = f"""<?xml version="1.0" encoding="UTF-8"?><office:document {NAMES} office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:h text:outline-level="1">Plan</text:h><text:p>See <text:a xlink:type="simple" xlink:href="https://a.example/docs/JavaScript">the form</text:a>,
<text:a xlink:type="simple" xlink:href="mailto:ada@example.org">Ada</text:a> and <text:a xlink:type="simple" xlink:href="#Plan">above</text:a>.<office:annotation><dc:creator>Grace</dc:creator><text:p>How many?</text:p></office:annotation></text:p>
<text:p><draw:rect svg:width="3cm" svg:height="2cm" svg:x="1cm" svg:y="1cm"><text:p>Jetty</text:p></draw:rect>
<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Of 2019.</text:p></text:note-body></text:note></text:p>
<text:p><text:page-number/>, <text:date/>, <text:author-name/></text:p></office:text></office:body></office:document>"""

FLAT_SHEET = f"""<?xml version="1.0" encoding="UTF-8"?><office:document {NAMES} office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>
<table:table table:name="Boats"><table:table-row><table:table-cell office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>
<table:table-cell table:formula="of:=SUM([.A1:.A1])*3" office:value-type="float" office:value="6"/></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p><text:a xlink:href="https://a.example/">form</text:a></text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document>"""

FLAT_SLIDES = f"""<?xml version="1.0" encoding="UTF-8"?><office:document {NAMES} office:mimetype="application/vnd.oasis.opendocument.presentation"><office:automatic-styles><style:page-layout style:name="l"/></office:automatic-styles>
<office:master-styles><style:master-page style:name="m" style:page-layout-name="l"/></office:master-styles><office:body><office:presentation>
<draw:page draw:name="a" draw:master-page-name="m"><draw:rect svg:width="3cm" svg:height="2cm" svg:x="1cm" svg:y="1cm"><office:event-listeners>
<presentation:event-listener xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" script:event-name="dom:click" presentation:action="next-page"/></office:event-listeners><text:p>Jetty</text:p></draw:rect></draw:page>
<draw:page draw:name="b" draw:master-page-name="m"/></office:presentation></office:body></office:document>"""


def boats() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [("boat", "price"), ("raft", 12.5), ("kayak", 80), ("sum", "=SUM(B2:B3)")]:
        sheet.append(row)
    return saved(book)


def of_openpyxl(group):
    def made(name, how, fill, **options):
        book = openpyxl.Workbook(**options)
        fill(book)
        group.put(f"xlsx/openpyxl-{name}.xlsx", saved(book), "pypi:openpyxl", how)

    def rich(book):
        sheet = book.active
        sheet.append(["boat", "price", "day"])
        sheet.append(["raft", 12.5, datetime.date(2026, 5, 9)])
        sheet.append(["kayak", "=B2*2", datetime.datetime(2026, 5, 9, 12)])
        sheet["A2"].font = openpyxl.styles.Font(bold=True, color="FF0000")
        sheet["A3"].comment = openpyxl.comments.Comment("two seats", "Ada")
        sheet["A1"].hyperlink = "https://developer.example/docs/Web/JavaScript"
        sheet.merge_cells("E1:F2")
        sheet.freeze_panes = "A2"
        sheet.add_image(openpyxl.drawing.image.Image(picture()), "H2")
        chart = openpyxl.chart.BarChart()
        chart.add_data(openpyxl.chart.Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
        sheet.add_chart(chart, "H9")
        book.create_sheet("Zürich")["A1"] = "=Sheet!B2"
        book.defined_names["price"] = openpyxl.workbook.defined_name.DefinedName("price", attr_text="Sheet!$B$2")

    def rules(book):
        sheet = book.active
        for number in range(5):
            sheet.append([number, "=cmd" if number == 9 else "-1+2"])
        check = openpyxl.worksheet.datavalidation.DataValidation(type="list", formula1='"raft,kayak"')
        sheet.add_data_validation(check)
        check.add("C1")
        sheet.conditional_formatting.add("A1:A5", openpyxl.formatting.rule.ColorScaleRule(start_type="min", start_color="FF0000", end_type="max", end_color="00FF00"))
        sheet.protection.sheet = True
        sheet.print_title_rows = "1:1"

    def table(book):
        book.active.append(["boat", "price"])
        book.active.append(["raft", 3])
        book.active.add_table(openpyxl.worksheet.table.Table(displayName="Boats", ref="A1:B2"))

    made("plain", "one sheet", lambda book: book.active.append(["boat", 1]))
    made("rich", "fonts, dates, a comment (VML), a link, a picture, a chart, two sheets, a name", rich)
    made("rules", "data validation, conditional formats, protection", rules)
    made("table", "a table with a header row", table)
    made("write-only", "write_only=True", lambda book: [book.create_sheet("a").append(range(20)) for _ in range(2)], write_only=True)
    group.put("xlsx/openpyxl-sum.xlsx", boats(), "pypi:openpyxl", "a formula")


def of_xlsxwriter(group):
    def made(name, how, fill, **options):
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, options) as book:
            fill(book, book.add_worksheet("Boats"))
        group.put(f"xlsx/xlsxwriter-{name}.xlsx", out.getvalue(), "pypi:xlsxwriter", how)

    def rich(book, sheet):
        sheet.write_row(0, 0, ["raft", 12.5, "Zoë"], book.add_format({"bold": True}))
        sheet.write_formula("A2", "=SUM(B1:B9)", None, 12.5)
        sheet.write_rich_string("A3", "the ", book.add_format({"italic": True}), "jetty")
        sheet.write_url("A4", "https://a.example/docs/JavaScript", string="form")
        sheet.write_url("A5", "mailto:ada@example.org")
        sheet.write_url("A6", "internal:'Boats'!A1")
        sheet.write_comment("A7", "a comment")
        sheet.insert_image("D1", "lake.png", {"image_data": picture()})
        sheet.insert_textbox("D9", "text")
        sheet.autofilter("A1:C1")
        sheet.conditional_format("B1:B9", {"type": "data_bar"})
        sheet.add_sparkline("F1", {"range": "Boats!B1:B9"})
        sheet.set_header("&C&G", {"image_center": "lake.png", "image_data_center": picture()})
        for kind in ["line", "pie", "scatter"]:
            chart = book.add_chart({"type": kind})
            chart.add_series({"categories": "=Boats!$A$1:$A$3", "values": "=Boats!$B$1:$B$3"})
            sheet.insert_chart("H1", chart)
        book.define_name("price", "=Boats!$B$1")
        book.set_properties({"title": sources.TITLE})

    made("plain", "one cell", lambda book, sheet: sheet.write(0, 0, 1))
    made("rich", "formats, formulas, links, a comment, pictures, charts, sparklines, a header with a picture", rich)
    made("constant-memory", "constant_memory", lambda book, sheet: [sheet.write_row(row, 0, range(20)) for row in range(50)], constant_memory=True)
    made("dynamic-array", "dynamic array formulas, metadata.xml", lambda book, sheet: sheet.write_dynamic_array_formula("A1", "=_xlfn.UNIQUE(B1:B9)"))
    made("strings", "strings that begin like formulas, as text", lambda book, sheet: [sheet.write_string(row, 0, text) for row, text in enumerate(["=1+2", "@sum", "+49 30", "-5", "cmd|' /C calc'!A0"])])
    made("checkbox", "a checkbox and a background picture", lambda book, sheet: (sheet.insert_checkbox(0, 0, True), sheet.set_background(picture(), True)))


def of_other_tables(group):
    table = temporary("boats.csv", "boat,price\nraft,12.50\nkayak,80\nsum,=B2+B3\n")
    for kind, exporter, name in [("xlsx", "Gnumeric_Excel:xlsx", "gnumeric"), ("xlsx", "Gnumeric_Excel:xlsx2", "gnumeric-2010"), ("ods", "Gnumeric_OpenCalc:odf", "gnumeric"), ("ods", "Gnumeric_OpenCalc:openoffice", "gnumeric-strict")]:
        run("ssconvert", f"--export-type={exporter}", table, temporary(f"g.{kind}"))
        group.put(f"{kind}/{name}.{kind}", temporary(f"g.{kind}"), "debian:gnumeric", f"ssconvert --export-type={exporter}")
    script = """use Excel::Writer::XLSX; my $b=Excel::Writer::XLSX->new($ARGV[0]); my $s=$b->add_worksheet(); $s->write(0,0,'raft'); $s->write(1,0,'=1+2'); $s->write_url(2,0,'https://a.example/'); $b->close();"""
    run("perl", "-e", script, temporary("perl.xlsx"))
    group.put("xlsx/perl-excel-writer.xlsx", temporary("perl.xlsx"), "debian:libexcel-writer-xlsx-perl", "Excel::Writer::XLSX")
    for name, script in [
        ("exceljs", "const E=require('exceljs');const b=new E.Workbook();const s=b.addWorksheet('Boats');s.addRow(['raft',{formula:'1+2',result:3},new Date(0)]);s.getCell('A2').value={text:'form',hyperlink:'https://a.example/'};b.xlsx.writeBuffer().then(x=>process.stdout.write(Buffer.from(x)))"),
        ("xlsx", "const X=require('xlsx');const b=X.utils.book_new();X.utils.book_append_sheet(b,X.utils.aoa_to_sheet([['raft',1],['kayak',2]]),'Boats');process.stdout.write(X.write(b,{type:'buffer',bookType:'xlsx'}))"),
        ("xlsx-compressed", "const X=require('xlsx');const b=X.utils.book_new();X.utils.book_append_sheet(b,X.utils.aoa_to_sheet([['raft',1],['kayak',2]]),'Boats');process.stdout.write(X.write(b,{type:'buffer',bookType:'xlsx',compression:true,bookSST:true}))"),
    ]:
        group.put(f"xlsx/node-{name}.xlsx", node(script), f"npm:{name.removesuffix('-compressed')}", f"Node, {name}")
    script = "const X=require('xlsx');const b=X.utils.book_new();X.utils.book_append_sheet(b,X.utils.aoa_to_sheet([['raft',1]]),'Boats');process.stdout.write(X.write(b,{type:'buffer',bookType:'ods'}))"
    group.put("ods/node-xlsx.ods", node(script), "npm:xlsx", "Node, xlsx, bookType ods")


def presentation() -> bytes:
    slides = pptx.Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[0])
    first.shapes.title.text = sources.TITLE
    second = slides.slides.add_slide(slides.slide_layouts[1])
    second.placeholders[1].text = sources.PARAGRAPHS[1]
    second.notes_slide.notes_text_frame.text = "Say thanks."
    second.shapes.add_picture(picture(), 0, 0)
    return saved(slides)


def of_slides(group):
    group.put("pptx/python-pptx-plain.pptx", presentation(), "pypi:python-pptx", "two slides, notes, a picture")
    slides = pptx.Presentation()
    one, two = (slides.slides.add_slide(slides.slide_layouts[6]) for _ in range(2))
    data = pptx.chart.data.CategoryChartData()
    data.categories = ["raft", "kayak"]
    data.add_series("price", (12.5, 80))
    inches = pptx.util.Inches
    one.shapes.add_chart(pptx.enum.chart.XL_CHART_TYPE.PIE, inches(1), inches(1), inches(4), inches(3), data)
    group.put("pptx/python-pptx-chart.pptx", saved(slides), "pypi:python-pptx", "a chart, whose table is an embedded XLSX")
    slides = pptx.Presentation()
    one, two = (slides.slides.add_slide(slides.slide_layouts[6]) for _ in range(2))
    box = one.shapes.add_textbox(0, 0, inches(4), inches(1))
    box.text_frame.text = "form"
    box.text_frame.paragraphs[0].runs[0].hyperlink.address = "https://a.example/docs/JavaScript"
    shape = one.shapes.add_shape(pptx.enum.shapes.MSO_SHAPE.RECTANGLE, 0, 0, inches(1), inches(1))
    shape.click_action.target_slide = two
    one.shapes.add_table(2, 2, 0, 0, inches(3), inches(1)).table.cell(0, 0).text = "raft"
    group.put("pptx/python-pptx-links.pptx", saved(slides), "pypi:python-pptx", "a link, a shape that goes to a slide, a table")
    script = "const P=require('pptxgenjs');const p=new P();const s=p.addSlide();s.addText('Jetty',{x:1,y:1,hyperlink:{url:'https://a.example/'}});s.addChart(p.ChartType.bar,[{name:'a',labels:['x','y'],values:[1,2]}],{x:1,y:2,w:4,h:3});s.addTable([['a','b']]);p.write({outputType:'nodebuffer'}).then(x=>process.stdout.write(x))"
    group.put("pptx/node-pptxgenjs.pptx", node(script), "npm:pptxgenjs", "Node: text, a chart, a table")


def of_node(group):
    script = "const d=require('docx');const x=new d.Document({sections:[{headers:{default:new d.Header({children:[new d.Paragraph('Header')]})},children:[new d.Paragraph({children:[new d.TextRun('Jetty '),new d.ExternalHyperlink({link:'https://a.example/',children:[new d.TextRun('form')]})]}),new d.Table({rows:[new d.TableRow({children:[new d.TableCell({children:[new d.Paragraph('raft')]})]})]})]}]});d.Packer.toBuffer(x).then(b=>process.stdout.write(b))"
    group.put("docx/node-docx.docx", node(script), "npm:docx", "Node: a header, a link, a table")
    script = "const h=require('html-to-docx');h('<h1>Jetty</h1><p>needs <b>planks</b></p><ul><li>x</li></ul>',null,{title:'Minutes'}).then(b=>process.stdout.write(Buffer.from(b)))"
    group.put("docx/node-html-to-docx.docx", node(script), "npm:html-to-docx", "Node, html-to-docx: an altChunk of HTML is not used")


def of_odfpy(group):
    def made(kind, name, document, how):
        group.put(f"{kind}/odfpy-{name}.{kind}", saved(document), "pypi:odfpy", how)

    text = odf.opendocument.OpenDocumentText()
    text.text.addElement(odf.text.H(outlinelevel=1, text=sources.TITLE))
    for words in sources.PARAGRAPHS:
        text.text.addElement(odf.text.P(text=words))
    link = odf.text.A(href="https://a.example/docs/JavaScript", text="form")
    paragraph = odf.text.P()
    paragraph.addElement(link)
    text.text.addElement(paragraph)
    made("odt", "text", text, "paragraphs and a link")
    text = odf.opendocument.OpenDocumentText()
    frame = odf.draw.Frame(width="4cm", height="3cm", anchortype="paragraph")
    path = temporary("lake.png", sources.encoded(sources.flat(90, 60), "PNG"))
    frame.addElement(odf.draw.Image(href=text.addPicture(str(path))))
    paragraph = odf.text.P()
    paragraph.addElement(frame)
    text.text.addElement(paragraph)
    made("odt", "picture", text, "a picture inside")
    sheet = odf.opendocument.OpenDocumentSpreadsheet()
    table = odf.table.Table(name="Boats")
    row = odf.table.TableRow()
    for value in ["raft", "12.5"]:
        cell = odf.table.TableCell(valuetype="string")
        cell.addElement(odf.text.P(text=value))
        row.addElement(cell)
    row.addElement(odf.table.TableCell(valuetype="float", value="6", formula="of:=2*3"))
    table.addElement(row)
    sheet.spreadsheet.addElement(table)
    made("ods", "sheet", sheet, "a sheet with a formula")
    slides = odf.opendocument.OpenDocumentPresentation()
    layout = odf.style.PageLayout(name="l")
    slides.automaticstyles.addElement(layout)
    master = odf.style.MasterPage(name="m", pagelayoutname=layout)
    slides.masterstyles.addElement(master)
    page = odf.draw.Page(masterpagename=master)
    frame = odf.draw.Frame(width="9cm", height="3cm")
    box = odf.draw.TextBox()
    box.addElement(odf.text.P(text=sources.TITLE))
    frame.addElement(box)
    page.addElement(frame)
    slides.presentation.addElement(page)
    made("odp", "slides", slides, "a slide")
    run("abiword", "--to=odt", "-o", temporary("abi.odt"), temporary("minutes.html", sources.HTML))
    group.put("odt/abiword.odt", temporary("abi.odt"), "debian:abiword", "abiword --to=odt")
    run("abiword", "--to=docx", "-o", temporary("abi.docx"), temporary("minutes.html", sources.HTML))
    group.put("docx/abiword.docx", temporary("abi.docx"), "debian:abiword", "abiword --to=docx")


ALL = [of_python_docx, of_word, of_pandoc, of_libreoffice, of_openpyxl, of_xlsxwriter, of_other_tables, of_slides, of_node, of_odfpy]
