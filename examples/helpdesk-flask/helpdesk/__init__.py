"""A help desk: customers open tickets, agents answer them."""

from flask import Flask, render_template
from flask_babel import get_locale, gettext
from werkzeug.exceptions import HTTPException

from . import (
    api,
    attachments,
    cli,
    front,
    jobs,
    mail_gateway,
    people,
    replies,
    tickets,
    tokens,
)
from .config import Config, check
from .extensions import (
    babel,
    csrf,
    db,
    limiter,
    locale,
    mail,
    migrate,
    scheduler,
    security,
    talisman,
)
from .forms import RegisterForm
from .security import datastore, set_up_security

VERSION = "0.1.0"


def create_app(settings: dict | None = None) -> Flask:
    app = Flask(__name__)
    app.config.from_object(Config)
    app.config.from_prefixed_env()
    app.config.update(settings or {})
    check(app.config)

    db.init_app(app)
    migrate.init_app(app, db)
    mail.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    babel.init_app(app, locale_selector=locale)
    talisman.init_app(
        app,
        content_security_policy={
            "default-src": "'self'",
            "frame-ancestors": "'none'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "object-src": "'none'",
        },
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        session_cookie_samesite="Lax",
    )
    security.init_app(app, datastore, register_form=RegisterForm)
    set_up_security(app)

    for module in (
        front,
        tickets,
        replies,
        attachments,
        people,
        tokens,
        api,
        mail_gateway,
    ):
        app.register_blueprint(module.blueprint)
    csrf.exempt(api.blueprint)
    csrf.exempt(mail_gateway.blueprint)

    app.jinja_env.globals["get_locale"] = get_locale
    cli.register(app)
    jobs.register(app, scheduler)
    app.register_error_handler(HTTPException, show_error)
    app.after_request(add_headers)
    return app


def show_error(error: HTTPException):
    text = error.description
    if error.code == 429:
        text = gettext("Too many requests. Please wait.")
    return render_template("error.html", code=error.code, text=text), error.code


def add_headers(response):
    response.headers["X-Helpdesk-Version"] = VERSION
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
