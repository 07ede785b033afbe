"""The portal's front page, its list of documents and a form of six fields, as a careful team writes them with Flask.

Flask-Security keeps accounts and sessions, Flask-WTF the forms and their tokens, Flask-Talisman the headers and the nonce
of the content security policy, Flask-SQLAlchemy the database. Nothing of theirs is switched off, and nothing that a page
does not need is asked of the database.
"""

import os
from datetime import datetime, timezone
from typing import Optional

from flask import Flask, render_template, request
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, UserMixin, auth_required, current_user, hash_password
from flask_sqlalchemy import SQLAlchemy
from flask_talisman import Talisman
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Column, ForeignKey, Table, event, or_, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload
from werkzeug.middleware.proxy_fix import ProxyFix
from wtforms import BooleanField, EmailField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Email, Length, NumberRange


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)

roles_users = Table(
    "roles_users",
    Base.metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("role_id", ForeignKey("role.id"), primary_key=True),
)
document_tags = Table(
    "document_tags",
    Base.metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True),
)
shares = Table(
    "shares",
    Base.metadata,
    Column("document_id", ForeignKey("document.id"), primary_key=True),
    Column("user_id", ForeignKey("user.id"), primary_key=True, index=True),
)


class Role(db.Model, RoleMixin):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[Optional[str]]
    permissions: Mapped[Optional[str]]


class User(db.Model, UserMixin):
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password: Mapped[Optional[str]]
    active: Mapped[bool]
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    roles: Mapped[list[Role]] = relationship(secondary=roles_users)


class Tag(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(unique=True)


class Document(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str]
    # As in the portal, a document has a long description, and the list does not load it.
    description: Mapped[str] = mapped_column(deferred=True)
    status: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    size: Mapped[int]
    created_at: Mapped[int] = mapped_column(index=True)
    owner: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=document_tags)


class Notice(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[int] = mapped_column(index=True)
    author: Mapped[User] = relationship()


class Order(FlaskForm):
    name = StringField(validators=[DataRequired(), Length(max=80)])
    email = EmailField(validators=[DataRequired(), Email()])
    age = IntegerField(validators=[NumberRange(0, 150)])
    colour = SelectField(choices=[("red", "Red"), ("blue", "Blue")])
    about = TextAreaField(validators=[DataRequired(), Length(max=2_000)])
    newsletter = BooleanField()


ORDERS = {
    "newest": (Document.created_at.desc(), Document.id.desc()),
    "oldest": (Document.created_at, Document.id),
    "title": (Document.title, Document.id),
    "largest": (Document.size.desc(), Document.id.desc()),
}


@event.listens_for(Engine, "connect")
def write_ahead(connection, _record):
    """The portal's settings of SQLite."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def date(at: int) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%-d %B %Y}"


def iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def filesize(size: int) -> str:
    if size < 1_024:
        return f"{size} bytes"
    return f"{size / 1_024:.0f} KiB" if size < 1_048_576 else f"{size / 1_048_576:.1f} MiB"


app = Flask(__name__, static_folder=None)
app.config.update(
    SECRET_KEY=os.environ["PEER_KEY"],
    SECURITY_PASSWORD_SALT=os.environ["PEER_SALT"],
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['PEER_DATABASE']}",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
    REMEMBER_COOKIE_SECURE=True,
)
# nginx terminates TLS, and sets the forwarded headers.
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
db.init_app(app)
datastore = SQLAlchemyUserDatastore(db, User, Role)
Security(app, datastore)
CSRFProtect(app)
Talisman(
    app,
    content_security_policy={"default-src": "'self'", "script-src": "'self'", "object-src": "'none'", "frame-ancestors": "'none'"},
    content_security_policy_nonce_in=["script-src"],
)
app.jinja_env.filters.update(date=date, iso=iso, filesize=filesize)


@app.get("/")
def front():
    latest = select(Notice).options(joinedload(Notice.author))
    notices = db.session.scalars(latest.order_by(Notice.published_at.desc(), Notice.id.desc()).limit(10)).all()
    return render_template("front.html", notices=notices)


@app.get("/documents")
@auth_required("session")
def documents():
    asked = {name: request.args.get(name, "") for name in ("q", "status", "tag")}
    sort = request.args.get("sort", "newest")
    wanted = select(Document).options(joinedload(Document.owner), selectinload(Document.tags))
    if not current_user.has_role("reviewer"):
        shared = select(shares.c.document_id).where(shares.c.user_id == current_user.id)
        wanted = wanted.where(
            or_(Document.status == "approved", Document.owner_id == current_user.id, Document.id.in_(shared))
        )
    if asked["q"]:
        wanted = wanted.where(Document.title.icontains(asked["q"], autoescape=True))
    if asked["status"]:
        wanted = wanted.where(Document.status == asked["status"])
    if asked["tag"]:
        wanted = wanted.where(Document.tags.any(Tag.word == asked["tag"]))
    page = db.paginate(wanted.order_by(*ORDERS.get(sort, ORDERS["newest"])), per_page=20, max_per_page=20)
    return render_template("documents.html", page=page, asked=asked, sort=sort)


@app.get("/order")
@auth_required("session")
def order():
    return render_template("order.html", form=Order())


@app.post("/order")
@auth_required("session")
def take():
    form = Order()
    if not form.validate_on_submit():
        return render_template("order.html", form=form), 422
    return "taken", {"Content-Type": "text/plain; charset=utf-8"}


def fill(source: str) -> None:
    """The same people, documents and notices as the portal's database has."""
    import sqlite3

    portal = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    with app.app_context():
        db.create_all()
        member = datastore.create_role(name="member")
        people = {}
        for number, email, name in portal.execute("SELECT id, email, name FROM dewar_users"):
            password = hash_password(os.environ["PEER_PASSWORD"])
            people[number] = datastore.create_user(email=email, name=name, password=password, roles=[member])
        words = {}
        columns = "id, owner_id, title, description_html, status, kind, size, created_at"
        for row in portal.execute(f"SELECT {columns} FROM documents").fetchall():
            document = Document(
                id=row[0], owner=people[row[1]], title=row[2], description=row[3], status=row[4], kind=row[5], size=row[6],
                created_at=row[7],
            )
            for (word,) in portal.execute("SELECT tag FROM document_tags WHERE document_id = ?", (row[0],)):
                words.setdefault(word, Tag(word=word))
                document.tags.append(words[word])
            db.session.add(document)
        for title, body, author, at in portal.execute("SELECT title, body_html, author_id, published_at FROM notices"):
            db.session.add(Notice(title=title, body=body, author=people[author], published_at=at))
        db.session.commit()


if __name__ == "__main__":
    import sys

    fill(sys.argv[1])
