"""HTML that somebody wrote, made harmless."""

import html

import nh3
from markupsafe import escape

TAGS = {
    "p",
    "br",
    "strong",
    "em",
    "u",
    "ul",
    "ol",
    "li",
    "blockquote",
    "code",
    "pre",
    "h3",
    "h4",
}


def clean_html(text: str) -> str:
    if not nh3.is_html(text):
        paragraphs = text.replace("\r\n", "\n").split("\n\n")
        return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return nh3.clean(
        text,
        tags=TAGS | {"a"},
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
    )


def words(markup: str) -> str:
    """The words without the markup, for a letter."""
    return html.unescape(nh3.clean(markup, tags=set()))
