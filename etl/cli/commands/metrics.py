"""`qqetl metrics`: print, save or serve metrics for Prometheus."""

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.session import CommandSession, open_session
from etl.cli.ui.options import Embedded, create_app, format_examples, reject_combination
from etl.cli.ui.signals import StopRequest
from etl.cli.ui.terminal import print_notice
from etl.errors import UsageError
from etl.status.metrics import build_registry, render_metrics, write_metrics_file

app = create_app()

Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, metavar="P", help="Serve the metrics on this port until Ctrl-C."),
]
Address = Annotated[
    str, typer.Option("--address", metavar="HOST", help="Address to listen on; 0.0.0.0 allows other machines.")
]
Textfile = Annotated[
    Path | None, typer.Option("--textfile", metavar="PATH", help="Write the metrics to this file, atomically.")
]


@app.command(
    epilog=format_examples(
        "qqetl metrics                       print the metrics",
        "qqetl metrics --port 9464           serve them at /metrics",
        "qqetl metrics --textfile qqetl.prom",
    )
)
def command(
    *, port: Port = None, address: Address = "127.0.0.1", textfile: Textfile = None, embedded: Embedded = False
) -> None:
    """Print, save or serve metrics of all accounts in the database: lag, records, calls, findings, open incidents.

    The metrics come from database tables, so any process can serve them, wherever the syncs run.
    """
    reject_combination("--port", {"--textfile": port is not None and textfile is not None})
    with open_session(embedded=embedded) as session:
        if port is not None:
            serve_metrics(session, address, port)
        elif textfile is not None:
            write_file(session, textfile)
        else:
            print(render_metrics(session.read), end="")


def write_file(session: CommandSession, path: Path) -> None:
    """Write the metrics to a file; raise UsageError if that is not possible."""
    try:
        write_metrics_file(path, session.read)
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.") from None


def serve_metrics(session: CommandSession, address: str, port: int) -> None:
    """Serve the metrics until a stop request; raise UsageError if the port is not available."""
    from prometheus_client import start_http_server

    with StopRequest() as stop_request:
        try:
            server, thread = start_http_server(port, address, build_registry(session.read))
        except OSError as error:
            raise UsageError(f"Cannot listen on {address}:{port}: {error.strerror}. Choose another port.") from None
        print_notice(f"Serving metrics at http://{address}:{port}/metrics until Ctrl-C.")
        stop_request.event.wait()
        server.shutdown()
        server.server_close()
        thread.join()
