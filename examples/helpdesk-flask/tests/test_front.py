import pytest


@pytest.mark.parametrize("settings", [{"DESK_NAME": "Lamps & Co."}])
def test_the_front_page_has_the_name_of_the_desk_and_the_way_in(visitor, sign_in):
    front = visitor.get("/")
    assert front.texts("h1") == ["Lamps & Co."]
    assert front.html.select("main a[href='/sign-in']")
    assert "Welcome" in sign_in("customer").get("/").text


def test_the_layout_has_a_style_sheet_of_its_own(visitor):
    address = visitor.get("/").html.select_one("link[href*=helpdesk]")["href"]
    sheet = visitor.get(address)
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert ".brand" in sheet.text


def test_each_page_has_security_headers(visitor):
    front = visitor.get("/")
    assert "default-src 'self'" in front.headers["Content-Security-Policy"]
    assert front.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age" in front.headers["Strict-Transport-Security"]


def test_every_template_parses(app):
    for name in app.jinja_env.list_templates(
        filter_func=lambda name: "DebugToolbar" not in name
    ):
        app.jinja_env.get_template(name)
