"""The settings: every variable of the environment with its meaning, read once, all faults named at once."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from etl.config.environment import FromEnvironment
from etl.config.parsers import (
    api_address,
    database_address,
    duration,
    hour_of_day,
    mail_address,
    mail_addresses,
    mail_server,
    tenant_name,
    web_address,
    zone_name,
)
from etl.config.rate_limit import DEFAULT, RateLimit, parse_rate_limit, per_second, validated

Duration = Annotated[timedelta, BeforeValidator(duration)]
Address = Annotated[str, AfterValidator(api_address)]
Recipients = Annotated[str, AfterValidator(mail_addresses)]

CREDENTIALS = ("QQCATALYST_CLIENT_ID", "QQCATALYST_CLIENT_SECRET", "QQCATALYST_USERNAME", "QQCATALYST_PASSWORD")


class Settings(FromEnvironment):
    """All settings of a run. A field has the name of its variable in small letters."""

    database_url: SecretStr | None = Field(
        None,
        description="The PostgreSQL database. Unset: the embedded PostgreSQL in the data folder.",
        examples=["postgresql://etl:secret@db.example.com:5432/qqcatalyst"],
    )
    etl_data_dir: Path | None = Field(
        None,
        description="Where the embedded PostgreSQL keeps its data. Unset: the user's data folder, "
        "as root /var/lib/qqcatalyst-etl.",
        examples=["/srv/qqcatalyst-etl"],
    )
    qqcatalyst_api_url: Address = Field(
        "https://api.qqcatalyst.com/v1",
        description="Where the API is. http:// is taken for this machine's own addresses alone.",
    )
    qqcatalyst_token_url: Address = Field(
        "https://login.qqcatalyst.com/oauth/token", description="Where tokens are given out."
    )
    qqcatalyst_auth: Literal["oauth", "enterprise"] = Field(
        "oauth",
        description="`oauth`: a user's token. `enterprise`: client id and secret are sent with each call, without user "
        "name and password.",
    )
    qqcatalyst_client_id: SecretStr | None = Field(None, description="The application's id, as the vendor gave it.")
    qqcatalyst_client_secret: SecretStr | None = Field(None, description="The application's secret.")
    qqcatalyst_username: SecretStr | None = Field(None, description="The user whose agency is read; `oauth` alone.")
    qqcatalyst_password: SecretStr | None = Field(None, description="That user's password; `oauth` alone.")
    qqcatalyst_access_token: SecretStr | None = Field(
        None,
        description="A ready-made bearer token, such as one copied from the vendor's developer console, to try the "
        "product before a client id is granted. Used instead of the four credentials; never renewed.",
    )
    etl_tenant: Annotated[str, AfterValidator(tenant_name)] = Field(
        "default", description="The name of the account; one database can hold several."
    )
    etl_api_timezone: Annotated[str, AfterValidator(zone_name)] = Field(
        "UTC", description="The zone in which the API writes times that name none.", examples=["America/New_York"]
    )
    etl_overlap: Duration = Field(
        timedelta(days=1), description="How far a window reaches back over the one before.", examples=["1 day"]
    )
    etl_billing_lookback: Duration = Field(
        timedelta(days=90),
        description="The trailing stretch of billing that is read again once a day, since the API shows billing by its "
        "created date alone. 0: never.",
        examples=["90 days"],
    )
    etl_concurrency: int = Field(8, ge=1, le=64, description="Calls of the API under way at once.")
    etl_rate_limit: Annotated[str, AfterValidator(validated)] = Field(
        DEFAULT,
        description="The call limit of the account: so many calls in any window of so long, shared by all workers of "
        "the account. QQCatalyst allows 60 calls a minute. `off`: no limit.",
        examples=["58/60s"],
    )
    etl_rate_limit_shared: Literal["user", "client"] = Field(
        "user",
        description="Which runs share the call limit. `user`: those with the same client id and user name. `client`: "
        "those with the same client id.",
    )
    etl_rate: float | None = Field(
        None,
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="The older form of ETL_RATE_LIMIT: calls a second. 0: no limit. Set one of the two.",
    )
    etl_page_size: int = Field(
        500, ge=1, le=1000, description="Records asked for a page; a call that grants fewer is asked for fewer."
    )
    etl_child_budget: int | None = Field(
        None,
        ge=0,
        description="Calls for details of single records a run may make; the rest waits for the next run. "
        "Unset: no limit.",
        examples=["5000"],
    )
    etl_delete_brake: float = Field(
        0.05,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="The share of a resource's records that may vanish at once. Beyond it, and beyond 20 records, "
        "`reconcile` marks nothing deleted. 1: no brake.",
    )
    etl_agencies: Path | None = Field(
        None,
        description="In Airflow: the folder that holds a folder for each agency, with a `.env` of its own. Unset: one "
        "agency, whose settings are these. Read from the environment alone.",
        examples=["/srv/agencies"],
    )
    etl_raw_retention: Duration | None = Field(
        None,
        description="How long staging keeps superseded versions of records, and the facts of finished batches' calls; "
        "they go at the end of a sync. The newest version of a record always stays. Unset: all are kept.",
        examples=["365 days"],
    )
    etl_history: str | None = Field(
        None,
        description="Tables whose earlier versions are kept, besides contacts, policies, policy_details and coverages; "
        "`all` for every table. Takes effect with the next run; what was kept stays. Unset: those four.",
        examples=["claims, quotes", "all"],
    )
    etl_validation: Literal["lenient", "strict"] = Field(
        "lenient",
        description="`lenient`: a bad value is dropped and its record kept. `strict`: the record is refused.",
    )
    etl_smtp_url: SecretStr | None = Field(
        None,
        description="The mail server that takes notices. `smtp://` demands STARTTLS outside this machine, `smtps://` "
        "speaks TLS from the first word; `?tls=off` at the end sends in the clear, `?tls=on` demands it here too. "
        "Unset: no mail.",
        examples=["smtp://user:password@mail.example.com:587"],
    )
    etl_mail_from: Annotated[str, AfterValidator(mail_address)] | None = Field(
        None, description="Who notices come from.", examples=["qqetl@example.com"]
    )
    etl_mail_to: Recipients | None = Field(
        None, description="Who gets notices, parted by commas.", examples=["operations@example.com"]
    )
    etl_stale_after: Duration = Field(
        timedelta(days=1),
        description="How far a resource may lag behind before a person is told. 0: never.",
        examples=["1 day"],
    )
    etl_heartbeat_url: SecretStr | None = Field(
        None,
        description="Called after every run that ended well, with `/fail` behind its path after one that did not: so a "
        "watchdog elsewhere notices when no run begins at all.",
        examples=["https://watchdog.example.com/ping/0d3c"],
    )
    etl_digest_at: Annotated[str, AfterValidator(hour_of_day)] | None = Field(
        None,
        description="From which time of day the first run sends the digest of the agency's business. Unset: no digest.",
        examples=["07:00"],
    )
    etl_digest_timezone: Annotated[str, AfterValidator(zone_name)] = Field(
        "UTC", description="The zone of that time, and of the digest's days.", examples=["America/New_York"]
    )
    etl_digest_to: Recipients | None = Field(
        None, description="Who gets the digest. Unset: who gets notices.", examples=["agency@example.com"]
    )
    etl_metrics_file: Path | None = Field(
        None,
        description="Where every run writes its metrics for the textfile collector of Prometheus. Unset: nowhere.",
        examples=["/var/lib/node_exporter/qqetl.prom"],
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO",
        description="The least weight of what is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL. Unset, a log that "
        "goes to a terminal, where progress is shown anyway, begins with WARNING.",
    )
    log_file: Path | None = Field(
        None, description="Where the log is written. Unset: standard error.", examples=["/var/log/qqetl.log"]
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        """Take the level in any case."""
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("qqcatalyst_auth", "etl_rate_limit_shared", "etl_validation", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        """Take the choice in any case."""
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("etl_agencies", "etl_data_dir", "etl_metrics_file", "log_file")
    @classmethod
    def _at_home(cls, value: Path | None) -> Path | None:
        """Resolve `~`."""
        return value.expanduser() if value else None

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        """Check the address of the database."""
        return SecretStr(database_address(value.get_secret_value())) if value else None

    @field_validator("etl_smtp_url")
    @classmethod
    def _is_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        """Check the address of the mail server."""
        return SecretStr(mail_server(value.get_secret_value())) if value else None

    @field_validator("etl_heartbeat_url")
    @classmethod
    def _is_web_address(cls, value: SecretStr | None) -> SecretStr | None:
        """Check the address of the watchdog."""
        return SecretStr(web_address(value.get_secret_value())) if value else None

    @field_validator("qqcatalyst_access_token")
    @classmethod
    def _is_bearer(cls, value: SecretStr | None) -> SecretStr | None:
        """Check that a token can stand in a header; a copied `Bearer ` in front of it is left out."""
        text = value.get_secret_value().strip().removeprefix("Bearer ").strip() if value else ""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be a token without spaces, line breaks and control characters")
        return SecretStr(text) if text else None

    @field_validator(*(name.lower() for name in CREDENTIALS))
    @classmethod
    def _can_be_sent(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Check that a credential can stand in a header or a form."""
        text = value.get_secret_value() if value else ""
        if not text.isprintable():
            raise ValueError("must not hold line breaks or control characters")
        if info.field_name == "qqcatalyst_client_id" and ":" in text:
            raise ValueError("must not hold a colon, which ends it in a Basic header")
        return value

    @model_validator(mode="after")
    def _fits_the_header(self) -> Self:
        """Check that enterprise credentials can be written in the header's encoding."""
        if self.qqcatalyst_auth == "enterprise":
            for name in CREDENTIALS[:2]:
                secret: SecretStr | None = getattr(self, name.lower())
                if secret and not _is_latin(secret.get_secret_value()):
                    raise ValueError(f"{name} holds a character that ISO-8859-1, the encoding of the header, has not")
        return self

    @model_validator(mode="after")
    def _says_the_limit_once(self) -> Self:
        """Check that the call limit is set in one form, and that there is one way to sign in."""
        if self.etl_rate is not None and "etl_rate_limit" in self.model_fields_set:
            raise ValueError("ETL_RATE and ETL_RATE_LIMIT are both set: set only ETL_RATE_LIMIT")
        if self.qqcatalyst_access_token and self.qqcatalyst_auth == "enterprise":
            raise ValueError("QQCATALYST_ACCESS_TOKEN has no use with QQCATALYST_AUTH=enterprise: set one of them")
        return self

    @model_validator(mode="after")
    def _can_be_mailed(self) -> Self:
        """Check that a mail server comes with a sender and somebody to write to."""
        given = {"ETL_MAIL_FROM": self.etl_mail_from, "ETL_MAIL_TO": self.etl_mail_to}
        missing = [name for name, value in given.items() if not value]
        if self.etl_smtp_url and missing:
            raise ValueError(f"ETL_SMTP_URL needs {' and '.join(missing)} beside it")
        if self.etl_digest_at and not self.etl_smtp_url:
            raise ValueError("ETL_DIGEST_AT needs ETL_SMTP_URL beside it")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the API writes times that name none."""
        return ZoneInfo(self.etl_api_timezone)

    @property
    def rate_limit(self) -> RateLimit:
        """The call limit of the account, in whichever form it is set."""
        return parse_rate_limit(self.etl_rate_limit) if self.etl_rate is None else per_second(self.etl_rate)

    def credentials_missing(self) -> list[str]:
        """Return the variables that a run needs to talk to the API and that are not set."""
        if self.qqcatalyst_access_token:
            return []
        needed = CREDENTIALS if self.qqcatalyst_auth == "oauth" else CREDENTIALS[:2]
        return [name for name in needed if not secret_text(getattr(self, name.lower()))]

    def secrets(self) -> list[str]:
        """Return every secret text, for the log to leave out; treat it as such."""
        addresses = [secret_text(one) for one in (self.database_url, self.etl_smtp_url, self.etl_heartbeat_url)]
        passwords = [password for address in addresses for password in _passwords(address)]
        names = (
            self.qqcatalyst_client_secret,
            self.qqcatalyst_password,
            self.qqcatalyst_username,
            self.qqcatalyst_access_token,
        )
        return [text for text in (*addresses, *passwords, *map(secret_text, names)) if text]


def _passwords(address: str) -> list[str]:
    """Return the password in an address of a database, as it stands there and as it is meant."""
    password = urlsplit(address).password or "".join(parse_qs(urlsplit(address).query).get("password", []))
    return [password, unquote(password)]


def secret_text(secret: SecretStr | None) -> str:
    """Return the text of a secret, empty when it is not set."""
    return secret.get_secret_value() if secret else ""


def _is_latin(text: str) -> bool:
    """Tell whether a text can be encoded as ISO-8859-1."""
    try:
        text.encode("iso-8859-1")
    except UnicodeEncodeError:
        return False
    return True
