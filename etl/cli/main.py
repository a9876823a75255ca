"""The way in: the list of commands, each imported when it is called, and what becomes of an error."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import etl
from etl.cli.ui.errors import failed

#: Every command: the file in this folder that holds it, and its line in the list.
COMMANDS = {
    "demo": "See it work: a made-up agency, end to end.",
    "sync": "Bring production up to date: extract, transform and load a window.",
    "extract": "The first step alone: from the API into staging.",
    "transform": "The second step alone: clean what a batch staged.",
    "load": "The third step alone: clean rows into production.",
    "retry": "Take a failed or interrupted batch up where it stopped.",
    "status": "How fresh and how complete each resource is.",
    "notices": "What needs a person, mails that wait; --test sends one.",
    "metrics": "Metrics for Prometheus: printed, into a file, or served.",
    "runs": "The batches, or one of them with its balance sheet.",
    "findings": "What rules and checks found, by rule, resource, office or agent.",
    "checks": "The checks across records: what each asks, and its hits.",
    "explain": "Where a row of production comes from, column by column.",
    "replay": "Old records through today's rules: what changes; --apply writes it.",
    "reconcile": "Read everything; mark deleted what vanished at the source.",
    "forget": "Erase one person everywhere, and keep them from coming back.",
    "doctor": "Is everything ready? Settings, database, token, and each call of the API once.",
    "resources": "The catalogue: calls, tables, proven or not, offered or not.",
    "db": "The database: migrations, backup, move, the embedded server.",
    "simulate": "The QQCatalyst simulator alone.",
}

HELP = "Keeps an insurance agency's QQCatalyst book of business in PostgreSQL: clean, complete, current."

EPILOG = """\b
Begin with:
  qqetl demo            a made-up agency; needs no account and no database
  qqetl doctor          whether all is ready, and what your account offers
  qqetl sync --dry-run  what a run against your account would ask for

\b
Exit status: 0 done; 1 failed or interrupted, resumable; 2 usage or settings;
3 another run holds the lock; 4 database unreachable or not migrated;
5 credentials refused; 6 done, but some resource failed or does not balance."""


class Commands(TyperGroup):
    """The commands by name; the file of one is imported when somebody asks for it."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=words, rich_markup_mode=None) for name, words in COMMANDS.items()
        }

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (as the base class has it)
        """Return the command of this name, None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(f"etl.cli.commands.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (as the base class has it)
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def show_version(asked: bool) -> None:
    """Print the version and end, when it was asked for."""
    if asked:
        typer.echo(f"qqetl {etl.__version__}")
        raise typer.Exit


def begin(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take what stands before the command."""


def commands() -> Any:
    """Return the whole command line."""
    app = typer.Typer(
        cls=Commands,
        callback=begin,
        name="qqetl",
        help=HELP,
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    return typer.main.get_command(app)


def main(arguments: list[str] | None = None) -> int:
    """Carry out a command line (this process's, unless one is given) and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without ✓ shows a ? for it
    try:
        commands().main(args=arguments, prog_name="qqetl")
    except SystemExit as end:
        return int(end.code or 0)
    except Exception as error:  # noqa: BLE001 (the last place where an error can be told in words)
        return failed(error)
    return 0
