"""The help desk, tried from outside as its visitors do."""

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup
from flask_security import hash_password

import helpdesk
from helpdesk.extensions import db, limiter, mail
from helpdesk.security import ROLES, datastore

MAIL_KEY = "a key that the mail gateway knows too"
PASSWORD = "a quiet lake before the rain"


@pytest.fixture(scope="session", autouse=True)
def translations():
    """Compiles the translations, as the deployment does with pybabel."""
    folder = f"{helpdesk.__path__[0]}/translations/de/LC_MESSAGES"
    with open(f"{folder}/messages.po", "rb") as source:
        catalog = read_po(source)
    with open(f"{folder}/messages.mo", "wb") as compiled:
        write_mo(compiled, catalog)


@pytest.fixture
def settings():
    """Settings of one test over the usual ones."""
    return {}


@pytest.fixture
def app(tmp_path, settings):
    usual = {
        "TESTING": True,
        "SECRET_KEY": "s" * 32,
        "SECURITY_PASSWORD_SALT": "p" * 32,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "DESK_MAIL_KEY": MAIL_KEY,
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/test.sqlite",
        "UPLOADS": str(tmp_path / "uploads"),
    }
    app = helpdesk.create_app(usual | settings)
    with app.app_context():
        db.create_all()
        for role in ROLES:
            datastore.find_or_create_role(role)
        datastore.commit()
    limiter.reset()
    return app


@pytest.fixture
def letters(app):
    with mail.record_messages() as letters:
        yield letters


class Page:
    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.location = response.headers.get("Location")
        self.data = response.data
        self.html = BeautifulSoup(response.data, "html.parser")

    @property
    def text(self):
        return self.data.decode()

    def texts(self, selector):
        return [each.get_text(strip=True) for each in self.html.select(selector)]

    def value(self, name):
        return self.html.select_one(f"main [name={name}]")["value"]


class Browser:
    """Keeps cookies, and sends the CSRF token of the page that has the form."""

    def __init__(self, app):
        self.client = app.test_client()
        self.https = {"base_url": "https://localhost"}

    def get(self, path, **headers):
        return Page(self.client.get(path, headers=headers, **self.https))

    def submit(self, page, action, data):
        sent = data | {"csrf_token": self.get(page).value("csrf_token")}
        return self.post(action, data=sent)

    def post(self, path, **arguments):
        headers = {"Referer": f"https://localhost{path}"} | arguments.pop("headers", {})
        return Page(self.client.post(path, headers=headers, **arguments, **self.https))


@pytest.fixture
def visitor(app):
    return Browser(app)


@pytest.fixture
def sign_in(app):
    """Signs in a new user with a role, through the form."""
    count = 0

    def sign_in(role):
        nonlocal count
        count += 1
        email = f"{role}{count}@example.org"
        with app.app_context():
            datastore.create_user(
                email=email,
                name=f"{role}{count}",
                language="en",
                password=hash_password(PASSWORD),
                roles=[datastore.find_role(role)],
            )
            datastore.commit()
        browser = Browser(app)
        answer = browser.submit(
            "/sign-in", "/sign-in", {"email": email, "password": PASSWORD}
        )
        assert answer.status == 302, answer.text
        return browser

    return sign_in


def opened(customer, title="The lamp hums"):
    """Opens a ticket through the form, and gives its address."""
    data = {"title": title, "priority": "normal", "description": "It hums."}
    answer = customer.submit("/tickets/new", "/tickets", data)
    assert answer.status == 302, answer.text
    return answer.location


def reply(person, ticket, text):
    """Writes a reply below a ticket."""
    answer = person.submit(ticket, f"{ticket}/replies", {"body": text})
    assert answer.status == 302, answer.text


def status(person, ticket):
    """The state of a ticket, as its page shows it."""
    return person.get(ticket).texts("dd .status")[0]
