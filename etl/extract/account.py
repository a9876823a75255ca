"""Whether the credentials belong to the agency whose data a tenant holds. A copied token does not name its account."""

from functools import partial

import msgspec
from sqlalchemy import Connection, text

from etl.api.connection import ApiConnection
from etl.api.protocol import whole_call
from etl.config.settings import Settings
from etl.errors import ApiUnavailable, SettingsError
from etl.ledger.account import tenants
from etl.ledger.transaction import Ledger
from etl.resources import OFFICE_FACTS, OFFICES
from etl.spelling import find_key

#: Fields that identify an office.
OFFICE_NAMES = frozenset(name for names in OFFICE_FACTS for name in names)
#: A number that the vendor knows an office by, or its id with its name: an id may be the same in two agencies.
OfficeFact = tuple[str, ...]


def register_account(ledger: Ledger, settings: Settings, api: ApiConnection) -> None:
    """Register the tenant with its account, or verify that it is the same one.

    Before anything is stored for the tenant, the offices that a copied token shows are remembered. Raises the errors of
    `check_account`.
    """
    claimed = check_account(ledger, settings, api)
    ledger.commit(partial(tenants.register_tenant, settings=settings, offices=claimed))


def check_account(ledger: Ledger, settings: Settings, api: ApiConnection) -> set[OfficeFact]:
    """Return the offices that are all that shows whose a tenant is; none if that is known.

    If only the data can show it, the offices are requested and compared. Raises SettingsError for another account or
    agency, ApiUnavailable if QQCatalyst shows no office.
    """
    ledger.read(partial(tenants.check_login, settings=settings))
    if not ledger.read(partial(tenants.needs_proof, settings=settings)):
        return set()
    known = ledger.read(partial(read_offices, tenant=settings.etl_tenant))
    has_data = ledger.read(partial(tenants.has_fetched, tenant=settings.etl_tenant))
    shown = require_offices(request_offices(api), settings.etl_tenant)
    if not known and not has_data:
        return shown
    if not known:
        is_login_unknown = ledger.read(partial(tenants.is_login_unknown, settings=settings))
        raise SettingsError(explain_unknown_agency(settings, is_login_unknown=is_login_unknown))
    compare_offices(known, shown, settings.etl_tenant)
    return set()


def explain_unknown_agency(settings: Settings, *, is_login_unknown: bool) -> str:
    """Return the message that nothing shows whose the data of a tenant is, with the ways out."""
    if not is_login_unknown:
        way_out = "Read them with the login that read the data (`qqetl sync --resource locations`)"
    elif settings.qqcatalyst_access_token:
        way_out = "Set the agency's own login in place of the token; the message then names the next step"
    else:
        way_out = (
            "Only a copied token has read the data. If it is certainly of the agency of these credentials, run "
            f"{tenants.taking_over(settings)}, then `qqetl sync --resource locations`"
        )
    return (
        f"It is not known to which agency the data of the tenant {settings.etl_tenant!r} belongs: its offices were "
        f"never read. {way_out}. Otherwise set ETL_TENANT to another name."
    )


def require_offices(shown: set[OfficeFact], tenant: str) -> set[OfficeFact]:
    """Return the offices that the credentials show; raise ApiUnavailable if they show none."""
    if not shown:
        raise ApiUnavailable(
            "QQCatalyst shows no office, so it is not known whether the credentials belong to the agency of the tenant "
            f"{tenant!r}. Nothing was changed; run the command again."
        )
    return shown


def compare_offices(known: set[OfficeFact], shown: set[OfficeFact], tenant: str) -> None:
    """Return if an office that the credentials show is one of a tenant's."""
    known_numbers, shown_numbers = ({fact for fact in facts if len(fact) == 1} for facts in (known, shown))
    has_numbers = known_numbers and shown_numbers  # names may be the same in two agencies, the vendor's numbers are not
    if known_numbers.isdisjoint(shown_numbers) if has_numbers else known.isdisjoint(shown):
        raise SettingsError(
            f"The credentials belong to another agency than the data of the tenant {tenant!r}: they show none of its "
            "offices. Set ETL_TENANT to another name for this agency."
        )


def read_offices(connection: Connection, tenant: str) -> set[OfficeFact]:
    """Return what identifies the offices of a tenant: those that are staged, and those that a copied token showed."""
    rows = connection.execute(
        text(f"SELECT raw_data FROM raw.{OFFICES.raw_table} WHERE tenant = :tenant AND superseded_at IS NULL"),
        {"tenant": tenant},
    )
    staged = {fact for row in rows for fact in facts_of(row.raw_data)}
    return staged | set(map(tuple, tenants.read_claimed_offices(connection, tenant)))


def request_offices(api: ApiConnection) -> set[OfficeFact]:
    """Return what identifies the offices that the credentials show."""
    answer = api.event_loop.run(api.api.fetch(whole_call(OFFICES, OFFICES.endpoints[0])))
    return {fact for item in answer.page.items for fact in facts_of(msgspec.json.decode(item))}


def facts_of(office: object) -> set[OfficeFact]:
    """Return what identifies an office; nothing does if it is no object."""
    if not isinstance(office, dict):
        return set()
    values = {name: str(office.get(find_key(office, name) or "") or "").strip().casefold() for name in OFFICE_NAMES}
    return {fact for names in OFFICE_FACTS if all(fact := tuple(values[name] for name in names))}
