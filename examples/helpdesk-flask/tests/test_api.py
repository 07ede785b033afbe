from conftest import opened


def token(person, scopes):
    """Makes a token on the page, as a person does."""
    data = {"name": "nightly export", "scopes": scopes}
    page = person.submit("/account/tokens", "/account/tokens", data)
    return page.texts("code")[0]


def call(visitor, token, json=None):
    headers = {"Authorization": f"Bearer {token}"}
    arguments = {"headers": headers, "base_url": "https://localhost"}
    if json is None:
        answer = visitor.client.get("/api/tickets", **arguments)
    else:
        answer = visitor.client.post("/api/tickets", json=json, **arguments)
    return answer.status_code, answer.get_json(force=True)


def test_a_program_opens_a_ticket_and_reads_the_list(sign_in, visitor):
    text = token(sign_in("customer"), ["tickets_read", "tickets_write"])
    new = {"title": "The lamp hums", "priority": "high", "description": "Loudly."}
    code, ticket = call(visitor, text, new)
    assert (code, ticket["status"]) == (201, "open")
    code, tickets = call(visitor, text)
    assert code == 200
    assert tickets[0]["title"] == "The lamp hums"
    assert tickets[0]["priority"] == "high"


def test_a_ticket_that_does_not_fit_names_its_fields(sign_in, visitor):
    text = token(sign_in("customer"), ["tickets_write"])
    new = {"title": "", "priority": "urgent", "description": "Loudly."}
    code, problem = call(visitor, text, new)
    assert code == 422
    assert [error["pointer"] for error in problem["errors"]] == [
        "#/title",
        "#/priority",
    ]
    assert call(visitor, text, {"is_admin": "yes"})[0] == 400


def test_a_token_does_no_more_than_its_scopes_and_reads_only_its_owners_tickets(
    sign_in, visitor
):
    opened(sign_in("customer"))
    text = token(sign_in("customer"), ["tickets_read"])
    assert call(visitor, text) == (200, [])
    assert call(visitor, text, {})[0] == 403
    assert call(visitor, "helpdesk_forged")[0] == 401


def test_a_revoked_token_ends(sign_in, visitor):
    customer = sign_in("customer")
    text = token(customer, ["tickets_read"])
    assert (
        customer.submit("/account/tokens", "/account/tokens/1/revoke", {}).status == 302
    )
    assert call(visitor, text)[0] == 401
