"""Logging: one line per event, and secrets and personal data are redacted everywhere."""

import json
import logging
import os
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from etl.config import logs
from etl.config.logs import configure_logging, log_context
from etl.config.redaction import HIDDEN, MAX_LENGTH, escape_control_characters, hide_secrets, redact_event, redact_text
from etl.config.settings import Settings

SSN = "078-05-1120"
PASSWORD = "hunter2-correct-horse"
NOBODY = 65534
MARKS = (SSN, PASSWORD, "geheim", "dana@example.com", "eyJhbGciOi")


@pytest.fixture(autouse=True)
def quiet_after() -> Iterator[None]:
    """Remove the test runner's handlers during a test, and restore logging afterward."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def hide_from_the_report() -> None:
    """Keep a test's log out of the runner's report, which cannot be sent with a lone surrogate."""
    logging.getLogger().handlers.clear()


def settings(**overrides: object) -> Settings:
    return Settings(_env_file=None, qqcatalyst_password=PASSWORD, **overrides)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer eyJhbGciOi.abc.def",
        "authorization='Basic ZGFuYTpnZWhlaW0='",
        "bearer geheim",
        "Basic geheim0=",
        "{'Authorization': 'Bearer geheim'}",
        '{"access_token": "geheim", "x": 1}',
        "refresh_token=geheim&x=1",
        "postgresql://etl:geheim@db:5432/x",
        "https://dana:p@ss-geheim@host/",
        "host=db password=geheim dbname=x",
        "password = 'geheim geheim'",
        "client_secret: geheim",
        "PGPASSWORD=geheim",
        f"SSN {SSN} found",
        f"it is {SSN}.",
        "DETAIL:  Key (email)=(dana@example.com) already exists.",
        "DETAIL:  Failing row contains (1, Dana,\n geheim, 1984-03-02).\n[SQL: INSERT]\n(Background on this error)",
        'CONTEXT:  COPY contacts, line 3, column email: "geheim"',
        "[SQL: INSERT INTO x VALUES (%s)]\n[parameters: {'name': 'geheim'}]\n(Background on this error)",
        'invalid input syntax for type integer: "geheim"',
        'date/time field value out of range: "geheim"',
        "mail from dana@example.com",
        f"the password is {PASSWORD}",
        "UserPassword='geheim'",
        "api-key=geheim",
        "DOB=geheim",
        "DriverLicenseNo: geheim",
        "failed: token=geheim",
        "error: {'client_secret': 'geheim geheim'}",
        'password="ge\\"geheim"',
        "Proxy-Authorization: Basic geheim0=",
        'Authorization: Digest username="geheim", realm="x", response="geheim"',
        'WWW-Authenticate: Digest realm="x", nonce="geheim"',
        "Set-Cookie: session=geheim; Path=/; x=geheim",
        "Cookie: a=1; session=geheim",
        '{"Cookie": "a=1; b=geheim"}',
        "the answer was eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
        '{"body": "{\\"ssn\\": \\"geheim geheim\\"}"}',
        '{"body": "{\\"Facts\\": {\\"LoginPassword\\": \\"geheim\\"}}"}',
        r"""{"body": "{\\\"password\\\": \\\"geheim\\\"}"}""",
        "Tax ID: geheim",
        "TaxpayerIdentificationNumber=geheim",
        "EIN=geheim",
        "BusinessFEIN: 'geheim'",
        "routing number: geheim",
        "RoutingNo=geheim",
        "CVV: geheim",
        "driver's license: geheim",
        "Drivers licence no: geheim",
        "Account number: geheim",
        "social security number: geheim",
        "date of birth: geheim",
    ],
)
def test_secrets_are_redacted(text: str) -> None:
    hide_secrets(PASSWORD)
    assert not any(mark in redact_text(text) for mark in MARKS)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("SSN 457 55 5462", "5462"),
        ("457 55 5462", "5462"),
        ("SSN-457-55-5462", "5462"),
        ("found 457\u201155\u20115462 in it", "5462"),
        ("ssn 457555462", "457555462"),
        ("ssn: 457 555 462", "462"),
        ("social security 4 5 7 5 5 5 4 6 2", "4 6 2"),
        ("account 0012 3456 7890", "7890"),
        ("Acct# 0012-3456-7890", "7890"),
        ("account number is 001234567890", "567890"),
        ("account no: 0012 3456 7890 of Dana", "7890"),
        ("routing 021000021", "021000021"),
        ("ABA no. 0210-0002-1", "0002"),
        ("card 4111 1111 1111 1111", "1111"),
        ("paid with 4111-1111-1111-1111 today", "1111"),
        ("378282246310005", "378282246310005"),
        ("CVV 737", "737"),
        ("EIN 12-3456789", "3456789"),
        ("tax id 12-3456789", "3456789"),
        ("driver's license D123-4567-8901", "4567"),
        ("DL no. R250 6789 1234", "6789"),
        ("born March 2, 1984", "1984"),
        ("born on 2 March 1984 in Miami", "1984"),
        ("DOB: Mar. 2nd, 1984", "1984"),
        ("date of birth = March 2 1984", "1984"),
        ("birthday: 2nd of March, 1984", "1984"),
        ("DOB 03/02/1984", "1984"),
        ("DOB 03021984", "1984"),
        ("birthday 19840302", "1984"),
        ("born 02MAR1984", "1984"),
        ("date of birth 2-Mar-1984", "1984"),
        ("born 02.MAR.1984", "1984"),
        ("born in March 1984", "1984"),
        ("born 1984 March 2", "1984"),
        ("DateOfBirth: 1984 March 2", "March"),
        ("BirthDate: March 2nd", "2nd"),
        ("DOB: Friday, March 2, 1984", "March"),
        ("Birthdate: the second of March 1984", "March"),
        ("SSN: 457 - 55 - 5462", "5462"),
        ("ssn=457\u00a055\u00a05462", "5462"),
        ("TaxID: 12 - 3456789", "3456789"),
        ("Account number: 0012  3456  7890", "7890"),
        ("AccountNumber=0012.3456.7890", "7890"),
        ("Acct 0012.3456.7890", "7890"),
        ("account number: 0012/3456/7890", "7890"),
        ("IBAN: DE89 3704 0044 0532 0130 00", "0532"),
        ("IBAN GB29 NWBK 6016 1331 9268 19", "6016"),
        ("DL number: R250 6789 1234", "6789"),
        ("DriverLicenseNo: R250 6789 1234", "6789"),
        ("2223003122003222", "2223003122003222"),
        ("paid with 4111.1111.1111.1111 today", "1111"),
        ("paid with 4111 - 1111 - 1111 - 1111 today", "1111"),
        ("security code 737", "737"),
    ],
)
def test_personal_numbers_and_dates_are_redacted(text: str, secret: str) -> None:
    """In groups, spelled out, with and without a sign after the name."""
    redacted = redact_text(text)
    assert secret not in redacted
    assert redact_text(redacted) == redacted
    assert secret not in str(redact_event({"note": {"deep": [text]}}))


@pytest.mark.parametrize(
    "text",
    [
        "page 3 of contacts staged, 500 records in 12.5 ms",
        "Basic coverage of 2026-01-31",
        "id 123456789",
        "555-0142 rings",
        "https://api.qqcatalyst.com/v1/Contacts?pageNumber=1",
        "batch 6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "a @ b",
        "credentials refused: 401",
        "account_info: 1234567 records",
        "batch of 2026-01-31 12:30:00, id 1234567890123456",
        "policy PA 0042-1789 from March 2, 2026",
        "error: page=3 of https://api.qqcatalyst.com/v1/Contacts",
        "phone +13055550142",
        "0012 3456 7890 records",
    ],
)
def test_other_texts_are_not_redacted(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("repeated", ["a-", "a.", "born ", "1 - ", "the ", "4111 ", "DE89 "])
@pytest.mark.parametrize("before", ["", "born ", "SSN: ", "account "])
def test_a_hostile_text_is_redacted_within_two_seconds(before: str, repeated: str) -> None:
    begun = time.process_time()
    redact_text(before + repeated * 40_000)
    assert time.process_time() - begun < 2


def test_secrets_are_redacted_in_urls_too() -> None:
    hide_secrets("p@ss w0rd/!")
    assert redact_text("x p@ss w0rd/! y p%40ss%20w0rd%2F%21 z p%40ss%20w0rd/%21") == f"x {HIDDEN} y {HIDDEN} z {HIDDEN}"


def test_values_with_a_sensitive_name_are_removed() -> None:
    event = {
        "ssn": 78051120,
        "Password": ["geheim"],
        "headers": {"Authorization": "geheim"},
        "dob": "1984-03-02",
        "page": 3,
    }
    assert redact_event(event) == {
        "ssn": HIDDEN,
        "Password": HIDDEN,
        "headers": {"Authorization": HIDDEN},
        "dob": HIDDEN,
        "page": 3,
    }


def test_long_texts_keep_their_beginning_and_end() -> None:
    text = redact_text("a" * 50_000 + "b" * 500_000)
    assert len(text) <= MAX_LENGTH + 10
    assert (text[0], text[-1]) == ("a", "b")


@given(st.text(max_size=200))
def test_any_text_becomes_one_line_of_visible_characters(text: str) -> None:
    line = escape_control_characters(redact_text(text))
    assert line.isprintable() or not any(char in line for char in "\r\n\x1b\u2028\u2029\u202e\x85\x0b\x0c")
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\nb", "\x1b[31mred", "a\u2028b", "a\u202eb", "a\u200bb", "\ud800", "a\x00b", "a\x85b", "100%s %d"],
)
def test_hostile_texts_cannot_add_lines(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    hide_from_the_report()
    configure_logging(settings().log)
    structlog.stdlib.get_logger("x").warning(text, value=text)
    logging.getLogger("y").warning(text)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_one_event_is_one_line_of_json_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings().log)
    structlog.stdlib.get_logger("etl.x").info("page staged", resource="contacts", page=3, note="a\nb")
    (event,) = events(capsys)
    assert event.pop("timestamp")
    assert event == {
        "event": "page staged",
        "resource": "contacts",
        "page": 3,
        "note": "a\nb",
        "level": "info",
        "logger": "etl.x",
    }


def test_one_event_is_one_line_of_text_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure_logging(settings(log_level="INFO").log)
    structlog.stdlib.get_logger("etl.x").info("page staged", resource="contacts", password="geheim")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"info      page staged  resource=contacts  password={HIDDEN}")


def test_secrets_of_every_logger_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_level="DEBUG", database_url=f"postgresql://u:{PASSWORD}@h/d").log)
    for name in ("etl.x", "aiohttp.client", "sqlalchemy.engine.Engine", "psycopg", "asyncio", "root"):
        logger = logging.getLogger(name)
        logger.debug("Bearer eyJhbGciOi %s", PASSWORD)
        logger.warning("password=%s for %s", "geheim", {"ssn": SSN})
        try:
            raise ValueError(f"DETAIL: {SSN} geheim {PASSWORD}")  # noqa: TRY301 (the traceback is wanted)
        except ValueError:
            logger.exception("failed with %s", PASSWORD)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"token=geheim {PASSWORD}", stacklevel=1)
    output = capsys.readouterr().err
    assert output.count("failed with") == 6
    assert "ValueError" in output
    assert not any(mark in output for mark in MARKS)


def test_libraries_do_not_log_statements_and_parameters_even_at_debug(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(settings(log_level="DEBUG").log)
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT %s", ("Dana", "Rivera"))
    logging.getLogger("asyncio").debug("answer: Dana")
    structlog.stdlib.get_logger("etl.x").debug("kept")
    assert [event["event"] for event in events(capsys)] == ["kept"]


def test_the_log_level_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_level="ERROR").log)
    structlog.stdlib.get_logger("etl.x").warning("no")
    structlog.stdlib.get_logger("etl.x").error("yes")
    assert [event["event"] for event in events(capsys)] == ["yes"]


def test_the_log_file_is_private_and_survives_rotation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "qqetl.log"
    hide_from_the_report()
    configure_logging(settings(log_file=path).log)
    logger = structlog.stdlib.get_logger("etl.x")
    logger.info("first", value="\ud800")
    path.rename(tmp_path / "old.log")
    logger.info("second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [json.loads(log_path.read_text())["event"] for log_path in (tmp_path / "old.log", path)] == [
        "first",
        "second",
    ]
    assert capsys.readouterr().err == ""


def test_a_log_file_that_is_truncated_continues_without_a_hole(tmp_path: Path) -> None:
    """Logrotate does this with `copytruncate`."""
    path = tmp_path / "qqetl.log"
    configure_logging(settings(log_file=path).log)
    logger = structlog.stdlib.get_logger("etl.x")
    logger.info("first")
    os.truncate(path, 0)
    logger.info("second")
    assert json.loads(path.read_text())["event"] == "second"


def test_the_folder_of_the_log_file_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "missing" / "too" / "qqetl.log"
    configure_logging(settings(log_file=path).log)
    structlog.stdlib.get_logger("etl.x").info("kept")
    assert json.loads(path.read_text())["event"] == "kept"
    assert capsys.readouterr().err == ""


def test_an_unusable_log_file_is_replaced_by_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    configure_logging(settings(log_file=tmp_path / "file" / "qqetl.log").log)
    structlog.stdlib.get_logger("etl.x").info("continues")
    first, second = events(capsys)
    assert (first["event"], first["level"]) == ("log file cannot be written", "warning")
    assert "LOG_FILE" in str(first["reason"])
    assert second["event"] == "continues"


def test_a_user_with_a_read_only_folder_gets_the_log_on_standard_error() -> None:
    """File modes do not stop root, so a child process gives up root before it logs."""
    folder = Path(tempfile.mkdtemp(prefix="qqetl-"))
    folder.chmod(0o555)
    try:
        status, stderr = as_plain_user(lambda: log_to(folder / "qqetl.log"))
    finally:
        folder.rmdir()
    first, second = (json.loads(line) for line in stderr.splitlines())
    assert (status, first["event"], second["event"]) == (0, "log file cannot be written", "continues")
    assert first["reason"] == "LOG_FILE: Permission denied"


def log_to(path: Path) -> None:
    configure_logging(settings(log_file=path).log)
    structlog.stdlib.get_logger("etl.x").info("continues")


def as_plain_user(work: Callable[[], None]) -> tuple[int, str]:
    """Return the exit status and standard error of a child process that works without root's privileges."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            sys.stderr = os.fdopen(theirs, "w")
            work()
            sys.stderr.flush()
            status = 0
        finally:
            os._exit(status)
    os.close(theirs)
    with os.fdopen(ours) as reader:
        output = reader.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output


def test_a_deleted_log_folder_is_replaced_by_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    configure_logging(settings(log_file=folder / "qqetl.log").log)
    folder.rename(tmp_path / "gone")
    structlog.stdlib.get_logger("etl.x").info("continues")
    assert [event["event"] for event in events(capsys)] == ["continues"]


def test_a_full_disk_loses_no_message_and_stops_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_file=Path("/dev/full")).log)
    structlog.stdlib.get_logger("etl.x").info("continues")
    assert [event["event"] for event in events(capsys)] == ["continues"]


@pytest.mark.parametrize("to_file", [True, False])
def test_a_message_that_cannot_be_formatted_does_not_show_its_arguments(
    to_file: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # the test runner's own would raise
    configure_logging(settings(log_file=tmp_path / "x.log" if to_file else None).log)
    logging.getLogger("etl.x").warning("%d records", "geheim")
    logging.getLogger().handlers[0].close()
    output = capsys.readouterr().err
    assert "a log message of etl.x could not be written" in output
    assert "geheim" not in output


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings().log)
    configure_logging(settings().log)
    structlog.stdlib.get_logger("etl.x").info("once")
    assert len(events(capsys)) == 1
    assert sum(handler.get_name() == logs._HANDLER_NAME for handler in logging.getLogger().handlers) == 1


def test_a_terminal_shows_only_warnings_unless_a_level_is_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    overrides: dict[str, str]
    for overrides, heard in (({}, ["loud"]), ({"log_level": "INFO"}, ["quiet", "loud"])):
        configure_logging(settings(**overrides).log)
        structlog.stdlib.get_logger("etl.x").info("quiet")
        structlog.stdlib.get_logger("etl.x").warning("loud")
        assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == heard


def test_bound_fields_are_on_every_line_of_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings().log)
    with log_context(batch="b", request="r"):
        structlog.stdlib.get_logger("etl.x").info("ours")
        logging.getLogger("library").warning("theirs")
    logging.getLogger("library").warning("after")
    assert [event.get("batch") for event in events(capsys)] == ["b", "b", None]
