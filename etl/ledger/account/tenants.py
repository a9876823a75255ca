"""Tenants: each name belongs to one account from its first run on, so that two accounts never mix."""

import hashlib
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from sqlalchemy import Connection, insert, select, update

from etl.config.parsers import is_loopback
from etl.config.settings import Settings, secret_text
from etl.errors import SettingsError
from etl.models import PRODUCTION
from etl.models.bookkeeping import batch_resources, batches, tenants

#: What identifies the login of a copied token.
UNKNOWN_LOGIN = "oauth\x1f\x1f"
#: The word in ETL_HISTORY that means all tables.
EVERY_TABLE = "all"


def compute_fingerprint(settings: Settings) -> str:
    """Compute a digest that identifies an account by API host, client id and user; it contains no secret."""
    return hash_identity(f"{identify_login(settings)}\x1f{api_host(settings.qqcatalyst_api_url)}")


def compute_old_fingerprint(settings: Settings) -> str:
    """Compute the digest of earlier versions, without the API host."""
    return hash_identity(identify_login(settings))


def identify_login(settings: Settings) -> str:
    """Return what identifies an account on its host: client id and user. A copied token says nothing about either."""
    if settings.qqcatalyst_access_token:
        return UNKNOWN_LOGIN
    user = "" if settings.qqcatalyst_auth == "enterprise" else secret_text(settings.qqcatalyst_username)
    return f"{settings.qqcatalyst_auth}\x1f{secret_text(settings.qqcatalyst_client_id)}\x1f{user}"


def api_host(url: str) -> str:
    """Return the host of the API, with its port unless it is the usual one or, on this machine, any."""
    address = urlsplit(url)
    host = (address.hostname or "").lower()
    return host if is_loopback(host) or address.port in {None, 443} else f"{host}:{address.port}"


def hash_identity(identity: str) -> str:
    """Return the keyed hash of an account's identity."""
    return hashlib.blake2b(identity.encode(), digest_size=16, key=b"qqcatalyst-etl tenant").hexdigest()


def needs_proof(connection: Connection, settings: Settings) -> bool:
    """Return whether only its offices can show that a tenant belongs to this account: one of the logins is unknown."""
    return bool(settings.qqcatalyst_access_token) or is_login_unknown(connection, settings)


def is_login_unknown(connection: Connection, settings: Settings) -> bool:
    """Return whether a tenant was only ever read with a copied token."""
    return read_fingerprint(connection, settings.etl_tenant) == fingerprint_of_unknown_login(settings)


def read_fingerprint(connection: Connection, tenant: str) -> str | None:
    """Return the fingerprint of a tenant's account, None for a new tenant."""
    return connection.execute(select(tenants.c.fingerprint).where(tenants.c.tenant == tenant)).scalar_one_or_none()


def check_login(connection: Connection, settings: Settings) -> None:
    """Raise SettingsError if the tenant belongs to another account. A copied token is accepted for every tenant."""
    fingerprint = compute_fingerprint(settings)
    accepted = {None, fingerprint, compute_old_fingerprint(settings), fingerprint_of_unknown_login(settings)}
    if not settings.qqcatalyst_access_token and read_fingerprint(connection, settings.etl_tenant) not in accepted:
        raise SettingsError(
            f"The tenant {settings.etl_tenant!r} belongs to another QQCatalyst account: its API host, client id or "
            "user differs. Set ETL_TENANT to another name for this account. If it is the same agency with a new login, "
            f"update the row: {taking_over(settings)}. Do not delete the row: its key is needed to recognize forgotten "
            "people."
        )


def taking_over(settings: Settings) -> str:
    """Return the statement with which a person gives a tenant to the account of the settings."""
    return (
        f"UPDATE etl.tenants SET fingerprint = '{compute_fingerprint(settings)}' WHERE tenant = '{settings.etl_tenant}'"
    )


def read_claimed_offices(connection: Connection, tenant: str) -> list[list[str]]:
    """Return what identifies the offices that a copied token showed before anything was stored for a tenant."""
    claimed = connection.execute(select(tenants.c.offices).where(tenants.c.tenant == tenant)).scalar_one_or_none()
    return list(claimed or ())


def has_fetched(connection: Connection, tenant: str) -> bool:
    """Return whether any run has returned records for a tenant."""
    of_tenant = (batches.c.tenant == tenant) & (batch_resources.c.fetched > 0)
    query = select(batch_resources.c.batch_id).join(batches, batches.c.id == batch_resources.c.batch_id)
    return connection.execute(query.where(of_tenant).limit(1)).first() is not None


def fingerprint_of_unknown_login(settings: Settings) -> str:
    """Return the fingerprint of a tenant that was only read with a copied token."""
    return hash_identity(f"{UNKNOWN_LOGIN}\x1f{api_host(settings.qqcatalyst_api_url)}")


def register_tenant(connection: Connection, settings: Settings, offices: Iterable[Sequence[str]] = ()) -> None:
    """Register the tenant, or verify that it is the same account; store which tables keep history.

    A fingerprint of an earlier version that matches is replaced, and so is that of a copied token by the first login.
    A copied token is accepted for every tenant: the caller has compared the offices (`needs_proof`), or passes
    `offices`, what identifies those that it shows, for the next runs to compare.

    Raises SettingsError when the tenant belongs to another account, or when ETL_HISTORY names an unknown table.
    """
    check_login(connection, settings)
    fingerprint, history_tables = compute_fingerprint(settings), select_history_tables(settings)
    query = select(tenants.c.fingerprint, tenants.c.history).where(tenants.c.tenant == settings.etl_tenant)
    tenant_row = connection.execute(query).one_or_none()
    if tenant_row is None:
        connection.execute(
            insert(tenants).values(tenant=settings.etl_tenant, fingerprint=fingerprint, history=history_tables)
        )
    elif settings.qqcatalyst_access_token:
        connection.execute(
            update(tenants).where(tenants.c.tenant == settings.etl_tenant).values(history=history_tables)
        )
    elif (tenant_row.fingerprint, tenant_row.history) != (fingerprint, history_tables):
        values = {"fingerprint": fingerprint, "history": history_tables}
        connection.execute(update(tenants).where(tenants.c.tenant == settings.etl_tenant).values(values))
    if claimed := sorted(map(list, offices)):
        connection.execute(update(tenants).where(tenants.c.tenant == settings.etl_tenant).values(offices=claimed))


def select_history_tables(settings: Settings) -> list[str] | None:
    """Return the tables for which a tenant keeps history, None for the default tables.

    Raises SettingsError for an unknown table.
    """
    names = (settings.etl_history or "").replace(",", " ").split()
    if not names:
        return None
    tables = {model.__tablename__: model.keeps_history for model in PRODUCTION}
    if unknown := sorted(set(names) - {*tables, EVERY_TABLE}):
        raise SettingsError(
            f"ETL_HISTORY contains an unknown table: {', '.join(unknown)}. Tables are: {', '.join(tables)}. "
            f"Use {EVERY_TABLE} for all tables."
        )
    return [table for table, by_default in tables.items() if by_default or table in names or EVERY_TABLE in names]
