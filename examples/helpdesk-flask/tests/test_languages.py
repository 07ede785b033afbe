from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import helpdesk


def test_a_reader_gets_the_language_of_the_browser(visitor):
    assert "Sagen Sie uns" in visitor.get("/", **{"Accept-Language": "de"}).text
    assert "Tell us" in visitor.get("/", **{"Accept-Language": "fr"}).text


def test_every_message_exists_in_both_languages():
    root = Path(helpdesk.__path__[0])
    methods = [("**.py", "python"), ("templates/**", "jinja2")]
    keywords = {"gettext": None, "_": None, "lazy_gettext": None}
    found = extract_from_dir(root, methods, keywords=keywords)
    used = {message for _file, _line, message, _comments, _context in found}
    with open(root / "translations/de/LC_MESSAGES/messages.po", "rb") as source:
        translated = {
            message.id for message in read_po(source) if message.id and message.string
        }
    assert used == translated
