import hashlib
import hmac
import json
import time

from conftest import MAIL_KEY

from helpdesk.security import datastore

PATH = "/hooks/mail"


def mail(sender):
    return {
        "from": sender,
        "name": "Ada",
        "subject": "The lamp hums",
        "text": "Loudly.\n\nSince Monday.",
    }


def signed(mail, at=None):
    at = int(time.time()) if at is None else at
    body = json.dumps(mail)
    text = f"{at}\n{PATH}\n{body}".encode()
    signature = hmac.new(MAIL_KEY.encode(), text, hashlib.sha256).hexdigest()
    headers = {"X-Signature": f"t={at},v1={signature}"}
    return {"data": body, "content_type": "application/json", "headers": headers}


def test_a_mail_opens_a_ticket_of_its_sender(sign_in, visitor):
    customer = sign_in("customer")
    assert visitor.post(PATH, **signed(mail("customer1@example.org"))).status == 204
    ticket = customer.get("/tickets/1")
    assert ticket.texts("h1") == ["The lamp hums"]
    assert ticket.texts("article p") == ["Loudly.", "Since Monday."]


def test_an_unknown_sender_gets_an_account(app, visitor):
    assert visitor.post(PATH, **signed(mail("ada@example.org"))).status == 204
    with app.app_context():
        user = datastore.find_user(email="ada@example.org")
        assert [role.name for role in user.roles] == ["customer"]


def test_a_mail_that_the_gateway_did_not_sign_opens_nothing(sign_in, visitor):
    agent = sign_in("agent")
    forged = json.dumps(mail("ada@example.org"))
    assert (
        visitor.post(PATH, data=forged, content_type="application/json").status == 401
    )
    old = signed(mail("ada@example.org"), at=int(time.time()) - 600)
    assert visitor.post(PATH, **old).status == 401
    assert visitor.post(PATH, **signed(mail("no address"))).status == 400
    assert agent.get("/queue").texts("tbody a") == []


def test_a_delivery_is_taken_once(visitor):
    delivery = signed(mail("ada@example.org"))
    first, second = dict(delivery), dict(delivery)
    first["headers"], second["headers"] = dict(delivery["headers"]), dict(
        delivery["headers"]
    )
    assert visitor.post(PATH, **first).status == 204
    assert visitor.post(PATH, **second).status == 409
