"""`qqetl demo`: a made-up agency from its API to tables, findings and answers, on this machine alone."""

import time
from functools import partial
from typing import Annotated

import typer

from etl.cli.commands.simulate import MOST_CONTACTS, settings_for
from etl.cli.demo_agency import agency_in, clear, demo_folder, demo_settings
from etl.cli.run_command import run
from etl.cli.session import Work, on, prepared
from etl.cli.ui.format import counted, length, listed
from etl.cli.ui.options import command_app, examples
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import say, show
from etl.cli.views.demo_summary import show_assumed, show_demo, show_next
from etl.database.connect import target
from etl.database.embedded.server import EmbeddedPostgres
from etl.database.migrate import upgrade
from etl.errors import Interrupted
from etl.pipeline import Options, Summary, Watcher, sync
from etl.resources import CATALOGUE
from etl.simulator import Simulator

app = command_app()

#: Seconds between two syncs of an agency that lives.
PAUSE = 5.0

Keep = Annotated[bool, typer.Option("--keep", help="Leave the servers running at the end, and print their addresses.")]
Contacts = Annotated[
    int | None,
    typer.Option("--contacts", min=1, max=MOST_CONTACTS, metavar="N", help="How large the agency is. Default: 300."),
]
Live = Annotated[bool, typer.Option("--live", help="Let the agency live, and sync its changes until Ctrl-C.")]
Clear = Annotated[bool, typer.Option("--clear", help="Remove the demo with all its data.")]


@app.command(epilog=examples("qqetl demo", "qqetl demo --keep", "qqetl demo --contacts 3000", "qqetl demo --clear"))
def command(*, keep: Keep = False, contacts: Contacts = None, live: Live = False, clear_all: Clear = False) -> None:
    """See it work: start a PostgreSQL and a QQCatalyst of a made-up agency here, and sync one into the other.

    Needs no account, no database and no network. A second run finds everything in place and writes nothing.
    """
    settings = prepared()
    folder = demo_folder(settings)
    if clear_all:
        show("The demo is gone." if clear(folder) else "There was no demo.")
        return
    began = time.monotonic()
    say(f"A made-up insurance agency; everything stays in {folder}", style="dim")
    with Stopping() as stopping, EmbeddedPostgres(folder, say=say) as server:
        agency = agency_in(folder, contacts)
        say(f"Database: {target(server.url)} (embedded)", style="dim")
        upgrade(server.url)
        with Simulator(agency.simulated(live=live)) as simulator:
            say(f"QQCatalyst: {simulator.api_url}, simulated, {counted(agency.contacts, 'contact')}", style="dim")
            with on(demo_settings(settings, simulator), server.url) as work:
                status = first_sync(work, stopping)
                show_assumed()
                show()
                show(f"All of it took {length(time.monotonic() - began)}.")
                show_next(folder, runs_on=keep or live)
                if live:
                    follow(work, stopping)
                elif keep:
                    stay(simulator, stopping)
    raise typer.Exit(status)


def first_sync(work: Work, stopping: Stopping) -> int:
    """Sync the agency under the eyes of the person, and return the exit status."""
    carry = partial(sync, work.engine, work.settings, None, None)
    return run(carry, stopping, len(CATALOGUE), partial(show_demo, work))


def stay(simulator: Simulator, stopping: Stopping) -> None:
    """Print the addresses and wait until somebody asks for an end."""
    show()
    show("To run against this simulator:", style="bold")
    for name, value in settings_for(simulator).items():
        show(f"  export {name}={value}")
    say("The servers go on until Ctrl-C.")
    stopping.event.wait()


def follow(work: Work, stopping: Stopping) -> None:
    """Sync the changes of a living agency until somebody asks for an end."""
    show()
    say(f"The agency lives; its changes are read every {PAUSE:.0f} s until Ctrl-C.")
    while not stopping.event.wait(PAUSE):
        try:
            show(changes(sync(work.engine, work.settings, None, Options(), Watcher(stop=stopping.event))))
        except Interrupted:
            return


def changes(summary: Summary) -> str:
    """Return what a sync wrote, in one line."""
    written = [
        f"{name} {' '.join(f'{sign}{counts[what]}' for sign, what in SIGNS if counts[what])}"
        for name, counts in summary.tables.items()
        if any(counts[what] for _, what in SIGNS)
    ]
    told = listed(written) if written else "nothing new"
    return f"{time.strftime('%H:%M:%S')}  {told} ({counted(summary.calls, 'call')}, {length(summary.seconds)})"


#: How a change is marked in the line of a sync.
SIGNS = (("+", "inserted"), ("~", "updated"), ("-", "deleted"))
