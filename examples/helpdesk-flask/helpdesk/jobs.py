"""Every night: closes the tickets whose customers have not answered."""

from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import delete, update

from .extensions import db
from .models import Delivery, Status, Ticket, now


def close_unanswered() -> None:
    days = int(current_app.config["DESK_CLOSE_AFTER_DAYS"])
    last = now() - timedelta(days=days)
    close = (
        update(Ticket)
        .where(Ticket.status == Status.WAITING, Ticket.active_at <= last)
        .values(status=Status.CLOSED, version=Ticket.version + 1)
    )
    db.session.execute(close)
    db.session.execute(
        delete(Delivery).where(Delivery.received_at < now() - timedelta(days=1))
    )
    db.session.commit()


def register(app: Flask, scheduler) -> None:
    """One process runs the schedule: set FLASK_RUNS_SCHEDULE=true for it alone."""
    if not app.config.get("RUNS_SCHEDULE"):
        return

    def run():
        with app.app_context():
            close_unanswered()

    scheduler.init_app(app)
    scheduler.add_job("close-unanswered", run, trigger="cron", hour=3, minute=30)
    scheduler.start()
