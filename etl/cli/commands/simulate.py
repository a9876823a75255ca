"""`qqetl simulate`: the QQCatalyst simulator alone, with the settings that point a run to it."""

import errno
import json
from typing import Annotated

import typer

from etl.cli.ui.options import AsJson, command_app, examples
from etl.cli.ui.terminal import out, say, show, table
from etl.errors import UsageError
from etl.simulator import FAULTS, REFUSALS, Simulator, SimulatorSettings, serve

app = command_app()

#: As many contacts as a large agency has; more would only fill the memory.
MOST_CONTACTS = 100_000

Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="P", help="On 127.0.0.1. Default: a free one.")]
Contacts = Annotated[
    int, typer.Option("--contacts", min=1, max=MOST_CONTACTS, metavar="N", help="How large the agency is.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed makes the same agency.")]
FaultNames = Annotated[
    str, typer.Option("--faults", metavar="NAME,...", help="What is to go wrong: name[:argument][@every], with commas.")
]
Live = Annotated[bool, typer.Option("--live", help="Let something change every two seconds.")]
DocumentedOnly = Annotated[
    bool, typer.Option("--documented-only", help="Refuse the calls that are only assumed to exist.")
]
Refusal = Annotated[
    str, typer.Option("--refusal", metavar="WAY", help=f"How a call is refused: {', '.join(REFUSALS)}.")
]
Offered = Annotated[
    str, typer.Option("--offer", metavar="CALL,...", help="Calls to open: assumed ones, or enterprise ones to a token.")
]
MaxPage = Annotated[int, typer.Option("--max-page", min=1, metavar="N", help="The largest page size.")]
ListFaults = Annotated[bool, typer.Option("--list-faults", help="List the faults and end.")]


@app.command(
    epilog=examples(
        "qqetl simulate --port 8100 --contacts 1000",
        "qqetl simulate --faults rate-limit,server-errors:1@5",
        "qqetl simulate --list-faults",
    )
)
def command(  # noqa: PLR0913 (one parameter an option)
    *,
    port: Port = 0,
    contacts: Contacts = 300,
    seed: Seed = 1,
    faults: FaultNames = "",
    live: Live = False,
    documented_only: DocumentedOnly = False,
    refusal: Refusal = "help-page",
    offer: Offered = "",
    max_page: MaxPage = 500,
    list_faults: ListFaults = False,
    as_json: AsJson = False,
) -> None:
    """Serve a made-up agency as QQCatalyst would, until it is stopped, and print the settings that lead to it."""
    if list_faults:
        show_faults()
        return
    settings = SimulatorSettings(
        seed=seed, contacts=contacts, port=port, live=live, documented_only=documented_only,
        undocumented_answer=refusal, offered=split(offer), max_page=max_page, faults=split(faults),
    )  # fmt: skip
    say(f"Making an agency of {contacts} contacts ...", style="dim")
    try:
        serve(settings, lambda simulator: show_settings(simulator, as_json=as_json))
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UsageError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from None


def split(names: str) -> tuple[str, ...]:
    """Return the names in a text with commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def show_faults() -> None:
    """Write what can go wrong, with the argument that each fault takes."""
    rows = [(fault.name, fault.default or "-", fault.words) for fault in FAULTS.values()]
    out().print(table(("Fault", "Argument", "What happens"), rows))


def settings_for(simulator: Simulator) -> dict[str, str]:
    """Return the environment variables that point a run to a simulator."""
    settings = simulator.settings
    return {
        "QQCATALYST_API_URL": simulator.api_url,
        "QQCATALYST_TOKEN_URL": simulator.token_url,
        "QQCATALYST_CLIENT_ID": settings.client_id,
        "QQCATALYST_CLIENT_SECRET": settings.client_secret,
        "QQCATALYST_USERNAME": settings.username,
        "QQCATALYST_PASSWORD": settings.password,
        "ETL_RATE": "0",
    }


def show_settings(simulator: Simulator, *, as_json: bool) -> None:
    """Write the settings to standard output: as lines for a shell, or as one line of JSON."""
    named = settings_for(simulator)
    if as_json:
        print(json.dumps(named), flush=True)
    else:
        for name, value in named.items():
            show(f"export {name}={value}")
    say("The simulator answers. Ctrl-C ends it.")
