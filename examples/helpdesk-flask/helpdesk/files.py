"""Uploaded files: which ones, and where they are kept."""

import os
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import filetype
from flask import current_app
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from wtforms import ValidationError

TEXTS = {"txt", "csv", "md", "log"}
BINARIES = {"pdf", "docx", "odt", "png", "jpg", "jpeg", "webp", "gif"}
EXTENSIONS = sorted(TEXTS | BINARIES)
MOST_BYTES = 5 * 1024 * 1024
SAME_KIND = {"jpeg": "jpg"}


def has_content_of_its_name(_form, field) -> None:
    """A validator: the content has to be of the kind that the name claims."""
    if not field.data:
        return
    extension = field.data.filename.rsplit(".", 1)[-1].lower()
    content = field.data.stream.read()
    field.data.stream.seek(0)
    if extension in TEXTS:
        fits = b"\0" not in content and is_utf8(content)
    else:
        kind = filetype.guess_extension(content)
        fits = kind == SAME_KIND.get(extension, extension)
    if not fits:
        raise ValidationError(gettext("The file is not what its name says."))


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def folder() -> Path:
    path = Path(current_app.instance_path, current_app.config["UPLOADS"])
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def stored(file: FileStorage | None):
    """Stores a file under a random name, and deletes it if the block fails."""
    if not file:
        yield None
        return
    name = str(uuid4())
    path = folder() / name
    file.save(path)
    os.chmod(path, 0o600)
    try:
        yield name
    except BaseException:
        path.unlink(missing_ok=True)
        raise
