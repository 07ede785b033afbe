"""Tickets for programs: they send an API token."""

from flask import Blueprint, abort, g, jsonify, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from .extensions import db, limiter
from .forms import TicketForm
from .models import Priority, Status, Ticket
from .tickets import OPENING_LIMIT, open_ticket, reachable
from .tokens import token_required

blueprint = Blueprint("api", __name__, url_prefix="/api")

SIZE = 100
FIELDS = {"title", "priority", "description"}


@blueprint.errorhandler(HTTPException)
def problem(error: HTTPException):
    answer = jsonify(status=error.code, title=error.name, detail=error.description)
    answer.content_type = "application/problem+json"
    return answer, error.code


def as_json(ticket: Ticket) -> dict:
    return {
        "id": ticket.id,
        "title": ticket.title,
        "priority": ticket.priority,
        "status": ticket.status,
        "opened_at": f"{ticket.opened_at.isoformat()}Z",
    }


@blueprint.get("/tickets")
@token_required("tickets_read")
def index():
    query = reachable(g.person).order_by(Ticket.id.desc()).limit(SIZE)
    if "status" in request.args:
        status = request.args.get("status", type=Status)
        if status is None:
            abort(400, "status is open, waiting or closed")
        query = query.where(Ticket.status == status)
    return jsonify([as_json(ticket) for ticket in db.session.scalars(query)])


@blueprint.post("/tickets")
@token_required("tickets_write")
@limiter.limit(OPENING_LIMIT, key_func=lambda: f"token of {g.person.id}")
def create():
    sent = request.get_json()
    if not isinstance(sent, dict) or sent.keys() - FIELDS:
        abort(400, "send one object with title, priority and description")
    if not all(isinstance(value, str) for value in sent.values()):
        abort(400, "each member is a string")
    form = TicketForm(formdata=MultiDict(sent), meta={"csrf": False})
    if not form.validate():
        errors = [
            {"pointer": f"#/{name}", "detail": str(text)}
            for name, texts in form.errors.items()
            for text in texts
        ]
        return (
            jsonify(status=422, title="Something needs correcting", errors=errors),
            422,
        )
    ticket = open_ticket(
        g.person,
        form.title.data,
        Priority(form.priority.data),
        form.description.data,
    )
    db.session.commit()
    location = url_for("tickets.show", ticket_id=ticket.id)
    return jsonify(as_json(ticket)), 201, {"Location": location}
