"""The settings: every environment variable with its meaning, default and validation."""

import hashlib
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

from etl.config.environment import EnvironmentSettings
from etl.config.options import CleaningOptions, LogOptions, ReadingOptions
from etl.config.parsers import (
    check_api_url,
    check_database_url,
    check_mail_address,
    check_mail_addresses,
    check_refresh_ages,
    check_smtp_url,
    check_tenant,
    check_web_url,
    check_zone,
    parse_duration,
    parse_refresh_ages,
    parse_selection,
    parse_time_of_day,
)
from etl.config.rate_limit import DEFAULT, RateLimit, parse_rate_limit, per_second, validated

Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
ApiUrl = Annotated[str, AfterValidator(check_api_url)]
Recipients = Annotated[str, AfterValidator(check_mail_addresses)]

CREDENTIALS = ("QQCATALYST_CLIENT_ID", "QQCATALYST_CLIENT_SECRET", "QQCATALYST_USERNAME", "QQCATALYST_PASSWORD")


#: The checks of URLs that may contain a password.
_URL_CHECKS = {
    "database_url": check_database_url,
    "etl_smtp_url": check_smtp_url,
    "etl_heartbeat_url": check_web_url,
}


class Settings(EnvironmentSettings):
    """All settings of a run. A field is named like its variable in lower case."""

    database_url: SecretStr | None = Field(
        None,
        description="URL of the PostgreSQL database. Unset: the embedded PostgreSQL in the data folder.",
        examples=["postgresql://etl:secret@db.example.com:5432/qqcatalyst"],
    )
    etl_data_dir: Path | None = Field(
        None,
        description="Data folder of the embedded PostgreSQL. Unset: the user's data folder, or "
        "/var/lib/qqcatalyst-etl for root.",
        examples=["/srv/qqcatalyst-etl"],
    )
    qqcatalyst_api_url: ApiUrl = Field(
        "https://api.qqcatalyst.com/v1",
        description="Base URL of the API. http:// is allowed only for addresses of this machine.",
    )
    qqcatalyst_token_url: ApiUrl = Field(
        "https://login.qqcatalyst.com/oauth/token", description="URL that issues tokens."
    )
    qqcatalyst_auth: Literal["oauth", "enterprise"] = Field(
        "oauth",
        description="`oauth`: a token for a user. `enterprise`: client id and secret are sent with each call, without "
        "user name and password.",
    )
    qqcatalyst_client_id: SecretStr | None = Field(None, description="Client id of the application, from the vendor.")
    qqcatalyst_client_secret: SecretStr | None = Field(None, description="Client secret of the application.")
    qqcatalyst_username: SecretStr | None = Field(None, description="User name whose agency is read; only for `oauth`.")
    qqcatalyst_password: SecretStr | None = Field(None, description="Password of that user; only for `oauth`.")
    qqcatalyst_access_token: SecretStr | None = Field(
        None,
        description="A ready-made bearer token, such as one copied from the vendor's developer console, to try the "
        "product before a client id is granted. Used instead of the four credentials; never renewed.",
    )
    etl_tenant: Annotated[str, AfterValidator(check_tenant)] = Field(
        "default", description="Name of the agency's account in the database; one database can hold several."
    )
    etl_api_timezone: Annotated[str, AfterValidator(check_zone)] = Field(
        "UTC", description="Time zone of API times that have no offset.", examples=["America/New_York"]
    )
    etl_timezone: Annotated[str, AfterValidator(check_zone)] | None = Field(
        None,
        description="Time zone of the times that people read: in output and email. Unset: the machine's. JSON, the log "
        "and the database have UTC.",
        examples=["America/New_York"],
    )
    etl_overlap: Duration = Field(
        timedelta(days=1), description="How far each sync window overlaps the previous one.", examples=["1 day"]
    )
    etl_billing_lookback: Duration = Field(
        timedelta(days=90),
        description="How many recent days of billing are read again once a day, because the API filters billing only "
        "by created date. 0: never.",
        examples=["90 days"],
    )
    etl_resources: Annotated[str, BeforeValidator(parse_selection)] = Field(
        "",
        description="Resources to read in addition to the default ones, as +NAME, and default ones to skip, as -NAME. "
        "Notes, tasks, files and other optional resources cost a call per customer or policy. Drivers, vehicles and "
        "endorsements need enterprise access and are read without it only when they are named here. `+notes` adds "
        "policy_notes too. `+prospect_details` reads the details of prospects like those of customers. `default` "
        "changes nothing.",
        examples=["+notes,+contact_phones,-documents"],
    )
    etl_concurrency: int = Field(8, ge=1, le=64, description="Maximum number of concurrent API calls.")
    etl_rate_limit: Annotated[str, AfterValidator(validated)] = Field(
        DEFAULT,
        description="The call limit of the account: calls in any window of time, shared by all workers of the "
        "account. QQCatalyst allows 60 calls a minute. `off`: no limit.",
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
        500, ge=1, le=1000, description="Records per page; calls with a lower limit request fewer."
    )
    etl_child_budget: int | None = Field(
        None,
        ge=0,
        description="Maximum calls for details of single records in a run; the next run continues. Unset: no limit.",
        examples=["5000"],
    )
    etl_daily_calls: int = Field(
        20_000,
        ge=0,
        description="Details are read again because of their age only while the calls of the account in 24 hours are "
        "below this number. New and changed records are always read.",
    )
    etl_refresh_age: Annotated[str, AfterValidator(check_refresh_ages)] = Field(
        "30 days, 180 days",
        description="Age at which details of an unchanged record are read again: of active records, of others. The "
        "second reading comes earlier, on a different day for each record, so that all days make about as many calls.",
    )
    etl_delete_brake: float = Field(
        0.05,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of a resource's records that may disappear at once. If more disappear, and more than 20, "
        "`reconcile` deletes none of them. 1: no limit.",
    )
    etl_refused_limit: float = Field(
        0.2,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of a resource's records that may be refused in one run. If more are refused, and at least "
        "20, the resource fails, and the next run reads its records again. 1: no limit.",
    )
    etl_agencies: Path | None = Field(
        None,
        description="For Airflow: folder with a subfolder for each agency, each with its own `.env`. Unset: one agency "
        "with the settings of the environment. Read only from the environment.",
        examples=["/srv/agencies"],
    )
    etl_raw_retention: Duration | None = Field(
        None,
        description="How long staging keeps superseded versions of records, and the API calls of finished batches; "
        "they are deleted at the end of a sync. The newest version of a record is always kept. Unset: all are kept.",
        examples=["365 days"],
    )
    etl_history: str | None = Field(
        None,
        description="Tables whose earlier versions are kept, in addition to contacts, policies, policy_details and "
        "coverages; `all` for every table. Takes effect with the next run; versions that exist are kept. Unset: those "
        "four.",
        examples=["claims, quotes", "all"],
    )
    etl_validation: Literal["lenient", "strict"] = Field(
        "lenient",
        description="`lenient`: drop an invalid value and keep its record. `strict`: refuse the record.",
    )
    etl_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server for notifications. `smtp://` requires STARTTLS except on this machine, `smtps://` "
        "uses TLS from the start; `?tls=off` at the end disables TLS, `?tls=on` requires it on this machine too. "
        "Unset: no email.",
        examples=["smtp://user:password@mail.example.com:587"],
    )
    etl_mail_from: Annotated[str, AfterValidator(check_mail_address)] | None = Field(
        None, description="Sender of notifications.", examples=["qqetl@example.com"]
    )
    etl_mail_to: Recipients | None = Field(
        None, description="Recipients of notifications, separated by commas.", examples=["operations@example.com"]
    )
    etl_stale_after: Duration = Field(
        timedelta(days=1),
        description="How old a resource's data may become before a notification is sent. 0: never.",
        examples=["1 day"],
    )
    etl_heartbeat_url: SecretStr | None = Field(
        None,
        description="Called after every successful run, and with `/fail` appended to its path after a failed run, so "
        "that an external watchdog notices when no run starts at all.",
        examples=["https://watchdog.example.com/ping/0d3c"],
    )
    etl_digest_at: Annotated[str, AfterValidator(parse_time_of_day)] | None = Field(
        None,
        description="Time of day after which the first run sends the agency's digest. Unset: no digest.",
        examples=["07:00"],
    )
    etl_digest_timezone: Annotated[str, AfterValidator(check_zone)] = Field(
        "UTC", description="Time zone of ETL_DIGEST_AT and of the digest's days.", examples=["America/New_York"]
    )
    etl_digest_to: Recipients | None = Field(
        None,
        description="Recipients of the digest. Unset: the recipients of notifications.",
        examples=["agency@example.com"],
    )
    etl_metrics_file: Path | None = Field(
        None,
        description="File to which every run writes its metrics for Prometheus's textfile collector. Unset: none.",
        examples=["/var/lib/node_exporter/qqetl.prom"],
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO",
        description="Minimum log level: DEBUG, INFO, WARNING, ERROR or CRITICAL. If unset, the minimum is WARNING when "
        "the log goes to a terminal, which shows progress anyway.",
    )
    log_file: Path | None = Field(None, description="Log file. Unset: standard error.", examples=["/var/log/qqetl.log"])

    @field_validator("log_level", mode="before")
    @classmethod
    def _to_upper_case(cls, value: object) -> object:
        """Accept the log level in any case."""
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("qqcatalyst_auth", "etl_rate_limit_shared", "etl_validation", mode="before")
    @classmethod
    def _to_lower_case(cls, value: object) -> object:
        """Accept the choice in any case."""
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("etl_agencies", "etl_data_dir", "etl_metrics_file", "log_file")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        """Expand `~`."""
        return value.expanduser() if value else None

    @field_validator(*_URL_CHECKS)
    @classmethod
    def _check_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Check a URL that may contain a password."""
        return SecretStr(_URL_CHECKS[str(info.field_name)](value.get_secret_value())) if value else None

    @field_validator("qqcatalyst_access_token")
    @classmethod
    def _is_bearer(cls, value: SecretStr | None) -> SecretStr | None:
        """Check that a token is allowed in a header; remove a copied `Bearer ` prefix."""
        text = value.get_secret_value().strip().removeprefix("Bearer ").strip() if value else ""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("must be a token without spaces, line breaks and control characters")
        return SecretStr(text) if text else None

    @field_validator(*(name.lower() for name in CREDENTIALS))
    @classmethod
    def _check_credential(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Check that a credential can be sent in a header or a form."""
        text = value.get_secret_value() if value else ""
        if not text.isprintable():
            raise ValueError("must not contain line breaks or control characters")
        if info.field_name == "qqcatalyst_client_id" and ":" in text:
            raise ValueError("must not contain a colon, which separates it from the secret in a Basic header")
        return value

    @model_validator(mode="after")
    def _check_header_encoding(self) -> Self:
        """Check that enterprise credentials can be encoded in the header."""
        if self.qqcatalyst_auth == "enterprise":
            for name in CREDENTIALS[:2]:
                secret: SecretStr | None = getattr(self, name.lower())
                if secret and not _is_latin_1(secret.get_secret_value()):
                    raise ValueError(
                        f"{name} contains a character that is not in ISO-8859-1, the encoding of the header"
                    )
        return self

    @model_validator(mode="after")
    def _check_call_limit(self) -> Self:
        """Check that the call limit is set in one form, and that there is one way to sign in."""
        if self.etl_rate is not None and "etl_rate_limit" in self.model_fields_set:
            raise ValueError("ETL_RATE and ETL_RATE_LIMIT are both set: set only ETL_RATE_LIMIT")
        if self.qqcatalyst_access_token and self.qqcatalyst_auth == "enterprise":
            raise ValueError("QQCATALYST_ACCESS_TOKEN has no use with QQCATALYST_AUTH=enterprise: set one of them")
        return self

    @model_validator(mode="after")
    def _check_mail_settings(self) -> Self:
        """Check that a mail server comes with a sender and recipients."""
        mail_settings = {"ETL_MAIL_FROM": self.etl_mail_from, "ETL_MAIL_TO": self.etl_mail_to}
        missing = [name for name, value in mail_settings.items() if not value]
        if self.etl_smtp_url and missing:
            raise ValueError(f"ETL_SMTP_URL requires {' and '.join(missing)}")
        if self.etl_digest_at and not self.etl_smtp_url:
            raise ValueError("ETL_DIGEST_AT requires ETL_SMTP_URL")
        return self

    @property
    def people_zone(self) -> ZoneInfo | None:
        """The time zone of the times that people read; None: the machine's."""
        return ZoneInfo(self.etl_timezone) if self.etl_timezone else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of API times that have no offset."""
        return ZoneInfo(self.etl_api_timezone)

    @property
    def cleaning(self) -> CleaningOptions:
        """What decides how a record becomes a row, beside the rules."""
        return CleaningOptions(self.etl_tenant, self.etl_api_timezone, self.etl_validation)

    @property
    def reading(self) -> ReadingOptions:
        """How resources are read."""
        return ReadingOptions(
            self.etl_page_size,
            self.etl_concurrency,
            self.etl_child_budget,
            self.etl_resources,
            self.etl_overlap,
            self.etl_api_timezone,
            self.account_key,
            self.etl_daily_calls,
            self.etl_refused_limit,
        )

    @property
    def log(self) -> LogOptions:
        """Where the log goes, from which level on, and what it must not show."""
        return LogOptions(self.log_level, "log_level" in self.model_fields_set, self.log_file, tuple(self.secrets()))

    @property
    def refresh_ages(self) -> tuple[timedelta, timedelta]:
        """The ages at which details are read again: of active records, of others."""
        return parse_refresh_ages(self.etl_refresh_age)

    @property
    def account_key(self) -> str:
        """The digest under which the calls of an account are counted; it reveals no secret."""
        host = urlsplit(self.qqcatalyst_api_url).netloc.lower()
        user = "" if self.qqcatalyst_auth == "enterprise" else secret_text(self.qqcatalyst_username)
        client = secret_text(self.qqcatalyst_client_id)
        if self.qqcatalyst_access_token and not client:
            client = secret_text(self.qqcatalyst_access_token)
        parts = (host, client) if self.etl_rate_limit_shared == "client" else (host, client, user.strip().lower())
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    @property
    def rate_limit(self) -> RateLimit:
        """The call limit of the account, in whichever form it is set."""
        return parse_rate_limit(self.etl_rate_limit) if self.etl_rate is None else per_second(self.etl_rate)

    def missing_credentials(self) -> list[str]:
        """Return the unset variables that a run needs to call the API."""
        if self.qqcatalyst_access_token:
            return []
        required = CREDENTIALS if self.qqcatalyst_auth == "oauth" else CREDENTIALS[:2]
        return [name for name in required if not secret_text(getattr(self, name.lower()))]

    def secrets(self) -> list[str]:
        """Return every secret text, for the log to redact; never show the result."""
        addresses = [secret_text(secret) for secret in (self.database_url, self.etl_smtp_url, self.etl_heartbeat_url)]
        passwords = [password for address in addresses for password in _password_forms(address)]
        names = (
            self.qqcatalyst_client_secret,
            self.qqcatalyst_password,
            self.qqcatalyst_username,
            self.qqcatalyst_access_token,
        )
        return [text for text in (*addresses, *passwords, *map(secret_text, names)) if text]


def _password_forms(address: str) -> list[str]:
    """Return the password in a URL, both encoded and decoded."""
    password = urlsplit(address).password or "".join(parse_qs(urlsplit(address).query).get("password", []))
    return [password, unquote(password)]


def secret_text(secret: SecretStr | None) -> str:
    """Return the text of a secret, empty when the secret is not set."""
    return secret.get_secret_value() if secret else ""


def _is_latin_1(text: str) -> bool:
    """Return whether a text can be encoded as ISO-8859-1."""
    try:
        text.encode("iso-8859-1")
    except UnicodeEncodeError:
        return False
    return True
