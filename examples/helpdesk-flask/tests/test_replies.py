from conftest import opened, reply, status


def test_a_reply_of_an_agent_reaches_the_customer_by_letter(sign_in, letters):
    customer, agent = sign_in("customer"), sign_in("agent")
    ticket = opened(customer)
    reply(agent, ticket, "Have you tried another bulb?")

    assert status(customer, ticket) == "Waiting for the customer"
    assert "Have you tried another bulb?" in customer.get(ticket).text
    [letter] = letters
    assert letter.recipients == ["customer1@example.org"]
    assert letter.subject == "Re: The lamp hums"
    assert "> Have you tried another bulb?" in letter.body
    assert f"https://localhost{ticket}" in letter.body


def test_a_reply_of_the_customer_opens_the_ticket_again_without_a_letter(
    sign_in, letters
):
    customer, agent = sign_in("customer"), sign_in("agent")
    ticket = opened(customer)
    reply(agent, ticket, "Have you tried another bulb?")
    reply(customer, ticket, "Yes. It hums too.")
    assert status(agent, ticket) == "Open"
    assert len(letters) == 1


def test_nobody_replies_to_a_ticket_of_another(sign_in):
    owner, other = sign_in("customer"), sign_in("customer")
    foreign, own = opened(owner), opened(other)
    assert other.submit(own, f"{foreign}/replies", {"body": "Hello"}).status == 404
