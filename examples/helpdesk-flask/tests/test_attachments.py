from io import BytesIO

from conftest import opened


def ticket_with(name, content):
    return {
        "title": "The lamp hums",
        "priority": "normal",
        "description": "See the file.",
        "file": (BytesIO(content), name),
    }


def test_a_file_comes_back_to_whoever_may_read_the_ticket(sign_in):
    customer, agent, other = sign_in("customer"), sign_in("agent"), sign_in("customer")
    data = ticket_with("hum.txt", b"50 Hz")
    ticket = customer.submit("/tickets/new", "/tickets", data).location
    file = agent.get(ticket).html.select_one("li a")["href"]
    assert agent.get(file).text == "50 Hz"
    assert customer.get(file).text == "50 Hz"
    assert "attachment" in customer.get(file).headers["Content-Disposition"]
    assert other.get(file).status == 404


def test_a_reply_can_have_a_file(sign_in):
    customer = sign_in("customer")
    ticket = opened(customer)
    data = {"body": "Here.", "file": (BytesIO(b"50 Hz"), "hum.txt")}
    page = customer.get(customer.submit(ticket, f"{ticket}/replies", data).location)
    assert page.texts("li a") == ["hum.txt"]


def test_a_program_is_no_attachment(sign_in):
    customer = sign_in("customer")
    for name in ("hum.exe", "hum.pdf", "hum.txt"):
        data = ticket_with(name, b"MZ\0\0")
        assert customer.submit("/tickets/new", "/tickets", data).status == 422
    assert customer.get("/tickets").texts("tbody a") == []
