from conftest import opened


def test_an_agent_downloads_all_tickets_as_a_table(sign_in):
    customer, agent = sign_in("customer"), sign_in("agent")
    opened(customer, '=HYPERLINK("https://evil.example")')
    table = agent.get("/tickets.csv").text
    assert "Number,Title,Status" in table
    assert "1,\"'=HYPERLINK(" in table  # no formula
    assert "customer1@example.org" in table
    assert sign_in("administrator").get("/tickets.csv").text == table
    assert customer.get("/tickets.csv").status == 403
