from helpdesk.security import datastore


def test_an_administrator_makes_a_customer_an_agent(sign_in):
    customer, administrator = sign_in("customer"), sign_in("administrator")
    assert customer.get("/queue").status == 403
    data = {"email": "customer1@example.org", "roles": ["agent"]}
    assert administrator.submit("/people", "/people", data).status == 302
    assert customer.get("/queue").status == 200
    assert customer.get("/people").status == 403


def test_an_unknown_address_is_a_problem_of_its_field(sign_in):
    administrator = sign_in("administrator")
    answer = administrator.submit("/people", "/people", {"email": "nobody@example.org"})
    assert answer.status == 422
    assert "Nobody has an account" in answer.text


def test_the_last_administrator_stays_one(sign_in):
    administrator = sign_in("administrator")
    data = {"email": "administrator1@example.org", "roles": ["agent"]}
    assert administrator.submit("/people", "/people", data).status == 422


def test_whoever_signs_up_is_a_customer(app, visitor):
    data = {
        "name": "Ada",
        "email": "ada@example.org",
        "password": "nine lamps above the door",
    }
    visitor.submit("/sign-up", "/sign-up", data)
    with app.app_context():
        user = datastore.find_user(email="ada@example.org")
        assert [role.name for role in user.roles] == ["customer"]
