"""Secrets in credentials, headers, fields and errors never reach the output, even at log level DEBUG."""

import asyncio
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import structlog
from aiohttp import web
from command_line import CommandLine, settings_of
from mail_sink import PASSWORD as MAIL_PASSWORD
from mail_sink import USER as MAIL_USER
from mail_sink import mail_sink
from sites import settings_for

from etl.api import connection
from etl.api.client import ApiClient
from etl.api.retry_policy import RetryPolicy
from etl.cli.main import main
from etl.database.connect import make_engine
from etl.pipeline import sync
from etl.simulator import Simulator, SimulatorSettings
from etl.simulator.faults.faults import Faults

SECRET, PASSWORD, USERNAME = "mk-Secret-5e1f", "mk-Pass/word+9a@7", "mk-user-31c8"
PORTAL = "mk-portal-77d0"
SSN, TEXT_SSN, PLAIN_SSN = "943-21-8765", "943-21-1234", "943217777"
LICENCE = "Q123456789012"
NAME, MAIL, STREET, BORN = "Zebulon Quackenbushel", "zeb@forgetme.example", "4711 Oblivion Lane", "1951-03-17"
PERSON = (NAME, "Quackenbushel", MAIL, STREET, BORN)
SECRETS = (SECRET, PASSWORD, USERNAME, PORTAL, "mk-")
#: Texts that may never be in any output.
NEVER_OUT = (*SECRETS, SSN, TEXT_SSN, PLAIN_SSN, LICENCE, *PERSON)
#: Texts that may not be in the database either.
NEVER_KEPT = (*SECRETS, SSN, PLAIN_SSN)
#: A text of the API that quotes all secrets.
TALE = f"{PASSWORD} {SECRET} Authorization: Bearer {PORTAL} SSN {SSN} {TEXT_SSN} {LICENCE} {NAME} {MAIL} {BORN}"
HEADERS = {"QQ-Error-Message": TALE, "Set-Cookie": f"session={PORTAL}", "WWW-Authenticate": f'Basic realm="{SSN}"'}


def answer(status: int, **more: str) -> web.Response:
    """Return an error of the API that quotes secrets in its headers and in its body."""
    return web.json_response({"Message": TALE, "error_description": TALE}, status=status, headers={**HEADERS, **more})


#: All error texts in the database.
REASONS = """
    SELECT error FROM etl.batches UNION ALL SELECT error FROM etl.batch_resources
    UNION ALL SELECT reason FROM etl.offers UNION ALL SELECT message FROM etl.findings
"""

#: Responses of the API for `Claims`, by name.
TALES: dict[str, Callable[[], web.Response]] = {
    "500": lambda: answer(500),
    "503": lambda: answer(503, **{"Retry-After": TALE}),
    "400": lambda: answer(400),
    "403": lambda: answer(403),
    "404": lambda: answer(404),
    "302": lambda: answer(302, Location=f"http://{USERNAME}:{PORTAL}@localhost:9/?ssn={SSN}"),
    "web page": lambda: web.Response(body=f"<html>{TALE}</html>".encode(), content_type="text/html"),
    "cut JSON": lambda: web.Response(body=f'{{"Data":[{{"SSN":"{SSN}","x":"{TALE}'.encode()),
    "no JSON": lambda: web.Response(body=TALE.encode()),
    "failed envelope": lambda: web.json_response(
        {"Data": None, "IsSuccess": False, "ErrorCode": TALE, "ErrorMessage": TALE, "DisplayMessage": TALE}
    ),
    "other envelope": lambda: web.json_response({TALE: [TALE]}),
    "bad records": lambda: web.json_response({"Data": [TALE, {"SSN": SSN}, {"ClaimID": TALE * 9}], "TotalItems": 3}),
    "bad values": lambda: web.json_response(
        {
            "Data": [{"ClaimID": 7, "PolicyID": TALE, "Status": TALE, "AmountPaid": TEXT_SSN, "DateOfLoss": TALE}],
            "TotalItems": 1,
        }
    ),
    "wrong encoding": lambda: web.Response(body=TALE.encode(), headers={"Content-Encoding": "gzip"}),
}


class Telltale(Faults):
    """An API that quotes secrets in its errors."""

    def __init__(
        self, tale: Callable[[], web.Response] | None = None, *, feed: str = "Claims", refuses: bool = False
    ) -> None:
        super().__init__(())
        self.tale = tale
        self.path = f"/v1/{feed}/LastModifiedCreated"
        self.refuses = refuses

    def of_request(self, request: web.Request) -> web.Response | None:
        return self.tale() if self.tale is not None and request.path == self.path else None

    def of_token(self, request: web.Request) -> web.Response | None:
        if not self.refuses:
            return None
        return web.json_response({"error": "invalid_grant", "error_description": answer(400).text}, status=400)

    def rewrite(self, request: web.Request, answer: Any, again: Any) -> Any:
        return answer


def plant(simulator: Simulator) -> None:
    """Put markers into the fields of a contact, of its drivers and of its policies."""
    world, now = simulator.world, simulator.server.now()
    hidden: dict[str, Any] = {
        "SSN": SSN, "ssn": PLAIN_SSN, "SocialSecurityNumber": SSN, "Spouse": {"SSN": SSN, "Password": PORTAL},
        "UserPassword": PORTAL, "Dependants": [{"SSN": PLAIN_SSN}],
    }  # fmt: skip
    key = next(int(contact) for contact in world.contacts)
    personal = {
        "DisplayName": NAME,
        "LastName": "Quackenbushel",
        "Line1": STREET,
        "DOB": f"{BORN}T00:00:00",
        "Email": MAIL,
    }
    bad = {"Phone": TEXT_SSN, "Zip": LICENCE, "State": TEXT_SSN, "MaritalStatusID": f"{LICENCE} {TEXT_SSN} {NAME}"}
    world.contacts.change(key, now, **hidden, **personal, **bad)
    for policy in sorted(world.garage):
        drivers = [
            driver | hidden | {"DOB": TEXT_SSN, "DriverLicenseNo": LICENCE}
            for driver in world.detail("drivers", policy)
        ]
        world.keep("drivers", policy, drivers)
    account = world.detail("account", key)[0] | hidden | {"UserID": PORTAL, "UserPassword": PORTAL}
    world.keep("account", key, [account])
    for name in list(world.policies):
        world.policies.change(name, now, SSN=SSN, CustomerName=NAME)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    settings = SimulatorSettings(contacts=8, client_secret=SECRET, username=USERNAME, password=PASSWORD)
    with Simulator(settings) as served:
        plant(served)
        yield served


@dataclass(frozen=True)
class Inside:
    """The command line, called in this process; failed calls are retried without a pause."""

    environment: CommandLine
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str, **settings: str) -> tuple[int, str]:
        """Return the exit status of a command line, and its output and log."""
        for name, text in self.environment.with_settings(**settings).environment.items():
            self.patch.setenv(name, text)
        status = main(list(words))
        return status, "\n".join([*self.capture.readouterr(), logged(self.environment)])


@pytest.fixture
def qqetl(tmp_path: Path, database_url: str, simulator: Simulator) -> Iterator[CommandLine]:
    settings = settings_of(simulator) | {"LOG_LEVEL": "DEBUG", "LOG_FILE": str(tmp_path / "log")}
    yield CommandLine(tmp_path, settings | {"DATABASE_URL": database_url})
    simulator.server.faults = Faults(())


@pytest.fixture
def inside(qqetl: CommandLine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Inside]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    hasty = partial(ApiClient, policy=RetryPolicy(first_pause=0.0), sleep=lambda _: asyncio.sleep(0))
    monkeypatch.setattr(connection, "ApiClient", hasty)
    monkeypatch.chdir(qqetl.folder)
    yield Inside(qqetl, monkeypatch, capfd)
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def logged(qqetl: CommandLine) -> str:
    """Return the content of the log file."""
    log = qqetl.folder / "log"
    return log.read_text() if log.exists() else ""


def output_of(qqetl: CommandLine, process: CompletedProcess[str]) -> str:
    """Return the output and the log of a process."""
    return "\n".join([process.stdout, process.stderr, logged(qqetl)])


def leaked(text: str, markers: tuple[str, ...] = NEVER_OUT) -> list[str]:
    return [marker for marker in markers if marker.lower() in text.lower()]


def stored(url: str) -> str:
    """Return the text of all rows of all tables."""
    query = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'raw', 'etl')"
    with psycopg.connect(url) as database:
        tables = [name for (name,) in database.execute(query).fetchall()]
        rows = [
            row for name in tables for row in database.execute(f"SELECT CAST(t AS text) FROM {name} AS t").fetchall()
        ]
    return "\n".join(row[0] for row in rows)


def column(url: str, query: str) -> str:
    with psycopg.connect(url) as database:
        return "\n".join(str(row) for row in database.execute(query).fetchall())


def test_a_sync_and_its_reports(inside: Inside, database_url: str) -> None:
    commands = (
        ["sync"], ["status"], ["status", "--json"], ["runs"], ["resources"],
        ["findings"], ["findings", "--csv"], ["findings", "--json"], ["sync", "--full", "--json"],
    )  # fmt: skip
    done = [inside(*words) for words in commands]
    assert [status for status, _ in done] == [0] * len(done)
    assert [leaked(text) for _, text in done] == [[]] * len(done)
    content = stored(database_url)
    assert leaked(content, NEVER_KEPT) == []
    assert leaked(content, PERSON) == list(PERSON)  # the markers are stored where they belong
    assert leaked(column(database_url, "SELECT raw_value, message FROM etl.findings"), (SSN, TEXT_SSN, LICENCE)) == []
    assert "***" in column(database_url, "SELECT raw_value FROM etl.findings WHERE field = 'phone'")


def test_a_log_on_standard_error(qqetl: CommandLine) -> None:
    bare = CommandLine(qqetl.folder, {name: text for name, text in qqetl.settings.items() if name != "LOG_FILE"})
    done = bare("sync")
    assert done.returncode == 0
    assert leaked(output_of(bare, done)) == []


@pytest.mark.parametrize("tale", TALES)
def test_an_api_that_quotes_secrets(inside: Inside, simulator: Simulator, database_url: str, tale: str) -> None:
    simulator.requests.clear()
    simulator.server.faults = Telltale(TALES[tale])
    for words in (["sync", "--resource", "claims"], ["runs"], ["status"], ["findings"]):
        _, text = inside(*words)
        assert leaked(text) == []
    assert [request for request in simulator.requests if "Claims" in request.path]
    assert leaked(column(database_url, REASONS)) == []


def test_emails_and_metrics(inside: Inside, simulator: Simulator) -> None:
    simulator.server.faults = Telltale(TALES["500"], feed="Policies")
    with mail_sink() as (sink, port):
        addresses = {"ETL_MAIL_FROM": "qqetl@example.com", "ETL_MAIL_TO": "ops@example.com"}
        for words in (["sync", "--resource", "policies"], ["notices", "--test"], ["metrics"]):
            _, text = inside(*words, ETL_SMTP_URL=f"smtp://127.0.0.1:{port}", **addresses)
            assert leaked(text) == []
    assert sink.subjects == ["qqetl default: fees and policies failed", "qqetl default: test email"]
    assert [
        leaked(mail.as_string() + sink.text(index) + sink.html(index)) for index, mail in enumerate(sink.mails)
    ] == [
        [],
        [],
    ]


@pytest.mark.parametrize("auth", ["oauth", "enterprise"])
def test_refused_credentials(inside: Inside, simulator: Simulator, auth: str) -> None:
    simulator.server.faults = Telltale(refuses=True)
    wrong = {"QQCATALYST_PASSWORD": f"{PASSWORD}!", "QQCATALYST_CLIENT_SECRET": f"{SECRET}?", "QQCATALYST_AUTH": auth}
    status, text = inside("sync", **wrong)
    assert status == 5
    assert leaked(text) == []


def test_invalid_settings(inside: Inside) -> None:
    address = f"mysql://x:{PORTAL}@y/z"
    status, text = inside(
        "sync", QQCATALYST_API_URL=f"ftp://{USERNAME}:{PORTAL}@x", ETL_RATE=SECRET, DATABASE_URL=address
    )
    assert status == 2
    assert leaked(text) == []


def test_a_database_that_cannot_be_reached(inside: Inside) -> None:
    status, text = inside("status", DATABASE_URL=f"postgresql://etl:{PORTAL}@127.0.0.1:9/book?application_name=x")
    assert status == 4
    assert leaked(text) == []


REFUSAL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'row: %', NEW USING DETAIL = CAST(NEW AS text), HINT = CAST(NEW AS text), ERRCODE = '{state}';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.mark.parametrize("table", ["raw.raw_contacts", "public.contacts", "etl.findings"])
@pytest.mark.parametrize("state", ["P0001", "23514", "XX000"])
def test_a_database_that_quotes_the_rejected_row(inside: Inside, database_url: str, table: str, state: str) -> None:
    with psycopg.connect(database_url) as database:
        database.execute(REFUSAL.format(state=state, table=table).encode())
    status, text = inside("sync", "--resource", "contacts")
    assert status != 0 or table == "public.contacts"  # a row that a constraint rejects becomes a finding
    assert leaked(text + inside("runs")[1] + inside("findings")[1]) == []
    assert leaked(column(database_url, REASONS)) == []


#: Part of the URL of the heartbeat, which is a secret.
PING = "mk-ping-0b7e"
NEVER_SENT = (*NEVER_OUT, MAIL_PASSWORD, quote(MAIL_PASSWORD), PING)


#: Emails and incidents in the database.
WAITING = "SELECT CAST(t AS text) FROM etl.outbox AS t UNION ALL SELECT CAST(t AS text) FROM etl.troubles AS t"


def notices(port: int, folder: Path) -> dict[str, str]:
    """Return settings that enable emails, heartbeat and metrics."""
    return {
        "ETL_SMTP_URL": f"smtp://{MAIL_USER}:{quote(MAIL_PASSWORD)}@127.0.0.1:{port}?tls=off",
        "ETL_MAIL_FROM": "etl@agency.example.com",
        "ETL_MAIL_TO": "people@agency.example.com",
        "ETL_HEARTBEAT_URL": f"http://127.0.0.1:9/{PING}",
        "ETL_METRICS_FILE": str(folder / "metrics.prom"),
    }


def files(folder: Path) -> str:
    """Return the content of all files in a folder."""
    return "\n".join(path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("tale", ["500", "failed envelope", "bad records", "bad values"])
def test_emails_metrics_and_files_of_a_run(inside: Inside, simulator: Simulator, database_url: str, tale: str) -> None:
    folder = inside.environment.folder
    with mail_sink(login=True) as (sink, port):
        settings = notices(port, folder)
        simulator.server.faults = Telltale(TALES[tale])
        outputs = [inside(*words, **settings) for words in (["sync", "--resource", "claims"], ["notices"], ["metrics"])]
        mails = "\n".join(
            mail.as_string() + sink.text(index) + sink.html(index) for index, mail in enumerate(sink.mails)
        )
    assert [leaked(text, NEVER_SENT) for _, text in outputs] == [[]] * len(outputs)
    assert "claims" in mails or outputs[0][0] == 0
    assert leaked(mails, NEVER_SENT) == []
    assert "qqetl" in (folder / "metrics.prom").read_text()
    assert leaked(files(folder), NEVER_SENT) == []
    assert leaked(column(database_url, f"{REASONS} UNION ALL {WAITING}"), NEVER_SENT) == []


def test_files_and_emails_of_a_run_without_a_database(inside: Inside) -> None:
    folder = inside.environment.folder
    with mail_sink(login=True) as (sink, port):
        address = f"postgresql://etl:{PORTAL}@127.0.0.1:9/book"
        status, text = inside("sync", **notices(port, folder), DATABASE_URL=address)
        mails = "\n".join(mail.as_string() for mail in sink.mails)
    assert status == 4
    assert leaked(text + mails + files(folder), NEVER_SENT) == []


def test_a_database_that_refuses_the_password(inside: Inside, database_url: str) -> None:
    address = urlsplit(database_url)
    wrong = address._replace(netloc=f"{address.username}:{PORTAL}@{address.hostname}:{address.port}").geturl()
    status, text = inside("sync", DATABASE_URL=wrong)
    assert (status, leaked(text)) == (4, [])


@pytest.mark.parametrize("table", ["raw.raw_contacts", "etl.findings", "etl.requests"])
def test_exceptions_in_python(simulator: Simulator, database_url: str, table: str) -> None:
    with psycopg.connect(database_url) as database:
        database.execute(REFUSAL.format(state="XX000", table=table).encode())
    engine = make_engine(database_url)
    try:
        with pytest.raises(Exception, match=r".") as caught:
            sync(engine, settings_for(simulator, database_url, qqcatalyst_client_secret=SECRET,
                                      qqcatalyst_username=USERNAME, qqcatalyst_password=PASSWORD))  # fmt: skip
    finally:
        engine.dispose()
    assert leaked("".join(traceback.format_exception(caught.value))) == []


def test_an_unexpected_error_leaves_no_values_in_the_log(qqetl: CommandLine) -> None:
    """The traceback of an error may quote the current record."""
    code = (
        "from etl.engine import page_writer\n"
        "from etl.cli.main import main\n"
        f"def broken(*_, **__): raise KeyError({TALE!r})\n"
        "page_writer.parse_page = broken\n"
        "raise SystemExit(main(['sync', '--resource', 'contacts']))\n"
    )
    script = qqetl.folder / "broken.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=qqetl.folder, capture_output=True, text=True, check=False, timeout=90,
        env=qqetl.environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode != 0
    assert leaked(output_of(qqetl, done), (*SECRETS[:1], PASSWORD, USERNAME, SSN, TEXT_SSN, MAIL)) == []


SERVICES = """
import json, os, sys
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.extract import ExtractService
from etl.load import LoadService
from etl.transform import TransformService
import logging
logging.basicConfig(level=logging.DEBUG)
engine = make_engine(os.environ["DATABASE_URL"])
window = {"start_date": "2000-01-01", "end_date": "2999-01-01"}
batch = ExtractService(engine).extract_data(window)
print(TransformService(engine).transform_batch(batch))
print(LoadService(engine).load_batch(batch, window))
"""


def test_the_python_services_with_another_log(qqetl: CommandLine, simulator: Simulator) -> None:
    simulator.server.faults = Faults(("server-errors:1@5",))
    script = qqetl.folder / "services.py"
    script.write_text(SERVICES)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=qqetl.folder, capture_output=True, text=True, check=False, timeout=90,
        env=qqetl.environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "completed" in done.stdout
    assert leaked(output_of(qqetl, done)) == []


def test_each_log_event_is_one_line_of_json(inside: Inside, simulator: Simulator) -> None:
    simulator.server.faults = Telltale(TALES["500"])
    inside("sync", "--resource", "claims")
    lines = logged(inside.environment).splitlines()
    assert lines
    assert all(json.loads(line)["event"] for line in lines)
