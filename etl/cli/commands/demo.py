"""`qqetl demo`: sync a simulated agency into an embedded PostgreSQL, on this machine only."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from etl.cli.commands.simulate import MAX_CONTACTS, list_environment
from etl.cli.demo_agency import get_demo_folder, has_demo, load_or_create_agency, make_demo_settings, remove_demo
from etl.cli.run_command import run_with_progress
from etl.cli.session import CommandSession, connect_session, load_settings
from etl.cli.ui.options import create_app, format_examples
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_line, print_notice
from etl.cli.views.demo_summary import show_assumed, show_demo, show_next_steps
from etl.database.connect import display_url
from etl.database.embedded.server import EmbeddedPostgres
from etl.database.migrate import upgrade
from etl.errors import Interrupted
from etl.extract.selection import resource_names
from etl.local_time import to_local
from etl.pipeline import Options, Summary, Watcher, sync
from etl.simulator import Simulator
from etl.status.format import format_count, format_duration, join_words

app = create_app()

#: Seconds between two syncs of a live agency.
SYNC_INTERVAL = 5.0
#: Seconds between two looks whether the demo was removed in another terminal.
LOOK_INTERVAL = 0.5

Keep = Annotated[bool, typer.Option("--keep", help="Keep the servers running, and print their addresses.")]
Contacts = Annotated[
    int | None,
    typer.Option(
        "--contacts", min=1, max=MAX_CONTACTS, metavar="N", help="Number of contacts of the agency. Default: 300."
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Simulate ongoing changes and keep syncing until Ctrl-C.")]
Clear = Annotated[bool, typer.Option("--clear", help="Remove the demo and all its data.")]


@app.command(
    epilog=format_examples("qqetl demo", "qqetl demo --keep", "qqetl demo --contacts 3000", "qqetl demo --clear")
)
def command(*, keep: Keep = False, contacts: Contacts = None, live: Live = False, clear_all: Clear = False) -> None:
    """Try it: start an embedded PostgreSQL and a simulated QQCatalyst, and sync the simulated agency.

    Needs no account, no database and no network. A second run finds no changes and writes nothing.
    """
    settings = load_settings()
    folder = get_demo_folder(settings)
    if clear_all:
        print_line("Removed the demo." if remove_demo(folder) else "There is no demo to remove.")
        return
    began = time.monotonic()
    print_notice(f"Demo of a simulated insurance agency; all files are in {folder}", style="dim")
    with StopRequest() as stop_request, EmbeddedPostgres(folder, say=print_notice) as server:
        agency = load_or_create_agency(folder, contacts)
        print_notice(f"Database: {display_url(server.url)} (embedded)", style="dim")
        upgrade(server.url, report=partial(print_notice, style="dim"))
        with Simulator(agency.simulator_settings(live=live)) as simulator:
            print_notice(
                f"QQCatalyst: {simulator.api_url}, simulated, {format_count(agency.contacts, 'contact')}", style="dim"
            )
            with connect_session(make_demo_settings(settings, simulator), server.url) as session:
                status = first_sync(session, stop_request)
                print_line()
                print_line(f"Total time: {format_duration(time.monotonic() - began)}")
                show_assumed()
                show_next_steps(folder, servers_running=keep or live)
                if live:
                    follow_changes(session, folder, stop_request)
                elif keep:
                    serve_until_stopped(simulator, folder, stop_request)
    raise typer.Exit(status)


def first_sync(session: CommandSession, stop_request: StopRequest) -> int:
    """Sync the agency with progress and summary, and return the exit status."""
    run_sync = partial(sync, session.engine, session.settings, None, None)
    total = len(resource_names((), session.settings))
    return run_with_progress(run_sync, stop_request, total, partial(show_demo, session)).exit_status


def serve_until_stopped(simulator: Simulator, folder: Path, stop_request: StopRequest) -> None:
    """Print the addresses, and wait until a stop request or until the demo is removed in another terminal."""
    print_line()
    print_line("To sync from this simulator:", style="bold")
    for name, value in list_environment(simulator).items():
        print_line(f"  export {name}={value}")
    print_notice("The servers run until Ctrl-C.")
    while not stop_request.event.wait(LOOK_INTERVAL):
        if was_removed(folder):
            return


def follow_changes(session: CommandSession, folder: Path, stop_request: StopRequest) -> None:
    """Sync the changes of a live agency until a stop request or until the demo is removed in another terminal."""
    print_line()
    print_notice(f"Simulating changes and syncing them every {SYNC_INTERVAL:.0f} s until Ctrl-C.")
    while not stop_request.event.wait(SYNC_INTERVAL):
        if was_removed(folder):
            return
        try:
            summary = sync(session.engine, session.settings, None, Options(), Watcher(stop=stop_request.event))
        except Interrupted:
            return
        print_line(describe_changes(summary))


def was_removed(folder: Path) -> bool:
    """Return whether the demo was removed in another terminal, and say so."""
    if has_demo(folder):
        return False
    print_notice("The demo was removed by `qqetl demo --clear`, and its servers have stopped.")
    return True


def describe_changes(summary: Summary) -> str:
    """Return the rows that a sync wrote, in one line."""
    changed_tables = [
        f"{name} {' '.join(f'{sign}{counts[outcome]}' for sign, outcome in SIGNS if counts[outcome])}"
        for name, counts in summary.tables.items()
        if any(counts[outcome] for _, outcome in SIGNS)
    ]
    text = join_words(changed_tables) if changed_tables else "no changes"
    effort = f"{format_count(summary.calls, 'call')}, {format_duration(summary.seconds)}"
    return f"{to_local(datetime.now(UTC)):%H:%M:%S}  {text} ({effort})"


#: Signs of inserted, updated and deleted rows.
SIGNS = (("+", "inserted"), ("~", "updated"), ("-", "deleted"))
