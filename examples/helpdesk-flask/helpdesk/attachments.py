"""Files of a ticket: who may read the ticket may have them."""

from flask import Blueprint, abort, send_from_directory
from flask_security import auth_required, current_user

from .extensions import db
from .files import folder
from .models import Attachment, Ticket
from .tickets import reachable

blueprint = Blueprint("attachments", __name__)


@blueprint.get("/attachments/<int:attachment_id>")
@auth_required("session")
def download(attachment_id: int):
    query = (
        reachable(current_user)
        .join(Ticket.attachments)
        .where(Attachment.id == attachment_id)
        .with_only_columns(Attachment)
    )
    attachment = db.session.scalar(query)
    if attachment is None:
        abort(404)
    return send_from_directory(
        folder(),
        attachment.file,
        as_attachment=True,
        download_name=attachment.name,
    )
