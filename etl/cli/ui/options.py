"""What commands share on the command line: options with one meaning everywhere, and examples in the help."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import typer

from etl.config.parsers import duration
from etl.errors import UsageError

Embedded = Annotated[
    bool, typer.Option("--embedded", help="Use the embedded PostgreSQL, whatever DATABASE_URL says; made if missing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Resources = Annotated[
    list[str] | None,
    typer.Option("--resource", metavar="NAME", help="Only this resource; may be given several times."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="The first moment (date or ISO time, UTC). Default: where the last run ended."
    ),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="The first moment that is left out. Default: now.")
]
BatchName = Annotated[
    str, typer.Argument(metavar="BATCH", help="The batch's id, or its first four characters or more.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")]


def command_app(**attributes: Any) -> typer.Typer:
    """Return an empty app for the file of a command, with plain help."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **attributes)


def examples(*lines: str) -> str:
    """Return the end of a help text that shows how a command is called."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def length_of(option: str, words: str | None) -> timedelta | None:
    """Return the length of time that an option names, None when it was not given; raise UsageError for none at all."""
    if words is None:
        return None
    try:
        length = duration(words)
    except ValueError as error:
        raise UsageError(f"{option} {error}.") from None
    if not length:
        raise UsageError(f"{option} must be longer than 0, such as 1h.")
    return length


def only_with(option: str, others: Mapping[str, bool]) -> None:
    """Raise UsageError when an option meets another one that contradicts it."""
    if clashing := [name for name, given in others.items() if given]:
        raise UsageError(f"{option} cannot be combined with {' or '.join(clashing)}. Leave one of them out.")


def sure(question: str, *, yes: bool) -> None:
    """Ask a person whether to go on; raise UsageError when nobody can be asked and `--yes` is missing."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here: add --yes to say so.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(0)
