"""API tokens: a person makes them, and a program sends them."""

import hashlib
import secrets
from datetime import timedelta
from functools import wraps

from flask import (
    Blueprint,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from flask_security import auth_required, current_user
from sqlalchemy import select

from .extensions import db
from .forms import EmptyForm, TokenForm
from .models import ApiToken, now

blueprint = Blueprint("tokens", __name__)

LIFETIME = timedelta(days=90)
PER_PERSON = 50


@blueprint.get("/account/tokens")
@auth_required("session")
def index():
    return show(TokenForm())


@blueprint.post("/account/tokens")
@auth_required("session", within=15, grace=5)
def create():
    form = TokenForm()
    if not form.validate_on_submit():
        return show(form), 422
    if len(own()) >= PER_PERSON:
        abort(409, gettext("You have too many tokens."))
    text = f"helpdesk_{secrets.token_urlsafe(32)}"
    token = ApiToken(
        owner_id=current_user.id,
        name=form.name.data,
        digest=digest(text),
        scopes=" ".join(form.scopes.data),
        expires_at=now() + LIFETIME,
    )
    db.session.add(token)
    db.session.commit()
    return show(TokenForm(formdata=None), text)


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@auth_required("session")
def revoke(token_id: int):
    token = next((each for each in own() if each.id == token_id), None)
    if token is None or not EmptyForm().validate_on_submit():
        abort(404)
    db.session.delete(token)
    db.session.commit()
    flash(gettext("Saved."))
    return redirect(url_for("tokens.index"))


def own() -> list[ApiToken]:
    return list(
        db.session.scalars(select(ApiToken).filter_by(owner_id=current_user.id))
    )


def show(form: TokenForm, text: str | None = None) -> str:
    return render_template(
        "tokens/list.html", form=form, tokens=own(), text=text, button=EmptyForm()
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def token_required(scope: str):
    """Lets in a program whose token has this scope; the owner is `g.person`."""

    def decorate(view):
        @wraps(view)
        def guarded(*args, **kwargs):
            kind, _, text = request.headers.get("Authorization", "").partition(" ")
            token = db.session.scalar(select(ApiToken).filter_by(digest=digest(text)))
            if kind != "Bearer" or token is None or token.expires_at < now():
                abort(401)
            if not token.owner.active:
                abort(401)
            if scope not in token.scopes.split():
                abort(403)
            g.person = token.owner
            return view(*args, **kwargs)

        return guarded

    return decorate
