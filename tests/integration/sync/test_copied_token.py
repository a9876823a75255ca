"""A copied token does not name its account: the offices show to which agency the data of a tenant belongs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from notification_helpers import execute
from pydantic import SecretStr
from sites import Site, copied_token, open_site, serve_agency, settings_for
from snapshots import value

from etl.errors import SettingsError
from etl.ledger.account.tenants import register_tenant
from etl.simulator import Simulator

FINGERPRINT = "SELECT fingerprint FROM etl.tenants"
#: A quick sync: the offices, and a list that depends on nothing.
SOME = ("locations", "commission_rules")


@pytest.fixture(scope="module")
def another_agency() -> Iterator[Simulator]:
    """Give a second agency, with offices of its own."""
    with serve_agency(seed=77) as served:
        yield served


def with_token_of(site: Site, simulator: Simulator) -> Site:
    """Return the site with a token from another person's developer console in place of the login."""
    url = site.settings.database_url
    assert url is not None
    token: dict[str, Any] = {"qqcatalyst_access_token": copied_token(simulator)}
    nobody = dict.fromkeys(f"qqcatalyst_{name}" for name in ("client_id", "client_secret", "username", "password"))
    settings = settings_for(simulator, url.get_secret_value(), **token, **nobody)
    return Site(simulator, site.engine, settings)


def test_the_credentials_of_the_same_agency_continue_what_a_token_began(site: Site, simulator: Simulator) -> None:
    assert with_token_of(site, simulator).sync_once(resources=SOME).exit_status == 0
    unknown = value(site.engine, FINGERPRINT)
    assert site.sync_once(resources=SOME).exit_status == 0
    known = value(site.engine, FINGERPRINT)
    assert known != unknown
    assert with_token_of(site, simulator).sync_once(resources=SOME).exit_status == 0
    assert value(site.engine, FINGERPRINT) == known, "a token does not make a login unknown"
    other = site.with_settings(qqcatalyst_client_id=SecretStr("other")).settings
    with pytest.raises(SettingsError, match="another QQCatalyst account"), site.engine.begin() as connection:
        register_tenant(connection, other)


def test_a_token_of_another_agency_is_rejected_and_nothing_is_mixed(
    site: Site, simulator: Simulator, another_agency: Simulator
) -> None:
    assert with_token_of(site, simulator).sync_once(resources=SOME).exit_status == 0
    before = value(site.engine, "SELECT count(*) FROM raw.raw_commission_rules")
    with pytest.raises(SettingsError, match="another agency than the data of the tenant 'default'"):
        with_token_of(site, another_agency).sync_once(resources=SOME)
    assert value(site.engine, "SELECT count(*) FROM raw.raw_commission_rules") == before


def test_the_credentials_of_another_agency_do_not_continue_what_a_token_began(
    site: Site, simulator: Simulator, another_agency: Simulator, database_url: str
) -> None:
    assert with_token_of(site, simulator).sync_once(resources=SOME).exit_status == 0
    unknown = value(site.engine, FINGERPRINT)
    with (
        open_site(another_agency, database_url) as other,
        pytest.raises(SettingsError, match="another agency than the data of the tenant 'default'"),
    ):
        other.sync_once(resources=SOME)
    assert value(site.engine, FINGERPRINT) == unknown


def count_rules(site: Site) -> int:
    """Return the number of staged commission rules."""
    return int(value(site.engine, "SELECT count(*) FROM raw.raw_commission_rules"))


def test_a_token_claims_the_tenant_with_its_offices_before_anything_is_stored(
    site: Site, simulator: Simulator, another_agency: Simulator, database_url: str
) -> None:
    """Also in a run that does not read the offices: no later token or login can add another agency's data."""
    first = with_token_of(site, simulator)
    site.take_calls()
    assert first.sync_once(resources=("commission_rules",)).exit_status == 0
    paths = [path.partition("?")[0] for path in site.take_calls()]
    assert paths[:2] == ["BusinessLogic/Ping", "Locations/UserLocationsV2"]
    before = count_rules(site)
    assert before > 0
    assert value(site.engine, "SELECT count(*) FROM raw.raw_locations") == 0
    with pytest.raises(SettingsError, match="another agency than the data of the tenant 'default'"):
        with_token_of(site, another_agency).sync_once(resources=("commission_rules",))
    with (
        open_site(another_agency, database_url) as other,
        pytest.raises(SettingsError, match="another agency than the data of the tenant 'default'"),
    ):
        other.sync_once(resources=("commission_rules",))
    assert count_rules(site) == before
    assert with_token_of(site, simulator).sync_once(resources=("commission_rules",)).exit_status == 0
    assert site.sync_once(resources=("commission_rules",)).exit_status == 0, "the login of the same agency"


def test_a_token_is_rejected_where_no_office_shows_whose_the_data_is(site: Site, another_agency: Simulator) -> None:
    assert site.sync_once(resources=("commission_rules",)).exit_status == 0
    before = count_rules(site)
    with pytest.raises(SettingsError, match="not known to which agency"):
        with_token_of(site, another_agency).sync_once(resources=("commission_rules",))
    assert count_rules(site) == before


def test_where_only_a_token_has_read_and_no_office_is_known_the_message_names_the_way_out(
    site: Site, simulator: Simulator
) -> None:
    """As in a database of before tenants were claimed by their offices."""
    assert with_token_of(site, simulator).sync_once(resources=("commission_rules",)).exit_status == 0
    execute(site, "UPDATE etl.tenants SET offices = NULL")
    with pytest.raises(SettingsError, match="Set the agency's own login in place of the token"):
        with_token_of(site, simulator).sync_once(resources=SOME)
    with pytest.raises(SettingsError, match="Only a copied token has read the data") as caught:
        site.sync_once(resources=SOME)
    statement = re.search(
        "UPDATE etl.tenants SET fingerprint = '[0-9a-f]+' WHERE tenant = 'default'", str(caught.value)
    )
    assert statement is not None
    execute(site, statement[0])
    assert site.sync_once(resources=("locations",)).exit_status == 0
    assert with_token_of(site, simulator).sync_once(resources=SOME).exit_status == 0
