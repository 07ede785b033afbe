"""Accounts by Flask-Security: roles, sign-up, and limits on guesses."""

from flask import Flask
from flask_security import SQLAlchemyUserDatastore, user_registered

from .extensions import db, limiter, locale
from .models import Role, User

CUSTOMER = "customer"
AGENT = "agent"
ADMINISTRATOR = "administrator"
ROLES = [CUSTOMER, AGENT, ADMINISTRATOR]

datastore = SQLAlchemyUserDatastore(db, User, Role)


def set_up_security(app: Flask) -> None:
    user_registered.connect(greet, app)
    limiter.limit("30/10 minutes", methods=["POST"])(app.blueprints["security"])


def greet(_app, user: User, **_) -> None:
    """Whoever signs up is a customer, and gets letters in the language of the browser."""
    user.language = locale()
    datastore.add_role_to_user(user, datastore.find_or_create_role(CUSTOMER))
    datastore.commit()
