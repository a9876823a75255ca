"""A tenant belongs to one account: API host, client id and user. The fingerprint of earlier versions is replaced."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from etl.config.settings import Settings
from etl.errors import SettingsError
from etl.ledger.account.tenants import compute_old_fingerprint, register_tenant

HERE = "https://api.qqcatalyst.com/v1"


def account(address: str = HERE, **changes: Any) -> Settings:
    """Return the settings of an account."""
    login: dict[str, Any] = {"qqcatalyst_client_id": "id", "qqcatalyst_username": "user", **changes}
    return Settings(_env_file=None, qqcatalyst_api_url=address, **login)


def register(engine: Engine, settings: Settings) -> str:
    """Register an account and return the stored fingerprint."""
    with engine.begin() as connection:
        register_tenant(connection, settings)
    with engine.connect() as connection:
        stored: str = connection.execute(text("SELECT fingerprint FROM etl.tenants")).scalar_one()
    return stored


@pytest.mark.parametrize("other", [
    account("https://api.example.com/v1"), account("https://api.qqcatalyst.com:8443/v1"),
    account(qqcatalyst_client_id="id2"), account(qqcatalyst_username="user2"),
])  # fmt: skip
@pytest.mark.fact("development-hosts")
def test_another_host_or_login_under_the_same_tenant_is_refused(engine: Engine, other: Settings) -> None:
    register(engine, account())
    with pytest.raises(SettingsError, match="another QQCatalyst account"):
        register(engine, other)


@pytest.mark.parametrize("address", ["https://API.qqcatalyst.com/v2", "https://api.qqcatalyst.com:443/v1"])
def test_the_same_account_is_accepted_in_any_spelling_of_its_address(engine: Engine, address: str) -> None:
    first = register(engine, account())
    assert register(engine, account(address)) == first


def test_a_server_on_this_machine_may_come_back_on_another_port(engine: Engine) -> None:
    first = register(engine, account("http://127.0.0.1:8100/v1"))
    assert register(engine, account("http://127.0.0.1:8200/v1")) == first


def test_a_fingerprint_of_the_old_form_is_rewritten_once_it_matches(engine: Engine) -> None:
    new = register(engine, account())
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE etl.tenants SET fingerprint = :old"), {"old": compute_old_fingerprint(account())}
        )
    with pytest.raises(SettingsError):
        register(engine, account(qqcatalyst_client_id="id2"))
    assert register(engine, account()) == new
    with pytest.raises(SettingsError):
        register(engine, account("https://api.example.com/v1"))
