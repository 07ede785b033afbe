"""The tables."""

import enum
from datetime import UTC, datetime

from flask_security.models import fsqla_v3
from sqlalchemy import Enum, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .extensions import db

fsqla_v3.FsModels.set_db_info(db)


def now() -> datetime:
    """The moment in UTC; SQLite keeps no time zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Priority(enum.StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Status(enum.StrEnum):
    """Whose turn it is: the agents', the customer's or nobody's."""

    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


def choice(values: type[enum.StrEnum]) -> Enum:
    return Enum(
        values, native_enum=False, values_callable=lambda e: [each.value for each in e]
    )


class Role(db.Model, fsqla_v3.FsRoleMixin):
    __tablename__ = "role"


class User(db.Model, fsqla_v3.FsUserMixin):
    __tablename__ = "user"
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(2), default="en")


class Ticket(db.Model):
    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    priority: Mapped[Priority] = mapped_column(
        choice(Priority), default=Priority.NORMAL
    )
    status: Mapped[Status] = mapped_column(
        choice(Status), default=Status.OPEN, index=True
    )
    opened_at: Mapped[datetime] = mapped_column(default=now)
    active_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column()

    owner: Mapped[User] = relationship(foreign_keys=[owner_id])
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    replies: Mapped[list["Reply"]] = relationship(order_by="Reply.id")
    attachments: Mapped[list["Attachment"]] = relationship(order_by="Attachment.id")

    # An update of a version that is no longer there fails (StaleDataError).
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = {"sqlite_autoincrement": True}


class Reply(db.Model):
    __tablename__ = "reply"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(default=now)

    author: Mapped[User] = relationship()


class Attachment(db.Model):
    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    file: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(255))

    ticket: Mapped[Ticket] = relationship(overlaps="attachments")


class ApiToken(db.Model):
    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]

    owner: Mapped[User] = relationship()


class Delivery(db.Model):
    """A mail that the gateway has delivered, so that it is taken once."""

    __tablename__ = "delivery"
    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(default=now)
