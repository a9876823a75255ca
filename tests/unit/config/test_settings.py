"""The settings: sources, precedence, validation, and errors that are reported at once."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from pydantic import ValidationError

from etl.api.client import is_above_vendor_limit
from etl.config.agency import load_agency_settings
from etl.config.parsers import MAX_DURATION, check_api_url, is_loopback, parse_duration
from etl.config.rate_limit import RateLimit
from etl.config.redaction import redact_text
from etl.config.settings import CREDENTIALS, Settings, secret_text
from etl.database.database_url import display_url, parse_url
from etl.errors import SettingsError
from etl.render.settings import sample_env, settings_table

PREFIXES = ("ETL_", "QQCATALYST_", "DATABASE_", "LOG_")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run each test in its own folder and without settings in the environment."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.fact("token-address", "api-version", "limit-60")
def test_everything_has_a_default() -> None:
    settings = Settings.load()
    assert settings.database_url is None
    assert settings.qqcatalyst_api_url == "https://api.qqcatalyst.com/v1"
    assert settings.qqcatalyst_token_url == "https://login.qqcatalyst.com/oauth/token"
    assert (settings.etl_tenant, settings.etl_api_timezone, settings.etl_validation) == ("default", "UTC", "lenient")
    assert (settings.etl_overlap, settings.etl_billing_lookback) == (timedelta(days=1), timedelta(days=90))
    assert (str(settings.rate_limit), settings.etl_concurrency, settings.etl_page_size) == ("58/60s", 8, 500)
    assert settings.etl_child_budget is None


def test_the_environment_overrides_the_file_and_arguments_override_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ETL_TENANT=file\nETL_RATE=1\nETL_PAGE_SIZE=7\nUNKNOWN=1\n# ETL_CONCURRENCY=99\n")
    monkeypatch.setenv("ETL_TENANT", "environment")
    monkeypatch.setenv("ETL_RATE", "2")
    settings = Settings.load(etl_rate=3.0, etl_tenant=None)
    assert (settings.etl_tenant, settings.etl_rate, settings.etl_page_size, settings.etl_concurrency) == (
        "environment",
        3,
        7,
        8,
    )


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ETL_RATE", "DATABASE_URL", "ETL_CHILD_BUDGET", "LOG_FILE", "QQCATALYST_PASSWORD"):
        monkeypatch.setenv(name, "")
    assert Settings.load() == Settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings.load().etl_rate = 5  # type: ignore[misc]


def test_an_unknown_override_is_an_error() -> None:
    with pytest.raises(TypeError, match="etl_rat"):
        Settings.load(etl_rat=5)


@pytest.mark.parametrize(
    ("written", "calls", "seconds"),
    [
        ("58/60s", 58, 60),
        ("60/min", 60, 60),
        (" 60 / 1 minute ", 60, 60),
        ("5/s", 5, 1),
        ("1000/1h", 1000, 3600),
        ("off", None, 60),
        ("OFF", None, 60),
    ],
)
def test_the_call_limit_is_written_in_several_ways(written: str, calls: int | None, seconds: float) -> None:
    assert Settings.load(etl_rate_limit=written).rate_limit == RateLimit(calls, seconds)


@pytest.mark.parametrize(("rate", "limit"), [("10", "10/1s"), ("0.5", "1/2s"), ("0", "off")])
def test_the_older_form_of_the_call_limit(monkeypatch: pytest.MonkeyPatch, rate: str, limit: str) -> None:
    monkeypatch.setenv("ETL_RATE", rate)
    assert str(Settings.load().rate_limit) == limit


def test_the_call_limit_in_both_forms_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_RATE", "1")
    monkeypatch.setenv("ETL_RATE_LIMIT", "58/60s")
    with pytest.raises(SettingsError, match="ETL_RATE and ETL_RATE_LIMIT are both set"):
        Settings.load()


def test_a_copied_token_needs_no_credentials_and_is_a_secret() -> None:
    settings = Settings.load(qqcatalyst_access_token="Bearer copied-token")
    assert settings.missing_credentials() == []
    assert "copied-token" in settings.secrets()
    assert "copied-token" not in repr(settings)
    with pytest.raises(SettingsError, match="QQCATALYST_ACCESS_TOKEN has no use"):
        Settings.load(qqcatalyst_access_token="copied", qqcatalyst_auth="enterprise")


@pytest.mark.parametrize(
    ("address", "limit", "warned"),
    [
        ("https://api.qqcatalyst.com/v1", "58/60s", False),
        ("https://api.qqcatalyst.com/v1", "59/60s", True),
        ("https://api.qqcatalyst.com/v1", "off", True),
        ("https://api.qqcatalyst.com/v1", "1/1s", True),
        ("http://127.0.0.1:9/v1", "off", False),
        ("https://notqqcatalyst.com/v1", "off", False),
    ],
)
def test_more_calls_than_the_vendor_allows_are_warned_of(address: str, limit: str, warned: bool) -> None:
    settings = Settings.load(qqcatalyst_api_url=address, etl_rate_limit=limit)
    assert is_above_vendor_limit(settings) is warned


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://etl:geheim@db/x"),
        ("DATABASE_URL", "geheim"),
        ("DATABASE_URL", "postgresql:geheim"),
        ("DATABASE_URL", "postgresql://h:port/geheim"),
        ("QQCATALYST_API_URL", "https://"),
        ("QQCATALYST_API_URL", "http://api.example.com"),
        ("QQCATALYST_API_URL", "ftp://x"),
        ("QQCATALYST_API_URL", "https://user:geheim@api.example.com"),
        ("QQCATALYST_TOKEN_URL", "https://x/?geheim=1"),
        ("QQCATALYST_TOKEN_URL", "https://x:99999/"),
        ("QQCATALYST_AUTH", "saml"),
        ("QQCATALYST_PASSWORD", "gehe\nim"),
        ("QQCATALYST_CLIENT_ID", "gehe:im"),
        ("ETL_TENANT", "two words"),
        ("ETL_TENANT", "-x"),
        ("ETL_TENANT", "x" * 64),
        ("ETL_API_TIMEZONE", "Mars/Base"),
        ("ETL_API_TIMEZONE", "../../etc/passwd"),
        ("ETL_API_TIMEZONE", "/etc/localtime"),
        ("ETL_OVERLAP", "5"),
        ("ETL_OVERLAP", "-1 day"),
        ("ETL_OVERLAP", "1 fortnight"),
        ("ETL_OVERLAP", "99999 days"),
        ("ETL_BILLING_LOOKBACK", "many"),
        ("ETL_CONCURRENCY", "0"),
        ("ETL_CONCURRENCY", "65"),
        ("ETL_CONCURRENCY", "many"),
        ("ETL_RATE_LIMIT", "58"),
        ("ETL_RATE_LIMIT", "0/60s"),
        ("ETL_RATE_LIMIT", "58/0s"),
        ("ETL_RATE_LIMIT", "58/2h"),
        ("ETL_RATE_LIMIT_SHARED", "tenant"),
        ("QQCATALYST_ACCESS_TOKEN", "gehe im"),
        ("QQCATALYST_ACCESS_TOKEN", "gehe\nim"),
        ("ETL_RATE", "-1"),
        ("ETL_RATE", "nan"),
        ("ETL_RATE", "inf"),
        ("ETL_PAGE_SIZE", "0"),
        ("ETL_PAGE_SIZE", "1001"),
        ("ETL_PAGE_SIZE", "1.5"),
        ("ETL_CHILD_BUDGET", "-1"),
        ("ETL_VALIDATION", "loose"),
        ("LOG_LEVEL", "LOUD"),
        ("ETL_SMTP_URL", "http://geheim"),
        ("ETL_SMTP_URL", "smtp://user:geheim@"),
        ("ETL_SMTP_URL", "smtp://geheim@mail.example.com"),
        ("ETL_SMTP_URL", "smtp://user:geheim@mail.example.com/path"),
        ("ETL_SMTP_URL", "smtp://user:geheim@mail.example.com?tls=maybe"),
        ("ETL_SMTP_URL", "smtps://user:geheim@mail.example.com?tls=off"),
        ("ETL_SMTP_URL", "smtp://user:gehe\nim@mail.example.com"),
        ("ETL_MAIL_FROM", "a@example.com, b@example.com"),
        ("ETL_MAIL_FROM", "nobody"),
        ("ETL_MAIL_TO", "a@example.com\r\nBcc: b@example.com"),
        ("ETL_MAIL_TO", "a@example.com, nobody"),
        ("ETL_MAIL_TO", "a..b@example.com"),
        ("ETL_MAIL_TO", "a b@localhost"),
        ("ETL_MAIL_TO", "ops@-exchange.local"),
        ("ETL_MAIL_TO", "\u00fc@example.com"),
        ("ETL_MAIL_TO", ","),
        ("ETL_STALE_AFTER", "late"),
        ("ETL_HEARTBEAT_URL", "ftp://geheim"),
        ("ETL_HEARTBEAT_URL", "http://watchdog.example.com/geheim"),
        ("ETL_DIGEST_AT", "noon"),
        ("ETL_DIGEST_AT", "25:00"),
        ("ETL_DIGEST_TIMEZONE", "Mars/Base"),
        ("ETL_DIGEST_TO", "nobody"),
    ],
)
@pytest.mark.fact("api-version")
def test_an_invalid_setting_is_named_and_secrets_are_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as error:
        Settings.load()
    assert "geheim" not in str(error.value)
    assert "gehe" not in str(error.value)
    assert error.value.__cause__ is None


def test_mail_requires_a_sender_and_recipients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_SMTP_URL", "smtp://user:geheim@mail.example.com")
    with pytest.raises(SettingsError, match="ETL_SMTP_URL requires ETL_MAIL_FROM and ETL_MAIL_TO"):
        Settings.load()
    with pytest.raises(SettingsError, match="ETL_DIGEST_AT requires ETL_SMTP_URL"):
        Settings.load(etl_smtp_url="", etl_digest_at="07:00")


def test_names_are_removed_from_mail_addresses() -> None:
    settings = Settings.load(etl_mail_from="ETL <etl@example.com>", etl_mail_to=" A <a@example.com>,b@example.com, ")
    assert (settings.etl_mail_from, settings.etl_mail_to) == ("etl@example.com", "a@example.com, b@example.com")


@pytest.mark.parametrize(
    ("address", "sent_to"),
    [
        ("Ops@Example.COM", "Ops@example.com"),
        ("ops@b\u00fccher.example.com", "ops@xn--bcher-kva.example.com"),
        ("root@localhost", "root@localhost"),
        ("ops@intranet", "ops@intranet"),
        ("ops@exchange.local", "ops@exchange.local"),
    ],
)
def test_mail_may_go_to_any_domain_and_to_hosts_of_the_local_network(address: str, sent_to: str) -> None:
    assert Settings.load(etl_mail_to=address).etl_mail_to == sent_to


def test_secrets_in_urls_are_redacted_in_the_log() -> None:
    address, watchdog = "smtp://user:p%40ss%20word@mail.example.com", "https://watchdog.example.com/ping/0d3c"
    settings = Settings.load(
        etl_smtp_url=address, etl_mail_from="a@example.com", etl_mail_to="b@example.com", etl_heartbeat_url=watchdog
    )
    assert {address, "p%40ss%20word", "p@ss word", watchdog} <= set(settings.secrets())
    assert "p%40ss" not in repr(settings)


def test_all_invalid_settings_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = {
        "ETL_RATE": "x",
        "ETL_PAGE_SIZE": "0",
        "LOG_LEVEL": "x",
        "DATABASE_URL": "x",
        "QQCATALYST_PASSWORD_FILE": "/nowhere",
    }
    for name, value in faulty.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        Settings.load()
    assert all(name in str(error.value) for name in faulty)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", *CREDENTIALS])
def test_every_secret_may_come_as_a_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    Path("secret").write_text("postgresql://u:pass%20word@h/d\n" if name == "DATABASE_URL" else " pass word \r\n")
    monkeypatch.setenv(f"{name}_FILE", "secret")
    value = getattr(Settings.load(), name.lower())
    assert value.get_secret_value() == ("postgresql://u:pass%20word@h/d" if name == "DATABASE_URL" else " pass word ")


@pytest.mark.parametrize("name", ["ETL_SMTP_URL", "ETL_HEARTBEAT_URL"])
def test_urls_with_secrets_may_come_as_files_too(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    address = {"ETL_SMTP_URL": "smtp://u:p@mail.example.com", "ETL_HEARTBEAT_URL": "https://watchdog.example.com/x"}[
        name
    ]
    Path("secret").write_text(f"{address}\n")
    monkeypatch.setenv(f"{name}_FILE", "secret")
    settings = Settings.load(etl_mail_from="a@example.com", etl_mail_to="b@example.com")
    assert getattr(settings, name.lower()).get_secret_value() == address


def test_the_dotenv_file_may_name_a_secret_file_and_the_environment_overrides_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("secret").write_text("from the file")
    Path(".env").write_text("QQCATALYST_PASSWORD_FILE=secret\n")
    assert secret_text(Settings.load().qqcatalyst_password) == "from the file"
    monkeypatch.setenv("QQCATALYST_PASSWORD", "from the environment")
    assert secret_text(Settings.load().qqcatalyst_password) == "from the environment"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe\xff", b"x" * 70_000])
def test_a_secret_file_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    if content is not None:
        Path("secret").write_bytes(content)
    monkeypatch.setenv("QQCATALYST_CLIENT_SECRET_FILE", "secret")
    with pytest.raises(SettingsError, match="QQCATALYST_CLIENT_SECRET_FILE"):
        Settings.load()


def test_a_secret_set_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("secret").write_text("x")
    monkeypatch.setenv("QQCATALYST_PASSWORD", "y")
    monkeypatch.setenv("QQCATALYST_PASSWORD_FILE", "secret")
    with pytest.raises(SettingsError, match="keep one"):
        Settings.load()


def test_a_dotenv_file_that_is_not_text_is_reported() -> None:
    Path(".env").write_bytes(b"ETL_TENANT=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env"):
        Settings.load()


def test_the_required_credentials_depend_on_the_authentication() -> None:
    assert Settings.load().missing_credentials() == list(CREDENTIALS)
    assert Settings.load(qqcatalyst_auth="enterprise").missing_credentials() == list(CREDENTIALS[:2])
    credentials = {name.lower(): "x" for name in CREDENTIALS}
    assert Settings.load(**credentials).missing_credentials() == []


def test_enterprise_credentials_fit_the_encoding_of_their_header() -> None:
    with pytest.raises(SettingsError, match="ISO-8859-1"):
        Settings.load(qqcatalyst_auth="enterprise", qqcatalyst_client_id="x", qqcatalyst_client_secret="\u0416")
    assert Settings.load(qqcatalyst_client_secret="\u0416").missing_credentials()


def test_printed_settings_show_no_secrets() -> None:
    secrets = {"database_url": "postgresql://u:geheim@h/d", **{name.lower(): "geheim" for name in CREDENTIALS}}
    settings = Settings.load(**secrets)
    assert "geheim" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert {"geheim", "postgresql://u:geheim@h/d"} <= set(settings.secrets())


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1d", timedelta(days=1)),
        ("90 days", timedelta(days=90)),
        ("1 day", timedelta(days=1)),
        ("12h", timedelta(hours=12)),
        ("1d 6h", timedelta(hours=30)),
        ("30 min", timedelta(minutes=30)),
        ("2 WEEKS", timedelta(weeks=2)),
        ("0", timedelta()),
        ("0 days", timedelta()),
        ("3660 days", MAX_DURATION),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "1", "day", "1.5d", "1d,6h", "-1d", "1d -6h", "1d6", "\u0661d", "1 day ago", "3661 days"]
)
def test_invalid_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|unit"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8080/v1", "http://localhost/v1/", "http://[::1]:80/v1", "http://127.8.9.1/v1"]
)
def test_loopback_urls_may_omit_tls(text: str) -> None:
    assert check_api_url(text) == text.rstrip("/")


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", ""])  # noqa: S104 (not bound)
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_sample_file_contains_the_defaults() -> None:
    Path(".env").write_text(sample_env())
    assert Settings.load() == Settings(_env_file=None)


def test_every_default_and_example_of_the_sample_file_is_a_valid_setting() -> None:
    lines = [line.removeprefix("# ") for line in sample_env().splitlines()]
    Path(".env").write_text("\n".join(line for line in lines if line.split("=")[0].isupper() and "=" in line))
    settings = Settings.load()
    assert settings.etl_child_budget is not None
    assert settings.database_url is not None


def test_every_setting_is_documented() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"`{name.upper()}`" in settings_table()
        assert f"{name.upper()}=" in sample_env()


# --- names and literal values ---


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("ETL_RATEE", "ETL_RATE"), ("ETL_PAGESIZE", "ETL_PAGE_SIZE"), ("QQCATALYST_PASSWRD", "QQCATALYST_PASSWORD"),
     ("QQCATALYST_CLIENT_SECRET_FILES", "QQCATALYST_CLIENT_SECRET_FILE"), ("etl_tenat", "ETL_TENANT")],
)  # fmt: skip
def test_a_misspelled_name_is_refused_with_the_nearest(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "5")
    with pytest.raises(SettingsError, match=f"^{name.upper()} is not a setting; did you mean {nearest}\\?$"):
        Settings.load()
    monkeypatch.delenv(name)
    Path(".env").write_text(f"{name}=5\n")
    with pytest.raises(SettingsError, match=f"did you mean {nearest}"):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("DATABSE_URL", "DATABASE_URL"), ("DATABASE_URI", "DATABASE_URL"), ("LOG_LEVLE", "LOG_LEVEL")],
)
def test_a_misspelled_name_without_our_prefix_is_refused_only_in_the_file(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(nearest, raising=False)
    monkeypatch.setenv(name, "x")
    Settings.load()
    monkeypatch.delenv(name)
    Path(".env").write_text(f"{name}=x\n")
    with pytest.raises(SettingsError, match=f"^{name} is not a setting; did you mean {nearest}\\?$"):
        Settings.load()


def test_a_name_of_another_program_beside_the_setting_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    Path(".env").write_text("LOG_LEVEL=DEBUG\nLOG_LEVELS=x\n")
    assert Settings.load().log_level == "DEBUG"


def test_misspelled_names_and_wrong_values_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_RATEE", "5")
    monkeypatch.setenv("ETL_PAGE_SIZE", "many")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "ETL_RATEE" in str(caught.value)
    assert "ETL_PAGE_SIZE" in str(caught.value)


def test_names_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ETL_ENVIRONMENT_NAME", "ETL", "RATE", "LOG_FORMAT", "XETL_RATE"):
        monkeypatch.setenv(name, "5")
    Path(".env").write_text("OTHER_PROGRAM=1\nQQCATALYST_PASSWORD_FILE=\n")
    assert Settings.load() == Settings()


@pytest.mark.parametrize("quote", ["", '"', "'"])
@pytest.mark.parametrize("secret", ["ab${HOME}cd", "$HOME", "a$b$", "${ETL_TENANT}", "ab${MISSING:-x}cd"])
def test_a_value_in_the_file_is_literal(secret: str, quote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/dana")
    Path(".env").write_text(f"ETL_TENANT=t\nQQCATALYST_PASSWORD={quote}{secret}{quote}\n")
    assert secret_text(Settings.load().qqcatalyst_password) == secret
    Path("agency").mkdir()
    Path("agency/.env").write_text(f"QQCATALYST_PASSWORD={quote}{secret}{quote}\n")
    assert secret_text(load_agency_settings(Path("agency")).qqcatalyst_password) == secret


def test_the_file_of_an_agency_has_no_misspelled_names() -> None:
    Path("agency").mkdir()
    Path("agency/.env").write_text("ETL_RATEE=5\n")
    with pytest.raises(SettingsError, match=r"agency/\.env: ETL_RATEE is not a setting; did you mean ETL_RATE"):
        load_agency_settings(Path("agency"))


# --- secrets of URLs that cannot be read ---

SECRETS = [
    "s3cr@t",
    "s3cr/t",
    "s3@cr/t",
    "12/s3cr",
    "s3cr?t",
    "12?s3cr",
    "12?s3=cr",
    "s3cr#t",
    "12#s3cr",
    "s3 cr",
    "s3[cr",
    "s3:@cr",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://etl:{}@db.example.com:5432/x"),
        ("DATABASE_URL", "postgres://{}:x@db.example.com/x?sslmode=require"),
        ("ETL_SMTP_URL", "smtp://user:{}@mail.example.com:587"),
        ("ETL_HEARTBEAT_URL", "https://user:{}@watchdog.example.com/ping"),
    ],
)
def test_no_part_of_a_url_that_cannot_be_read_is_shown(
    name: str, url: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a password that is not encoded looks like a host or a database. The message says how to encode it."""
    monkeypatch.setenv(name, url.format(secret))
    for other in ("ETL_MAIL_FROM", "ETL_MAIL_TO"):
        monkeypatch.setenv(other, "a@example.com")
    if name == "ETL_SMTP_URL" and secret in {"s3cr@t", "s3:@cr"}:  # the last @ ends the password
        assert urlsplit(secret_text(Settings.load().etl_smtp_url)).password == secret
        return
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.load()
    assert "s3" not in str(caught.value)
    assert "%40" in str(caught.value) or name == "ETL_HEARTBEAT_URL"


@pytest.mark.parametrize("secret", SECRETS)
def test_an_encoded_secret_is_read_and_not_shown(secret: str) -> None:
    url = f"postgresql://etl:{quote(secret, safe='')}@db.example.com:5432/x"
    assert parse_url(url).password == secret
    assert display_url(url) == "postgresql://etl@db.example.com:5432/x"


@pytest.mark.parametrize(
    ("options", "option"),
    [("pgbouncer=true", "pgbouncer"), ("sslmode=require&schema=public", "schema"), ("sslmode=verify_full", "sslmode"),
     ("connect_timeout=soon", "connect_timeout"), ("target_session_attrs=master", "target_session_attrs"),
     ("keepalives=yes", "keepalives"), ("connection_limit=5&pool_timeout=2", "connection_limit")],
)  # fmt: skip
def test_a_wrong_option_of_the_database_url_is_named(options: str, option: str) -> None:
    """The driver would not say which, or report the server as unreachable."""
    with pytest.raises(SettingsError, match=option) as caught:
        parse_url(f"postgresql://etl:geheim@db/x?{options}")
    assert caught.value.exit_status == 2
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "options", ["sslmode=verify-full&sslrootcert=system", "connect_timeout=5&keepalives=1", "host=h1&host=h2",
                "options=-c%20x%3D1", "application_name=x&target_session_attrs=read-write"]
)  # fmt: skip
def test_options_of_postgresql_are_accepted(options: str) -> None:
    assert parse_url(f"postgresql://etl@/x?{options}").database == "x"


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "QQCATALYST_API_URL", "ETL_HEARTBEAT_URL", "ETL_SMTP_URL", "ETL_MAIL_FROM", "ETL_MAIL_TO"]
)
def test_the_log_redaction_hides_nothing_of_what_a_wrong_setting_should_be(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "nonsense")
    with pytest.raises(SettingsError) as error:
        Settings.load()
    assert redact_text(str(error.value)) == str(error.value)
