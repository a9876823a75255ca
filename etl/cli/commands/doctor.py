"""`qqetl doctor`: check settings, database, token and clock, call each API endpoint once, and plan the first sync."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated

import typer

from etl.api.connection import ApiConnection, connected
from etl.cli.session import CommandSession, load_settings, open_session
from etl.cli.ui.options import AsJson, Embedded, create_app, format_examples
from etl.cli.ui.terminal import print_json, print_notice
from etl.cli.views.backfill import describe_no_answer
from etl.cli.views.diagnosis import Diagnosis, diagnosis_to_json, show_diagnosis
from etl.config.settings import Settings
from etl.database.connect import database_errors, display_url
from etl.database.revisions import check_migrated
from etl.database.rights import check_rights
from etl.errors import ApiUnavailable, CredentialsRefused, EndpointRefused, EtlError, SettingsError, UnexpectedResponse
from etl.extract.account import check_account
from etl.ledger.children import queue as children
from etl.ledger.quality import drift
from etl.ledger.transaction import Ledger
from etl.pipeline.doctor.doctor import MAX_CALLS, POLICY, examine, save_offers, save_page_sizes
from etl.pipeline.doctor.first_plan import plan_next_sync
from etl.resources import CATALOGUE
from etl.status.format import format_duration

app = create_app()

AskAll = Annotated[
    bool, typer.Option("--all", help="Also call optional resources, resources turned off, and enterprise feeds.")
]


@app.command(
    epilog=format_examples(
        "qqetl doctor",
        "qqetl doctor --all   also what a sync with these settings does not read",
        "qqetl doctor --json  all fields that differ, as JSON",
    )
)
def command(*, ask_all: AskAll = False, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Check everything a sync needs, call each API endpoint once as a sync does, and plan the first sync.

    Makes fewer than 30 calls and stores no records. Remembers which resources the account does not offer.
    """
    diagnosis = Diagnosis()
    run_checks(diagnosis, embedded=embedded, ask_all=ask_all)
    if as_json:
        print_json(diagnosis_to_json(diagnosis))
    else:
        show_diagnosis(diagnosis)
    raise typer.Exit(diagnosis.exit_status)


def run_checks(diagnosis: Diagnosis, *, embedded: bool, ask_all: bool) -> None:
    """Run all checks, except those that need one that failed."""
    try:
        settings = load_settings()
    except EtlError as error:
        diagnosis.add_failed("settings", error)
        return
    diagnosis.add_passed("settings", f"complete, account {settings.etl_tenant!r}")
    diagnosis.limit, diagnosis.configured_page_size = settings.rate_limit, settings.etl_page_size
    with check_database(diagnosis, settings, embedded=embedded) as session:
        if session is not None:
            check_user_rights(diagnosis, session)
        ledger = check_migrations(diagnosis, session) if session is not None else None
        if ledger is not None:
            check_answers(diagnosis, ledger)
        check_api(diagnosis, settings, ledger, ask_all=ask_all)
        if ledger is not None:
            diagnosis.drift = ledger.read(partial(drift.read_current_changes, tenant=ledger.tenant))


@contextmanager
def check_database(diagnosis: Diagnosis, settings: Settings, *, embedded: bool) -> Iterator[CommandSession | None]:
    """Open the database, or give None if it cannot be reached; create nothing."""
    with ExitStack() as stack:
        session: CommandSession | None = None
        try:
            session = stack.enter_context(open_session(embedded=embedded, settings=settings))
            diagnosis.add_passed("database", display_url(session.url))
        except EtlError as error:
            diagnosis.add_failed("database", error)
        yield session


def check_user_rights(diagnosis: Diagnosis, session: CommandSession) -> None:
    """Check what the database user may do; a failed check shows the statements that grant the rest."""
    try:
        with database_errors(), session.engine.connect() as connection:
            check_rights(connection)
        diagnosis.add_passed("rights", "sufficient")
    except EtlError as error:
        diagnosis.add_failed("rights", error)


def check_migrations(diagnosis: Diagnosis, session: CommandSession) -> Ledger | None:
    """Return the ledger of a database at the latest migration, None for any other."""
    try:
        check_migrated(session.engine)
    except EtlError as error:
        diagnosis.add_failed("migrations", error)
        return None
    diagnosis.add_passed("migrations", "up to date")
    return session.ledger


def check_answers(diagnosis: Diagnosis, ledger: Ledger) -> None:
    """Name the resources with parents for which the API returns neither a list nor an object."""
    coverages = {
        resource.name: ledger.read(partial(children.read_coverage, resource=resource.name, tenant=ledger.tenant))
        for resource in CATALOGUE
        if resource.parent is not None
    }
    unanswered = [
        f"{name}: {describe_no_answer(coverage)}" for name, coverage in coverages.items() if coverage.no_answer
    ]
    if unanswered:
        diagnosis.add_passed("answers", "; ".join(unanswered))


def check_api(diagnosis: Diagnosis, settings: Settings, ledger: Ledger | None, *, ask_all: bool) -> None:
    """Check token, clock, account and call limit, make each call once, remember the results, plan the first sync."""
    print_notice(f"Making up to {MAX_CALLS} calls to QQCatalyst ...", style="dim")
    engine = ledger.engine if ledger is not None else None
    try:
        with connected(settings, engine=engine, policy=POLICY) as api:
            diagnosis.skew = api.api.api_clock.stated or timedelta()
            diagnosis.add_passed("token", "received")
            diagnosis.add_passed("clock", describe_clock(diagnosis.skew))
            diagnosis.traffic = api.api.traffic
            own_ledger = check_tenant(diagnosis, settings, ledger, api) if ledger is not None else None
            examination = examine(settings, api, ask_all=ask_all)
            diagnosis.calls = examination.reports
            diagnosis.page_size = examination.page_size
            diagnosis.plan = plan_next_sync(own_ledger, settings, examination)
            if own_ledger is not None:
                save_offers(own_ledger, diagnosis.calls)
                save_page_sizes(own_ledger, settings, diagnosis.calls)
    except EtlError as error:
        diagnosis.add_failed("token" if isinstance(error, CredentialsRefused | SettingsError) else "QQCatalyst", error)


def check_tenant(diagnosis: Diagnosis, settings: Settings, ledger: Ledger, api: ApiConnection) -> Ledger | None:
    """Return the ledger if the tenant is known to belong to the account, so that results may be stored for it."""
    try:
        is_known = not check_account(ledger, settings, api)
    except (SettingsError, ApiUnavailable, EndpointRefused, UnexpectedResponse) as error:
        diagnosis.add_failed("account", error)
        return None
    return ledger if is_known else None


def describe_clock(skew: timedelta) -> str:
    """Return how far the clock of this machine is off."""
    return f"differs from QQCatalyst by {format_duration(abs(skew))}" if skew else "agrees with QQCatalyst"
