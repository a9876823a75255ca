"""`qqetl simulate`: serve the QQCatalyst simulator, and print the settings for it."""

import errno
import json
import re
from typing import Annotated

import typer

from etl.cli.ui.options import AsJson, create_app, format_examples
from etl.cli.ui.terminal import build_table, print_line, print_notice, stdout
from etl.errors import UsageError
from etl.simulator import FAULTS, REFUSALS, Simulator, SimulatorSettings, serve

app = create_app()

#: Contacts of a large agency; more would only fill memory.
MAX_CONTACTS = 100_000

Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="P", help="On 127.0.0.1. Default: a free port.")]
Contacts = Annotated[
    int, typer.Option("--contacts", min=1, max=MAX_CONTACTS, metavar="N", help="Number of contacts of the agency.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Random seed: the same seed gives the same agency.")]
FaultNames = Annotated[
    str,
    typer.Option("--faults", metavar="NAME,...", help="Faults to inject: name[:argument][@every], comma-separated."),
]
Live = Annotated[bool, typer.Option("--live", help="Change a record every two seconds.")]
DocumentedOnly = Annotated[
    bool, typer.Option("--documented-only", help="Leave out calls that are only assumed to exist.")
]
Refusal = Annotated[
    str, typer.Option("--refusal", metavar="WAY", help=f"How a call is refused: {', '.join(REFUSALS)}.")
]
Offered = Annotated[
    str, typer.Option("--offer", metavar="CALL,...", help="Calls to open: assumed ones, or enterprise ones to a token.")
]
MaxPage = Annotated[int, typer.Option("--max-page", min=1, metavar="N", help="The largest page size.")]
ListFaults = Annotated[bool, typer.Option("--list-faults", help="List the faults and exit.")]


@app.command(
    epilog=format_examples(
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
    """Serve a simulated agency like QQCatalyst until Ctrl-C, and print the settings to connect to it."""
    if list_faults:
        rows = [(fault.name, fault.default or "-", fault.words) for fault in FAULTS.values()]
        stdout().print(build_table(("Fault", "Argument", "What happens"), rows))
        return
    settings = SimulatorSettings(
        seed=seed, contacts=contacts, port=port, live=live, documented_only=documented_only,
        undocumented_answer=refusal, offered=split_names(offer), max_page=max_page, faults=split_faults(faults),
    )  # fmt: skip
    print_notice(f"Generating an agency with {contacts} contacts ...", style="dim")
    try:
        serve(settings, lambda simulator: show_settings(simulator, as_json=as_json))
    except ValueError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UsageError(f"Cannot listen on port {port}: {error.strerror}. Choose another port with --port.") from None


def split_names(names: str) -> tuple[str, ...]:
    """Return the names in a text with commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def split_faults(text: str) -> tuple[str, ...]:
    """Return the faults in a text with commas: after an argument, what is not the name of a fault belongs to it."""
    faults: list[str] = []
    for part in split_names(text):
        if faults and ":" in faults[-1] and re.split("[:@]", part)[0] not in FAULTS:
            faults[-1] += f",{part}"
        else:
            faults.append(part)
    return tuple(faults)


def list_environment(simulator: Simulator) -> dict[str, str]:
    """Return the environment variables that connect to a simulator."""
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
    """Print the settings, as shell commands or as one line of JSON."""
    variables = list_environment(simulator)
    if as_json:
        print(json.dumps(variables), flush=True)
    else:
        for name, value in variables.items():
            print_line(f"export {name}={value}")
    print_notice("The simulator is ready. Press Ctrl-C to stop it.")
