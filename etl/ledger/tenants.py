"""Tenants: one account each, registered at its first run, so that two accounts never mix under one name."""

import hashlib

from sqlalchemy import Connection, insert, select, update

from etl.config.settings import Settings, secret_text
from etl.errors import SettingsError
from etl.models import PRODUCTION
from etl.models.bookkeeping import tenants

#: What stands for all tables in ETL_HISTORY.
EVERY_TABLE = "all"


def compute_fingerprint(settings: Settings) -> str:
    """Return a digest by which an account is known again: of its client id and user, not of any secret."""
    user = "" if settings.qqcatalyst_auth == "enterprise" else secret_text(settings.qqcatalyst_username)
    named = f"{settings.qqcatalyst_auth}\x1f{secret_text(settings.qqcatalyst_client_id)}\x1f{user}"
    return hashlib.blake2b(named.encode(), digest_size=16, key=b"qqcatalyst-etl tenant").hexdigest()


def register_tenant(connection: Connection, settings: Settings) -> None:
    """Register the tenant, or make sure that it is the account it was; note whose earlier versions it keeps.

    Raises SettingsError when it is another account, or when ETL_HISTORY names no table.
    """
    mine, kept = compute_fingerprint(settings), select_history_tables(settings)
    query = select(tenants.c.fingerprint, tenants.c.history).where(tenants.c.tenant == settings.etl_tenant)
    known = connection.execute(query).one_or_none()
    if known is None:
        connection.execute(insert(tenants).values(tenant=settings.etl_tenant, fingerprint=mine, history=kept))
    elif known.fingerprint != mine:
        raise SettingsError(
            f"The tenant {settings.etl_tenant!r} belongs to another QQCatalyst account: its client id or user differ. "
            "Give this account a name of its own with ETL_TENANT. If it is the same agency under a new login, let its "
            f"row know: UPDATE etl.tenants SET fingerprint = '{mine}' WHERE tenant = '{settings.etl_tenant}'. "
            "Do not delete the row: by its key forgotten people are known again."
        )
    elif known.history != kept:
        connection.execute(update(tenants).where(tenants.c.tenant == settings.etl_tenant).values(history=kept))


def select_history_tables(settings: Settings) -> list[str] | None:
    """Return the tables whose earlier versions a tenant keeps, None for those of the declarations.

    Raises SettingsError for a name that is no table.
    """
    named = (settings.etl_history or "").replace(",", " ").split()
    if not named:
        return None
    tables = {model.__tablename__: model.keeps_history for model in PRODUCTION}
    if unknown := sorted(set(named) - {*tables, EVERY_TABLE}):
        raise SettingsError(
            f"ETL_HISTORY names {', '.join(unknown)}, which is no table. Tables are: {', '.join(tables)}; "
            f"{EVERY_TABLE} names them all."
        )
    return [table for table, by_default in tables.items() if by_default or table in named or EVERY_TABLE in named]
