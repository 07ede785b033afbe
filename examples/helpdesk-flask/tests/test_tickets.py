from conftest import opened, status


def test_a_customer_opens_a_ticket_and_finds_it_again(sign_in):
    customer = sign_in("customer")
    ticket = opened(customer)
    assert status(customer, ticket) == "Open"
    assert customer.get("/tickets").texts("tbody a") == ["The lamp hums"]
    assert customer.get("/tickets?status=closed").texts("tbody a") == []


def test_a_description_keeps_its_formatting_and_runs_nothing(sign_in):
    customer = sign_in("customer")
    html = '<p>It <strong>hums</strong>.</p><p onclick="alert(1)">Loudly.</p>'
    data = {"title": "A lamp", "priority": "normal", "description": html}
    ticket = customer.get(customer.submit("/tickets/new", "/tickets", data).location)
    assert ticket.texts("article strong") == ["hums"]
    assert "onclick" not in ticket.text


def test_a_title_that_is_too_long_comes_back_with_what_was_typed(sign_in):
    customer = sign_in("customer")
    data = {"title": "x" * 121, "priority": "normal", "description": "It hums."}
    answer = customer.submit("/tickets/new", "/tickets", data)
    assert answer.status == 422
    assert answer.texts("textarea") == ["It hums."]


def test_a_customer_reaches_no_ticket_of_another(sign_in, visitor):
    owner, other = sign_in("customer"), sign_in("customer")
    ticket = opened(owner)
    assert other.get(ticket).status == 404
    assert other.get("/tickets").texts("tbody a") == []
    assert owner.get("/queue").status == 403
    assert visitor.get(ticket).status == 302  # to the sign-in page


def test_an_agent_takes_a_ticket_from_the_queue_and_closes_it(sign_in):
    customer, agent = sign_in("customer"), sign_in("agent")
    ticket = opened(customer)
    assert agent.get("/queue").texts("tbody a") == ["The lamp hums"]

    edit = f"{ticket}/edit"
    data = {
        "version": agent.get(edit).value("version"),
        "priority": "normal",
        "status": "closed",
        "assignee_id": "2",
    }
    assert agent.submit(edit, edit, data).status == 302
    assert customer.get(ticket).texts("dd")[2] == "agent2"
    assert status(customer, ticket) == "Closed"
    assert agent.get("/queue").texts("tbody a") == []
    assert customer.get(edit).status == 403


def test_nobody_is_assigned_who_is_no_agent(sign_in):
    customer, agent = sign_in("customer"), sign_in("agent")
    edit = f"{opened(customer)}/edit"
    data = {"version": "1", "priority": "low", "status": "open", "assignee_id": "1"}
    assert agent.submit(edit, edit, data).status == 422


def test_a_change_of_an_old_version_is_refused(sign_in):
    customer, agent = sign_in("customer"), sign_in("agent")
    edit = f"{opened(customer)}/edit"
    version = agent.get(edit).value("version")
    data = {"version": version, "status": "open", "assignee_id": ""}
    agent.submit(edit, edit, data | {"priority": "high"})
    assert agent.submit(edit, edit, data | {"priority": "low"}).status == 409


def test_the_eleventh_ticket_of_an_hour_has_to_wait(sign_in):
    customer = sign_in("customer")
    for _ in range(10):
        opened(customer)
    data = {"title": "Again", "priority": "normal", "description": "It hums."}
    assert customer.submit("/tickets/new", "/tickets", data).status == 429


def test_a_page_of_another_site_opens_nothing(sign_in):
    customer = sign_in("customer")
    data = {"title": "Forged", "priority": "normal", "description": "It hums."}
    headers = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
    assert customer.post("/tickets", data=data, headers=headers).status == 400
    assert customer.get("/tickets").texts("tbody a") == []


def test_the_queue_shows_a_new_ticket_by_itself(sign_in):
    customer, agent = sign_in("customer"), sign_in("agent")
    part = agent.get("/queue").html.select_one("[data-live]")["data-live"]
    assert agent.get(part).texts("tbody a") == []
    opened(customer)
    assert agent.get(part).texts("tbody a") == ["The lamp hums"]
    assert customer.get(part).status == 403
