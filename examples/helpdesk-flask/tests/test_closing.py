from datetime import timedelta

import pytest
from conftest import opened, reply, status
from freezegun import freeze_time

from helpdesk.jobs import close_unanswered
from helpdesk.models import now


def close_after(app, days):
    with freeze_time(now() + timedelta(days=days)), app.app_context():
        close_unanswered()


def test_a_ticket_without_an_answer_for_fourteen_days_is_closed_in_the_night(
    app, sign_in
):
    agent, customer = sign_in("agent"), sign_in("customer")
    waiting, still_open = opened(customer), opened(customer)
    reply(agent, waiting, "Have you tried another bulb?")
    close_after(app, days=13)
    assert status(agent, waiting) == "Waiting for the customer"
    close_after(app, days=15)
    assert status(agent, waiting) == "Closed"
    assert status(agent, still_open) == "Open"


@pytest.mark.parametrize("settings", [{"DESK_CLOSE_AFTER_DAYS": 3}])
def test_the_number_of_days_is_a_setting(app, sign_in):
    agent, customer = sign_in("agent"), sign_in("customer")
    ticket = opened(customer)
    reply(agent, ticket, "Have you tried another bulb?")
    close_after(app, days=4)
    assert status(agent, ticket) == "Closed"
