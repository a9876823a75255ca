"""Our loggers in a program that does not configure our logging: their lines are redacted too."""

import logging

import pytest

from etl.config.logs import get_logger
from etl.config.redaction import hide_secrets

SECRET, PASSWORD, SSN, MAIL = "mk-Secret-5e1f", "mk-Pass/word+9a@7", "943-21-8765", "zeb@forgetme.example"


@pytest.mark.parametrize("own_handler", [True, False], ids=["handler of the program", "no handler"])
def test_a_program_that_never_configures_our_log_gets_redacted_lines(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_handler: bool
) -> None:
    hide_secrets(SECRET)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler()] if own_handler else [])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    log = get_logger("etl.somewhere")
    log.warning("refused", password=PASSWORD, note=f"{SECRET} {SSN}", mail=MAIL, fine="kept")
    log.error("broken", exc_info=ValueError(f"{SECRET} {SSN}"))
    out, err = capfd.readouterr()
    assert "kept" in err
    assert "broken" in err
    assert out == ""
    assert [text for text in (SECRET, PASSWORD, SSN, MAIL) if text in err] == []
