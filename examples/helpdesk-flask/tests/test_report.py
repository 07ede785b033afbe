from conftest import opened


def test_the_report_fails_if_more_tickets_are_open_than_allowed(app, sign_in):
    opened(sign_in("customer"))
    runner = app.test_cli_runner()
    assert runner.invoke(args=["report"]).output == "open: 1\n"
    assert runner.invoke(args=["report", "--most", "1"]).exit_code == 0
    result = runner.invoke(args=["report", "--most", "0"])
    assert result.exit_code == 3
    assert "1 tickets are open" in result.output
