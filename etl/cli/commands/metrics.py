"""`qqetl metrics`: metrics for Prometheus, printed, into a file, or served."""

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.session import Work, working
from etl.cli.ui.options import Embedded, command_app, examples, only_with
from etl.cli.ui.signals import Stopping
from etl.cli.ui.terminal import say
from etl.errors import UsageError
from etl.status.metrics import exposition, registry, write_textfile

app = command_app()

Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, metavar="P", help="Serve them at this port until asked to stop."),
]
Address = Annotated[
    str, typer.Option("--address", metavar="HOST", help="Where to listen; 0.0.0.0 lets other machines in.")
]
Textfile = Annotated[
    Path | None, typer.Option("--textfile", metavar="PATH", help="Write them into this file, in one step.")
]


@app.command(
    epilog=examples(
        "qqetl metrics                       print them",
        "qqetl metrics --port 9464           serve them at /metrics",
        "qqetl metrics --textfile qqetl.prom",
    )
)
def command(
    *, port: Port = None, address: Address = "127.0.0.1", textfile: Textfile = None, embedded: Embedded = False
) -> None:
    """Show metrics of all accounts of the database: lag, records by outcome, calls, findings, what needs a person.

    They come from the bookkeeping tables, so that any process may serve them, whatever runs the syncs.
    """
    only_with("--port", {"--textfile": port is not None and textfile is not None})
    with working(embedded=embedded) as work:
        if port is not None:
            serve(work, address, port)
        elif textfile is not None:
            write(work, textfile)
        else:
            print(exposition(work.read), end="")


def write(work: Work, path: Path) -> None:
    """Write the metrics into a file; raise UsageError where that cannot be done."""
    try:
        write_textfile(path, work.read)
    except OSError as error:
        raise UsageError(f"The file {path} cannot be written: {error.strerror}.") from None


def serve(work: Work, address: str, port: int) -> None:
    """Serve the metrics until somebody asks for an end; raise UsageError where the port is not to be had."""
    from prometheus_client import start_http_server

    with Stopping() as stopping:
        try:
            server, thread = start_http_server(port, address, registry(work.read))
        except OSError as error:
            raise UsageError(f"Nothing can listen at {address}:{port}: {error.strerror}. Choose another.") from None
        say(f"Metrics at http://{address}:{port}/metrics until Ctrl-C.")
        stopping.event.wait()
        server.shutdown()
        server.server_close()
        thread.join()
