"""A mail server hands in what customers write to the desk's address, signed with a shared key."""

import hashlib
import hmac
import secrets
import time

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, abort, current_app, request
from flask_security import hash_password
from sqlalchemy.exc import IntegrityError

from .extensions import db
from .models import Delivery, Priority, User
from .security import CUSTOMER, datastore
from .tickets import open_ticket

blueprint = Blueprint("mail_gateway", __name__)

FIVE_MINUTES = 300


@blueprint.post("/hooks/mail")
def receive():
    accept_once(verified_signature())
    mail = request.get_json()
    if not isinstance(mail, dict):
        abort(400, "send one object")
    fields = [mail.get(name) for name in ("from", "name", "subject", "text")]
    if not all(isinstance(field, str) and field.strip() for field in fields):
        abort(400, "send from, name, subject and text")
    sender, name, subject, text = fields
    if len(subject) > 120 or len(name) > 80 or len(text) > 20_000:
        abort(400, "subject, name or text is too long")
    try:
        email = validate_email(sender, check_deliverability=False).normalized
    except EmailNotValidError:
        abort(400, "`from` is no address")
    open_ticket(customer(email, name), subject, Priority.NORMAL, text)
    db.session.commit()
    return "", 204


def verified_signature() -> str:
    """The header is `t=<unix seconds>,v1=<hex>`, over the time, the path and the body."""
    claim = dict(
        part.partition("=")[::2]
        for part in request.headers.get("X-Signature", "").split(",")
    )
    at, signature = claim.get("t", ""), claim.get("v1", "")
    if not at.isdigit() or abs(time.time() - int(at)) > FIVE_MINUTES:
        abort(401)
    text = f"{at}\n{request.full_path.rstrip('?')}\n".encode() + request.get_data()
    key = current_app.config["DESK_MAIL_KEY"].encode()
    expected = hmac.new(key, text, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        abort(401)
    return signature


def accept_once(signature: str) -> None:
    """Refuses a delivery that was accepted before."""
    db.session.add(Delivery(signature=signature))
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        abort(409)


def customer(email: str, name: str) -> User:
    """The account of an address. A new one has a password that nobody knows."""
    user = datastore.find_user(email=email, case_insensitive=True)
    if user is None:
        user = datastore.create_user(
            email=email,
            name=name,
            password=hash_password(secrets.token_urlsafe(32)),
            roles=[datastore.find_or_create_role(CUSTOMER)],
        )
        db.session.flush()
    return user
