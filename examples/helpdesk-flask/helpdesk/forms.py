"""The forms: their fields are the rules."""

from flask_babel import lazy_gettext as _
from flask_security import RegisterFormV2
from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileField, FileSize
from wtforms import (
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, Length
from wtforms.widgets import CheckboxInput, ListWidget

from .files import EXTENSIONS, MOST_BYTES, has_content_of_its_name
from .models import Priority, Status

PRIORITIES = {
    Priority.LOW: _("Low"),
    Priority.NORMAL: _("Normal"),
    Priority.HIGH: _("High"),
}
STATUSES = {
    Status.OPEN: _("Open"),
    Status.WAITING: _("Waiting for the customer"),
    Status.CLOSED: _("Closed"),
}
ROLE_NAMES = {
    "customer": _("Customer"),
    "agent": _("Agent"),
    "administrator": _("Administrator"),
}
SCOPES = {
    "tickets_read": _("Read your tickets"),
    "tickets_write": _("Open tickets for you"),
}


def stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class CheckboxesField(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def attachment_field() -> FileField:
    rules = [FileAllowed(EXTENSIONS), FileSize(MOST_BYTES), has_content_of_its_name]
    return FileField(_("File"), validators=rules)


class RegisterForm(RegisterFormV2):
    name = StringField(
        _("Name"), filters=[stripped], validators=[DataRequired(), Length(max=80)]
    )


class TicketForm(FlaskForm):
    title = StringField(
        _("Title"), filters=[stripped], validators=[DataRequired(), Length(max=120)]
    )
    priority = SelectField(
        _("Priority"), choices=list(PRIORITIES.items()), default=Priority.NORMAL
    )
    description = TextAreaField(
        _("What is wrong?"), validators=[DataRequired(), Length(max=20_000)]
    )
    file = attachment_field()


class ReplyForm(FlaskForm):
    body = TextAreaField(
        _("Your reply"), validators=[DataRequired(), Length(max=20_000)]
    )
    file = attachment_field()


class EditTicketForm(FlaskForm):
    version = HiddenField()
    priority = SelectField(_("Priority"), choices=list(PRIORITIES.items()))
    status = SelectField(_("Status"), choices=list(STATUSES.items()))
    assignee_id = SelectField(
        _("Assigned to"), coerce=lambda value: int(value) if value else None
    )


class RolesForm(FlaskForm):
    email = StringField(_("E-mail address"), validators=[DataRequired(), Email()])
    roles = CheckboxesField(_("Roles"), choices=list(ROLE_NAMES.items()))


class TokenForm(FlaskForm):
    name = StringField(_("Name"), validators=[DataRequired(), Length(max=80)])
    scopes = CheckboxesField(
        _("Scopes"), choices=list(SCOPES.items()), validators=[DataRequired()]
    )


class EmptyForm(FlaskForm):
    """A button: it has the CSRF token alone."""
