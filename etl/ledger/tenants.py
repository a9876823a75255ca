"""Tenants: one account each, registered at its first run, so that two accounts never mix under one name."""

import hashlib

from sqlalchemy import Connection, insert, select

from etl.config.settings import Settings, secret_text
from etl.errors import SettingsError
from etl.models.bookkeeping import tenants


def fingerprint(settings: Settings) -> str:
    """Return a digest by which an account is known again: of its client id and user, not of any secret."""
    user = "" if settings.qqcatalyst_auth == "enterprise" else secret_text(settings.qqcatalyst_username)
    named = f"{settings.qqcatalyst_auth}\x1f{secret_text(settings.qqcatalyst_client_id)}\x1f{user}"
    return hashlib.blake2b(named.encode(), digest_size=16, key=b"qqcatalyst-etl tenant").hexdigest()


def register(connection: Connection, settings: Settings) -> None:
    """Register the tenant, or make sure that it is the account it was; raise SettingsError when it is another."""
    mine = fingerprint(settings)
    known = connection.execute(select(tenants.c.fingerprint).where(tenants.c.tenant == settings.etl_tenant)).scalar()
    if known is None:
        connection.execute(insert(tenants).values(tenant=settings.etl_tenant, fingerprint=mine))
    elif known != mine:
        raise SettingsError(
            f"The tenant {settings.etl_tenant!r} belongs to another QQCatalyst account: its client id or user differ. "
            "Give this account a name of its own with ETL_TENANT. If it is the same agency under a new login, let its "
            f"row know: UPDATE etl.tenants SET fingerprint = '{mine}' WHERE tenant = '{settings.etl_tenant}'. "
            "Do not delete the row: by its key forgotten people are known again."
        )
