"""Commands: `flask report`, `flask close-unanswered`, `flask add-roles`."""

import sys

import click
from flask import Flask
from sqlalchemy import func, select

from .extensions import db
from .jobs import close_unanswered
from .models import Status, Ticket
from .security import ROLES, datastore


def register(app: Flask) -> None:
    @app.cli.command("report")
    @click.option(
        "--most", type=int, help="End with status 3 if more tickets are open."
    )
    def report(most: int | None):
        """Print how many tickets are open, waiting and closed."""
        query = select(Ticket.status, func.count()).group_by(Ticket.status)
        counts = dict(db.session.execute(query).all())
        for status, number in sorted(counts.items()):
            click.echo(f"{status}: {number}")
        open_tickets = counts.get(Status.OPEN, 0)
        if most is not None and open_tickets > most:
            click.echo(f"{open_tickets} tickets are open", err=True)
            sys.exit(3)

    @app.cli.command("close-unanswered")
    def close():
        """Close the tickets whose customers have not answered."""
        close_unanswered()

    @app.cli.command("add-roles")
    def add_roles():
        """Add the roles to a new database."""
        for name in ROLES:
            datastore.find_or_create_role(name)
        datastore.commit()
