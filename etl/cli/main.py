"""Entry point: the list of commands, imported on demand, and error handling."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import etl
from etl.cli.ui.errors import report_error
from etl.docstrings import restore_docstrings

#: Each command (its file in `etl/cli/commands`), with its line in the help.
COMMANDS = {
    "demo": "Try it: sync a simulated agency, end to end.",
    "sync": "Bring production up to date: extract, transform and load.",
    "extract": "Step 1 only: read from the API into staging.",
    "transform": "Step 2 only: clean the staged records of a batch.",
    "load": "Step 3 only: write clean rows to production.",
    "retry": "Resume a failed or interrupted batch.",
    "status": "Show how fresh and how complete each resource is.",
    "notices": "Show open incidents and unsent emails; --test sends a test.",
    "metrics": "Print, save or serve metrics for Prometheus.",
    "runs": "List the batches, or show one with its balance.",
    "findings": "Show data quality findings by rule, resource, office or agent.",
    "checks": "List the checks across records, or show the hits of one.",
    "explain": "Show where a production row comes from, column by column.",
    "replay": "Run stored records through the current rules; --apply writes.",
    "reconcile": "Mark rows deleted that are missing in QQCatalyst.",
    "forget": "Erase one person everywhere, permanently.",
    "doctor": "Check settings, database and token; call each API endpoint once.",
    "resources": "List all resources: API calls, tables, offered or not.",
    "db": "Manage the database: migrations, backup, move, embedded server.",
    "simulate": "Serve the QQCatalyst simulator.",
}

HELP = "Sync an insurance agency's QQCatalyst data to PostgreSQL."

EPILOG = """\b
Get started:
  qqetl demo            sync a simulated agency; needs no account or database
  qqetl doctor          check your setup, and what your account offers
  qqetl sync --dry-run  show what a sync of your account would do

\b
Exit status: 0 success; 1 failed or interrupted, can be resumed;
2 usage or settings; 3 another run holds the lease;
4 database unreachable or not migrated; 5 credentials rejected;
6 finished, but a resource failed or does not balance."""


class LazyCommands(TyperGroup):
    """Group of commands that imports the file of a command on demand."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=summary, rich_markup_mode=None) for name, summary in COMMANDS.items()
        }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accept `--utc` after the command too, where people write it."""
        options, values = (args[: args.index("--")], args[args.index("--") :]) if "--" in args else (args, [])
        if "--utc" in options:
            options = ["--utc", *(option for option in options if option != "--utc")]
        return super().parse_args(ctx, [*options, *values])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (signature of the base class)
        """Return the command with this name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"etl.cli.commands.{cmd_name}")
        restore_docstrings(module)
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (signature of the base class)
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def show_version(requested: bool) -> None:
    """Print the version and exit, if requested."""
    if requested:
        typer.echo(f"qqetl {etl.__version__}")
        raise typer.Exit


def global_options(
    *,
    version: Annotated[  # noqa: ARG001 (handled by its callback)
        bool, typer.Option("--version", is_eager=True, callback=show_version, help="Show the version and exit.")
    ] = False,
    utc: Annotated[
        bool, typer.Option("--utc", help="Show times in UTC, not in ETL_TIMEZONE; works with every command.")
    ] = False,
) -> None:
    """Handle the options before the command."""
    if utc:
        os.environ["ETL_TIMEZONE"] = "UTC"


def build_command_line() -> Any:
    """Return the command line with all commands."""
    app = typer.Typer(
        cls=LazyCommands,
        callback=global_options,
        name="qqetl",
        help=HELP,
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    return typer.main.get_command(app)


def open_missing_streams() -> None:
    """Open the null device in place of closed standard streams (`qqetl status >&-`).

    Otherwise the next file or connection would take the number of the stream, and receive what is written to it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 (a stream of the process)


def main(arguments: list[str] | None = None) -> int:
    """Run a command line (default: that of this process) and return the exit status."""
    open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without ✓ shows ?
    try:
        build_command_line().main(args=arguments, prog_name="qqetl")
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except Exception as error:  # noqa: BLE001 (the last place to report an error as a message)
        return report_error(error)
    return 0
