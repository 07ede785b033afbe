"""The extensions, which create_app ties to the application."""

from flask import current_app, request
from flask_apscheduler import APScheduler
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_mail import Mail
from flask_migrate import Migrate
from flask_security import Security
from flask_sqlalchemy import SQLAlchemy
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


def sender() -> str:
    """Whom a rate limit counts: a person, or the address of a visitor."""
    if current_user and current_user.is_authenticated:
        return f"user {current_user.id}"
    return get_remote_address()


def locale() -> str:
    return request.accept_languages.best_match(current_app.config["LANGUAGES"]) or "en"


@event.listens_for(Engine, "connect")
def enforce_foreign_keys(connection, _record):
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA foreign_keys = ON")


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
mail = Mail()
csrf = CSRFProtect()
limiter = Limiter(key_func=sender, default_limits=["300/minute"])
babel = Babel()
talisman = Talisman()
security = Security()
scheduler = APScheduler()
