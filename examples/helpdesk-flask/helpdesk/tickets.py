"""Tickets: a customer reaches their own, an agent all of them."""

import csv
import io

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from flask_security import (
    auth_required,
    current_user,
    roles_accepted,
    roles_required,
)
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from .clean import clean_html
from .extensions import db, limiter
from .files import stored
from .forms import PRIORITIES, STATUSES, EditTicketForm, ReplyForm, TicketForm
from .models import Attachment, Priority, Status, Ticket, User
from .people import agents
from .security import ADMINISTRATOR, AGENT

blueprint = Blueprint("tickets", __name__)

OPENING_LIMIT = "10/hour"
PER_CUSTOMER = 10_000
QUEUE_SIZE = 100
EXPORT_SIZE = 10_000


@blueprint.app_context_processor
def labels():
    return {"priorities": PRIORITIES, "statuses": STATUSES}


def reachable(person: User) -> Select[tuple[Ticket]]:
    """The tickets that somebody may read."""
    query = select(Ticket)
    if person.has_role(AGENT):
        return query
    return query.where(Ticket.owner_id == person.id)


def ticket_or_404(ticket_id: int) -> Ticket:
    ticket = db.session.scalar(reachable(current_user).where(Ticket.id == ticket_id))
    if ticket is None:
        abort(404)
    return ticket


def open_ticket(
    owner: User, title: str, priority: Priority, description: str
) -> Ticket:
    """Opens a ticket, for a page, a program or a mail; the caller commits."""
    count = select(func.count()).where(Ticket.owner_id == owner.id)
    if db.session.scalar(count) >= PER_CUSTOMER:
        abort(409, gettext("You have too many tickets."))
    ticket = Ticket(
        owner_id=owner.id,
        title=title,
        priority=priority,
        description=clean_html(description),
    )
    db.session.add(ticket)
    db.session.flush()
    return ticket


@blueprint.get("/tickets")
@auth_required("session")
def index():
    query = reachable(current_user).order_by(Ticket.id.desc())
    status = request.args.get("status", type=Status)
    if status:
        query = query.where(Ticket.status == status)
    page = db.paginate(query, per_page=20, max_per_page=20, error_out=False)
    return render_template("tickets/list.html", page=page, status=status)


@blueprint.get("/tickets/new")
@auth_required("session")
def new():
    return render_template("tickets/new.html", form=TicketForm())


@blueprint.post("/tickets")
@auth_required("session")
@limiter.limit(OPENING_LIMIT)
def create():
    form = TicketForm()
    if not form.validate_on_submit():
        return render_template("tickets/new.html", form=form), 422
    with stored(form.file.data) as file:
        ticket = open_ticket(
            current_user,
            form.title.data,
            Priority(form.priority.data),
            form.description.data,
        )
        if file:
            name = form.file.data.filename[:255]
            db.session.add(Attachment(ticket_id=ticket.id, file=file, name=name))
        db.session.commit()
    flash(gettext("Your ticket is open."))
    return redirect(url_for("tickets.show", ticket_id=ticket.id))


@blueprint.get("/tickets/<int:ticket_id>")
@auth_required("session")
def show(ticket_id: int):
    ticket = ticket_or_404(ticket_id)
    return render_template("tickets/show.html", ticket=ticket, form=ReplyForm())


@blueprint.get("/queue")
@roles_required(AGENT)
def queue():
    return render_template("tickets/queue.html", tickets=waiting())


@blueprint.get("/queue/rows")
@roles_required(AGENT)
def queue_rows():
    """The part of the page that its script asks for again and again."""
    return render_template("tickets/queue_rows.html", tickets=waiting())


def waiting() -> list[Ticket]:
    query = (
        select(Ticket)
        .where(Ticket.status == Status.OPEN)
        .order_by(Ticket.active_at)
        .limit(QUEUE_SIZE)
    )
    return list(db.session.scalars(query))


@blueprint.route("/tickets/<int:ticket_id>/edit", methods=["GET", "POST"])
@roles_required(AGENT)
def edit(ticket_id: int):
    ticket = ticket_or_404(ticket_id)
    form = EditTicketForm(obj=ticket)
    form.assignee_id.choices = [("", "")] + [
        (agent.id, agent.name) for agent in agents()
    ]
    if request.method == "GET":
        return render_template("tickets/edit.html", form=form, ticket=ticket)
    if not form.validate_on_submit():
        return render_template("tickets/edit.html", form=form, ticket=ticket), 422
    if form.version.data != str(ticket.version):
        return changed_meanwhile(form, ticket)
    ticket.priority = Priority(form.priority.data)
    ticket.status = Status(form.status.data)
    ticket.assignee_id = form.assignee_id.data
    try:
        db.session.commit()
    except StaleDataError:
        db.session.rollback()
        return changed_meanwhile(form, ticket)
    flash(gettext("Saved."))
    return redirect(url_for("tickets.show", ticket_id=ticket.id))


def changed_meanwhile(form: EditTicketForm, ticket: Ticket):
    form.form_errors.append(gettext("It was changed meanwhile. Look at it again."))
    return render_template("tickets/edit.html", form=form, ticket=ticket), 409


@blueprint.get("/tickets.csv")
@roles_accepted(AGENT, ADMINISTRATOR)
def export():
    query = (
        select(Ticket)
        .options(joinedload(Ticket.owner), joinedload(Ticket.assignee))
        .order_by(Ticket.id.desc())
        .limit(EXPORT_SIZE)
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            gettext("Number"),
            gettext("Title"),
            gettext("Status"),
            gettext("Priority"),
            gettext("Customer"),
            gettext("Assigned to"),
        ]
    )
    for ticket in db.session.scalars(query):
        assignee = ticket.assignee.email if ticket.assignee else ""
        row = [
            ticket.title,
            ticket.status,
            ticket.priority,
            ticket.owner.email,
            assignee,
        ]
        writer.writerow([ticket.id, *map(no_formula, row)])
    # The byte order mark tells spreadsheets that it is UTF-8.
    headers = {"Content-Disposition": "attachment; filename=tickets.csv"}
    return Response("\ufeff" + out.getvalue(), mimetype="text/csv", headers=headers)


def no_formula(text: str) -> str:
    """A spreadsheet runs a text that begins like a formula (CSV injection)."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
