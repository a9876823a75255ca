"""`qqetl doctor`: settings, database, migrations, clock, token, then each call of the API once and gently."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial

import typer

from etl.api.connection import connected
from etl.cli.session import Work, prepared, working
from etl.cli.ui.format import length
from etl.cli.ui.options import AsJson, Embedded, command_app, examples
from etl.cli.ui.terminal import say, show_json
from etl.cli.views.diagnosis import Diagnosis, diagnosis_for_programs, show_diagnosis
from etl.config.settings import Settings
from etl.database.connect import target
from etl.database.revisions import check_migrated
from etl.errors import CredentialsRefused, EtlError, SettingsError
from etl.ledger.quality import drift
from etl.ledger.transaction import Ledger
from etl.pipeline.doctor import Found, examine, remember_offers

app = command_app()


@app.command(epilog=examples("qqetl doctor", "qqetl doctor --json  for a program, with every field that differs"))
def command(*, embedded: Embedded = False, as_json: AsJson = False) -> None:
    """Examine all that a run needs, ask each call of the API once, and say what differs from the declarations.

    It asks for a few records only and stores none; what the account does not offer is remembered.
    """
    found = Diagnosis()
    examined(found, embedded=embedded)
    if as_json:
        show_json(diagnosis_for_programs(found))
    else:
        show_diagnosis(found)
    raise typer.Exit(found.exit_status)


def examined(found: Diagnosis, *, embedded: bool) -> None:
    """Go through everything, as far as one thing does not need another that failed."""
    try:
        settings = prepared()
    except EtlError as error:
        found.failed("settings", error)
        return
    found.passed("settings", f"complete, for the account {settings.etl_tenant!r}")
    with opened(found, settings, embedded=embedded) as work:
        ledger = migrated(found, work) if work is not None else None
        ask_api(found, settings, ledger)
        if ledger is not None:
            remember_offers(ledger, found.found)
            found.drift = ledger.read(partial(drift.listed, tenant=ledger.tenant))


@contextmanager
def opened(found: Diagnosis, settings: Settings, *, embedded: bool) -> Iterator[Work | None]:
    """Give the database for as long as the block runs, None when it cannot be reached; nothing is made."""
    with ExitStack() as stack:
        work: Work | None = None
        try:
            work = stack.enter_context(working(embedded=embedded, settings=settings, makes_tables=False))
            found.passed("database", target(work.url))
        except EtlError as error:
            found.failed("database", error)
        yield work


def migrated(found: Diagnosis, work: Work) -> Ledger | None:
    """Return the way to a database at the newest migration, None to any other."""
    try:
        check_migrated(work.engine)
    except EtlError as error:
        found.failed("migrations", error)
        return None
    found.passed("migrations", "the newest")
    return work.ledger


def ask_api(found: Diagnosis, settings: Settings, ledger: Ledger | None) -> None:
    """Look at the clock and the token, and make each call once, at the pace that all runs of the account share."""
    say("Asking QQCatalyst for a few records of each kind ...", style="dim")
    try:
        with connected(settings, engine=ledger.engine if ledger is not None else None) as api:
            found.skew = api.api.clock_skew or timedelta()
            found.passed("token", "taken")
            found.passed("clock", f"{length(abs(found.skew))} apart from QQCatalyst's")
            found.found = examine(settings, api, told)
    except EtlError as error:
        found.failed("token" if isinstance(error, CredentialsRefused | SettingsError) else "QQCatalyst", error)


def told(one: Found) -> None:
    """Tell of a call that was made."""
    say(f"{one.resource:<16}  {one.verdict}", style="dim")
