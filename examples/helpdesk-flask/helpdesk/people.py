"""People: the agents, and the page on which an administrator gives roles."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_security import auth_required, roles_required
from sqlalchemy import select

from .extensions import db
from .forms import ROLE_NAMES, RolesForm
from .models import Role, User
from .security import ADMINISTRATOR, AGENT, ROLES, datastore

blueprint = Blueprint("people", __name__)

SIZE = 100


def having(role: str):
    return (
        select(User)
        .join(User.roles)
        .where(Role.name == role, User.active)
        .order_by(User.name)
        .limit(SIZE)
    )


def agents() -> list[User]:
    return list(db.session.scalars(having(AGENT)))


@blueprint.get("/people")
@roles_required(ADMINISTRATOR)
def index():
    return show(RolesForm())


@blueprint.post("/people")
@auth_required("session", within=15, grace=5)
@roles_required(ADMINISTRATOR)
def set_roles():
    form = RolesForm()
    if not form.validate_on_submit():
        return show(form), 422
    user = datastore.find_user(email=form.email.data, case_insensitive=True)
    if user is None:
        form.email.errors = [gettext("Nobody has an account with this address.")]
        return show(form), 422
    if ADMINISTRATOR not in form.roles.data and is_last_administrator(user):
        form.roles.errors = [gettext("This is the last administrator.")]
        return show(form), 422
    user.roles = [
        datastore.find_or_create_role(name) for name in ROLES if name in form.roles.data
    ]
    datastore.commit()
    flash(gettext("Saved."))
    return redirect(url_for("people.index"))


def is_last_administrator(user: User) -> bool:
    return [each.id for each in db.session.scalars(having(ADMINISTRATOR))] == [user.id]


def show(form: RolesForm) -> str:
    query = select(User).order_by(User.name, User.id)
    page = db.paginate(query, per_page=SIZE, max_per_page=SIZE, error_out=False)
    return render_template(
        "people/list.html", form=form, page=page, role_names=ROLE_NAMES
    )
