"""What the documents of the corpus say, and pictures that compress well."""

import io

from PIL import Image, ImageDraw

TITLE = "Minutes of the lake committee"

PARAGRAPHS = [
    "The committee met on 12 March. Present were Ada, Grace and Søren; Zoë sent her apologies.",
    "The jetty needs new planks before the season begins. Two offers came in, of 4,200 € and of 3,950 €.",
    "Grüße aus Zürich: the spring swim is on 9 May, and the water has 14 °C. “Bring a towel,” said Ada.",
    "The page https://developer.example/docs/Web/JavaScript explains how the booking form counts the boats.",
    "Open questions: who keeps the key of the boat house, and does the insurance cover the raft?",
]

MARKDOWN = f"""---
title: {TITLE}
author: Ada Lovelace
lang: en
---

# Present

{PARAGRAPHS[0]} {PARAGRAPHS[2]}

# Decisions

1. {PARAGRAPHS[1]}
2. {PARAGRAPHS[4]}[^1]

| item  | price |
|-------|------:|
| plank |    12 |
| nail  |   0.1 |

[The form](https://developer.example/docs/Web/JavaScript) and *emphasis*, **bold**, `code`.

> Bring a towel.

$E = mc^2$

[^1]: The insurance of 2019 did.
"""

HTML = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>
<style>body {{ font-family: "DejaVu Sans", sans-serif }} td {{ border: 1px solid }} h2 {{ break-before: page }}</style></head>
<body><h1>{TITLE}</h1><p>{PARAGRAPHS[0]}</p><ul><li>{PARAGRAPHS[1]}</li><li>{PARAGRAPHS[2]}</li></ul>
<table><tr><td>plank</td><td>12</td></tr><tr><td>nail</td><td>0.1</td></tr></table>
<h2>Questions</h2><p>{PARAGRAPHS[4]} <a href="https://developer.example/docs/Web/JavaScript">The form</a></p>
<p><a href="mailto:ada@example.org">Ada</a></p></body></html>"""

LATEX = r"""\documentclass{article}
\usepackage[utf8]{inputenc}\usepackage{amsmath}\usepackage{hyperref}
\title{Minutes of the lake committee}\author{Ada}\date{12 March}
\begin{document}\maketitle\tableofcontents
\section{Present}Ada, Grace and S\o ren.\footnote{Zo\"e sent her apologies.}
\section{Decisions}See \href{https://developer.example/docs/Web/JavaScript}{the form} and section~\ref{q}.
\begin{equation}\int_0^1 x^2\,dx = \tfrac13\end{equation}
\section{Questions}\label{q}Who keeps the key?
\end{document}
"""

POSTSCRIPT = """%!PS-Adobe-3.0
%%Title: Minutes of the lake committee
%%Pages: 2
%%EndComments
/Helvetica findfont 14 scalefont setfont
72 720 moveto (The jetty needs new planks before the season begins.) show
0.5 setgray 72 500 200 100 rectfill
showpage
/Times-Roman findfont 12 scalefont setfont
72 720 moveto (Open questions: the key of the boat house.) show
showpage
%%EOF
"""


def flat(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A lake under a sky: few colours, so every format stores it in a few bytes."""
    picture = Image.new("RGB", (width, height), (150, 190, 230))
    draw = ImageDraw.Draw(picture)
    draw.rectangle([0, height * 2 // 3, width, height], fill=(20, 60, 120))
    draw.ellipse([width * 3 // 4, height // 8, width * 7 // 8, height // 4 + width // 16], fill=(250, 220, 90))
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize((width, height)))
        return picture
    return picture.convert(mode)


def gradient(width: int = 96, height: int = 64) -> Image.Image:
    """A picture with many colours, as a photograph has."""
    bands = [Image.linear_gradient("L").resize((width, height)).rotate(turn * 90).resize((width, height)) for turn in range(3)]
    return Image.merge("RGB", bands)


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
