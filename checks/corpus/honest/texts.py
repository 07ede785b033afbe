"""Texts and tables in the encodings that programs write."""

import csv
import io

import sources
from corpus import office, run, temporary

GERMAN = "Boot;Preis;Tag\r\nFloß „Ada“;12,50 €;09.05.2026\r\nKajak;80,00 €;10.05.2026\r\n"
ENGLISH = 'boat,price,day\r\nraft,12.50,2026-05-09\r\n"kayak, red",80,2026-05-10\r\n'
JAPANESE = "舟,値段\r\nいかだ,1200\r\nカヤック,8000\r\n"
RUSSIAN = "Лодка;Цена\r\nПлот;120\r\nБайдарка;800\r\n"
LETTER = "Sehr geehrte Frau Lovelace,\r\n\r\nder Steg braucht vor der Saison neue Bretter; das Angebot über 4.200 Euro liegt bei.\r\nGrüße aus Zürich\r\nSøren Müller\r\n"



def tables(group):
    def put(name, text, encoding, how, errors="strict"):
        group.put(f"csv/{name}.csv", text.encode(encoding, errors), "Python 3.11", how)

    put("comma-crlf", ENGLISH, "utf-8", "csv.writer: commas, CRLF")
    put("excel-utf-8-bom", GERMAN, "utf-8-sig", "Excel's CSV UTF-8: a byte order mark, semicolons")
    put("excel-ansi-german", GERMAN, "cp1252", "Excel's CSV on a German Windows: Windows-1252 with €")
    put("latin-1", "name,city\nZoë,Zürich\nSøren,Århus\nJosé,Málaga\n", "latin-1", "ISO 8859-1, LF")
    put("latin-9", "name;sum\nZoë;12 €\nAgnès;3 €\n", "iso8859-15", "ISO 8859-15 with €")
    put("shift-jis", JAPANESE * 3, "shift_jis", "Excel's CSV on a Japanese Windows")
    put("koi8-r", RUSSIAN * 3, "koi8-r", "KOI8-R")
    put("cp1251", RUSSIAN * 3, "cp1251", "Excel's CSV on a Russian Windows")
    put("gb18030", "船,价格\r\n木筏,一百二十\r\n独木舟,八百\r\n" * 3, "gb18030", "Excel's CSV on a Chinese Windows")
    put("big5", "船,價格\r\n木筏,一百二十\r\n獨木舟,八百\r\n" * 3, "big5", "Big5")
    put("euc-kr", "배,가격\r\n뗏목,백이십\r\n카약,팔백\r\n" * 3, "euc-kr", "EUC-KR")
    put("cp1250", "loď;cena\r\nvor;120\r\nkajak příď;800\r\nřeka žlutá;5\r\n", "cp1250", "Excel's CSV on a Czech Windows")
    put("cp1253", "βάρκα;τιμή\r\nσχεδία;120\r\nκαγιάκ;800\r\n", "cp1253", "Greek Windows")
    put("cp1256", "قارب;سعر\r\nطوف;120\r\nكاياك;800\r\n", "cp1256", "Arabic Windows")
    put("cp437", "name;stra\u00dfe\r\nM\u00fcller;K\u00f6nigsgasse\r\n", "cp437", "a DOS table in code page 437")
    put("excel-unicode-text", GERMAN.replace(";", "\t"), "utf-16", "Excel's Unicode text saved as .csv: UTF-16LE with a byte order mark, tabs")
    group.put("csv/utf-16be-bom.csv", b"\xfe\xff" + JAPANESE.encode("utf-16-be"), "Python 3.11", "UTF-16BE with a byte order mark")
    group.put("csv/utf-32-bom.csv", JAPANESE.encode("utf-32"), "Python 3.11", "UTF-32LE with a byte order mark")
    put("quotes", 'a,"b ""c"" d","two\nlines"\n1,"<b>x</b>",3\n', "utf-8", "quotes, a line break in a cell, markup in a cell")
    put("semicolon-lf", "a;b;c\n1;2;3\n", "utf-8", "semicolons, LF")
    put("old-mac", "a,b\r1,2\r", "utf-8", "CR alone, as Excel for the Mac wrote")
    put("tabs", "a\tb\n1\t2\n", "utf-8", "tabs under the name .csv")
    put("sep", "sep=;\r\na;b\r\n1;2\r\n", "utf-8", "Excel's line sep=;")
    put("formulas", "name,sum\nraft,=1+2\nkayak,-5\nphone,+49 30 1234\nmail,@ada\n", "utf-8", "cells that begin like formulas")
    put("one-cell", "x", "utf-8", "one cell without a line break")
    put("empty-cells", ",,,\n,,,\n", "utf-8", "only separators")
    put("emoji", "boat,mood\nraft,🛶\nfamily,👨\u200d👩\u200d👧\n", "utf-8", "emoji with joiners")
    put("html-header", "<html>,<body>,<title>\n1,2,3\n", "utf-8", "a table about HTML")
    put("long-line", ",".join(["cell"] * 3000), "utf-8", "a row of 3,000 cells")
    for name, text in [("mac", "MAC ,Vendor\nMAC 00:11,x\n"), ("movie", "MOVI,Title\nMOVIE,Lake\n"), ("mz", "MZ,Mozambique\r\n"), ("true", "true,Anna\r\n"), ("phones", "P1 ,P2 \n1,2\n"), ("ac10", "AC10,AC11\n1,2\n"), ("pk", "PK,name\n1,raft\n"), ("pdf", "%PDF-,what is new\n1,2\n"), ("riff", "RIFF,WAVE\n1,2\n"), ("id3", "ID3,tag\n1,2\n"), ("bm", "BM,country\n1,2\n"), ("gif", "GIF89a,year\n1,1989\n"), ("ii", "II*,MM*\n1,2\n"), ("sqlite", "SQLite format 3,x\n1,2\n"), ("rar", "Rar!,x\n1,2\n"), ("bz", "BZh9,x\n1,2\n")]:
        put(f"begins-{name}", text, "utf-8", "the first letters are some format's signature")
    table = temporary("t.ods")
    source = temporary("boats.csv", "boat,price\nraft,12.5\nZoë,80\n")
    run("ssconvert", source, table)
    for name, options, how in [("default", "44,34,76,1", "UTF-8, commas"), ("semicolon-1252", "59,34,1,1", "Windows-1252, semicolons"), ("quoted-utf16", "9,34,65535,1,,0,true", "UTF-16, tabs, all cells quoted")]:
        folder = office("csv", [table], f"Text - txt - csv (StarCalc):{options}")
        group.put(f"csv/libreoffice-{name}.csv", next(folder.iterdir()), "debian:libreoffice-calc-nogui", f"soffice --convert-to csv, {how}")
    run("ssconvert", "--export-type=Gnumeric_stf:stf_csv", table, temporary("g.csv"))
    group.put("csv/gnumeric.csv", temporary("g.csv"), "debian:gnumeric", "ssconvert")
    run("Rscript", "-e", f"write.csv(head(cars), '{temporary('r.csv')}')")
    group.put("csv/r.csv", temporary("r.csv"), "debian:r-base-core", "write.csv(head(cars))")
    out = io.StringIO()
    csv.writer(out, dialect="unix").writerows([["a", 'b "c"'], [1, "x\ny"]])
    group.put("csv/python-unix.csv", out.getvalue().encode(), "Python 3.11", "dialect unix: all quoted")


def texts(group):
    def put(name, text, encoding, how):
        content = text if isinstance(text, bytes) else text.encode(encoding)
        group.put(f"txt/{name}", content, "Python 3.11", how)

    plain = "\n\n".join(sources.PARAGRAPHS) + "\n"
    put("utf-8.txt", plain, "utf-8", "UTF-8, LF")
    put("notepad-utf-8-bom.txt", plain.replace("\n", "\r\n"), "utf-8-sig", "Notepad, UTF-8 with BOM")
    put("notepad-ansi.txt", LETTER, "cp1252", "Notepad, ANSI on a German Windows")
    put("notepad-unicode.txt", LETTER, "utf-16", "Notepad, Unicode: UTF-16LE with a byte order mark")
    put("notepad-big-endian.txt", b"\xfe\xff" + LETTER.encode("utf-16-be"), "", "Notepad, Unicode big endian")
    put("latin-1.text", LETTER.replace("\r", ""), "latin-1", "ISO 8859-1, the extension .text")
    put("shift-jis.txt", "前略\r\n桟橋の板を新しくする必要があります。見積もりを同封します。\r\n草々\r\n" * 2, "shift_jis", "Notepad on a Japanese Windows")
    put("euc-jp.txt", "桟橋の板を新しくする必要があります。見積もりを同封します。\n" * 3, "euc-jp", "EUC-JP")
    put("iso-2022-jp.txt", "桟橋の板を新しくする必要があります。\n" * 3, "iso2022_jp", "ISO-2022-JP, as old mail: it has escape characters")
    put("koi8-r.txt", "Уважаемая Ада!\nПричалу нужны новые доски до начала сезона.\nС уважением, Сёрен\n" * 2, "koi8-r", "KOI8-R")
    put("cp1251.txt", "Уважаемая Ада!\r\nПричалу нужны новые доски до начала сезона.\r\n" * 2, "cp1251", "Notepad on a Russian Windows")
    put("cp866.txt", "Уважаемая Ада! Причалу нужны новые доски.\r\n" * 2, "cp866", "DOS in Russian")
    put("cp850.txt", LETTER, "cp850", "DOS in German")
    put("mac-roman.txt", LETTER.replace("\r\n", "\r"), "mac_roman", "Mac OS Roman, CR")
    put("gbk.txt", "亲爱的艾达，码头在季节开始之前需要新的木板。\r\n" * 3, "gbk", "Notepad on a Chinese Windows")
    put("big5.txt", "親愛的艾達，碼頭在季節開始之前需要新的木板。\r\n" * 3, "big5", "Big5")
    put("euc-kr.txt", "친애하는 에이다, 부두에 새 판자가 필요합니다.\r\n" * 3, "euc-kr", "EUC-KR")
    put("hebrew.txt", "שלום עדה, המזח צריך קרשים חדשים לפני העונה.\r\n" * 3, "cp1255", "Hebrew Windows")
    put("thai.txt", "เรียนคุณเอดา ท่าเรือต้องการแผ่นไม้ใหม่ก่อนเริ่มฤดูกาล\r\n" * 3, "cp874", "Thai Windows")
    put("polish.txt", "Szanowna Pani, pomost wymaga nowych desek. Zażółć gęślą jaźń.\n" * 2, "iso8859-2", "ISO 8859-2")
    put("turkish.txt", "Sayın Ada, iskelenin yeni tahtalara ihtiyacı var. Güneş şimdi ığdır.\n" * 2, "cp1254", "Turkish Windows")
    put("persian.txt", "سلام، می\u200cخواهم اسکله را تعمیر کنم.\n", "utf-8", "UTF-8 with joiners")
    put("bidi.txt", "שלום Ada \u200fab\u200e \u2067x\u2069\n", "utf-8", "marks of direction, as word processors write")
    put("ctrl-z.txt", "DOS text\r\n\x1a", "ascii", "Ctrl-Z at the end, as DOS editors wrote")
    put("form-feed.txt", "Page one\n\x0cPage two\n", "ascii", "a page break")
    put("nel.txt", "one\u0085two\u2028three\n", "utf-8", "NEL and a line separator")
    put("soft-hyphen.txt", "Dampf\u00adschiff\u00a0fahrt\n", "utf-8", "soft hyphen, no-break space")
    put("one-letter.txt", "x", "ascii", "one letter")
    put("only-newline.txt", "\n", "ascii", "an empty line")
    put("log.txt", "2026-05-09T12:00:00Z INFO /JavaScript <script>alert(1)</script>\n" * 20, "ascii", "a log that quotes markup")
    put("mail.txt", "<ada@example.org> wrote:\n> #!/bin/sh is the first line\n> <?php is another\n", "ascii", "a quoted mail that begins with <")
    put("xml-fragment.txt", '<?xml version="1.0"?><order id="1"><boat/></order>\n', "ascii", "data in XML")
    put("template.txt", "<title>,<author>\n<year>\n", "ascii", "placeholders")
    put("markdown.txt", sources.MARKDOWN, "utf-8", "Markdown")
    put("subtitle.txt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\n", "ascii", "subtitles")
    put("vcard.txt", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEND:VCARD\r\n", "ascii", "a visiting card")
    put("calendar.txt", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "ascii", "a calendar")
    put("pem.txt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "ascii", "PEM")
    put("hash-comment.txt", "# settings\n#!important\nkey = value\n", "ascii", "comments with #")
    put("shebang-word.txt", "#! not a script\nhello\n", "ascii", "a line that begins with #! and no path")
    put("percent.txt", "%!percent\n%PDF- is how a PDF begins\n", "ascii", "begins with %!")
    put("rtf-like.txt", "{\\rtf1 is how RTF begins}\n", "ascii", "begins with {\\rtf")
    put("long.txt", "Lorem ipsum dolor sit amet. " * 1000, "ascii", "28 kB in one line")
    run("pandoc", "-t", "plain", "-o", temporary("p.txt"), temporary("m.md", sources.MARKDOWN))
    group.put("txt/pandoc-plain.txt", temporary("p.txt"), "debian:pandoc", "pandoc -t plain")
    run("pandoc", "-t", "rst", "-o", temporary("p.rst"), temporary("m.md", sources.MARKDOWN))
    group.put("txt/pandoc-rst.txt", temporary("p.rst"), "debian:pandoc", "pandoc -t rst")
    run("pdftotext", temporary("gs-text.pdf", pdf()), temporary("pt.txt"))
    group.put("txt/pdftotext.txt", temporary("pt.txt"), "debian:poppler-utils", "pdftotext: it ends pages with form feeds")
    odt = temporary("o/minutes.html", sources.HTML)
    group.put("txt/libreoffice.txt", next(office("txt", [odt], "Text").iterdir()), "debian:libreoffice-writer-nogui", "soffice --convert-to txt")
    group.put("txt/libreoffice-encoded.txt", next(office("txt", [odt], "Text (encoded):UTF8,CRLF,,,").iterdir()), "debian:libreoffice-writer-nogui", "Text (encoded), UTF-8, CRLF")
    group.put("txt/man-page.txt", run("groff", "-Tutf8", "-man", "-P-cbou", temporary("m.1", ".TH LAKE 1\n.SH NAME\nlake \\- shows the lake\n")), "debian:groff", "groff -Tutf8 -man -P-cbou")
    group.put("txt/recode-latin1.txt", run("recode", "UTF-8..ISO-8859-1", data="Grüße aus Zürich, Søren\n".encode()), "debian:recode", "recode UTF-8..ISO-8859-1")


def pdf() -> bytes:
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", temporary("g.pdf"), temporary("page.ps", sources.POSTSCRIPT))
    return temporary("g.pdf").read_bytes()


ALL = [tables, texts]
