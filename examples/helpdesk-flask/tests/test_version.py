import pytest

from helpdesk import VERSION


@pytest.mark.parametrize("path", ["/", "/tickets", "/nowhere"])
def test_each_response_has_the_version_of_the_program(visitor, path):
    assert visitor.get(path).headers["X-Helpdesk-Version"] == VERSION
