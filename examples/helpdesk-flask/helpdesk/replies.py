"""Replies: the thread below a ticket."""

import logging

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    url_for,
)
from flask_babel import force_locale, gettext
from flask_mail import Message
from flask_security import auth_required, current_user
from sqlalchemy import func, select

from .clean import clean_html, words
from .extensions import db, mail
from .files import stored
from .forms import ReplyForm
from .models import Attachment, Reply, Status, Ticket, now
from .security import AGENT
from .tickets import ticket_or_404

blueprint = Blueprint("replies", __name__)

PER_TICKET = 500


@blueprint.post("/tickets/<int:ticket_id>/replies")
@auth_required("session")
def create(ticket_id: int):
    ticket = ticket_or_404(ticket_id)
    form = ReplyForm()
    if not form.validate_on_submit():
        return render_template("tickets/show.html", ticket=ticket, form=form), 422
    count = select(func.count()).where(Reply.ticket_id == ticket.id)
    if db.session.scalar(count) >= PER_TICKET:
        abort(409, gettext("This ticket has too many replies."))
    is_from_agent = ticket.owner_id != current_user.id and current_user.has_role(AGENT)
    with stored(form.file.data) as file:
        body = clean_html(form.body.data)
        db.session.add(Reply(ticket_id=ticket.id, author_id=current_user.id, body=body))
        if file:
            name = form.file.data.filename[:255]
            db.session.add(Attachment(ticket_id=ticket.id, file=file, name=name))
        ticket.status = Status.WAITING if is_from_agent else Status.OPEN
        ticket.active_at = now()
        db.session.commit()
    if is_from_agent:
        tell_customer(ticket, words(body))
    flash(gettext("Your reply is sent."))
    return redirect(url_for("tickets.show", ticket_id=ticket.id))


def tell_customer(ticket: Ticket, body: str) -> None:
    """The reply counts even if the mail server does not take the letter."""
    with force_locale(ticket.owner.language):
        text = render_template(
            "letters/replied.txt",
            desk=current_app.config["DESK_NAME"],
            body=body,
            ticket=ticket,
        )
        subject = gettext("Re: %(title)s", title=" ".join(ticket.title.split()))
    try:
        mail.send(Message(subject, recipients=[ticket.owner.email], body=text))
    except OSError:
        logging.exception("the letter about ticket %s was not sent", ticket.id)
