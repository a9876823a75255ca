"""Options that commands share, and examples in the help."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import typer

from etl.config.parsers import parse_duration
from etl.errors import UsageError

Embedded = Annotated[bool, typer.Option("--embedded", help="Use the embedded PostgreSQL instead of DATABASE_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Resources = Annotated[
    list[str] | None,
    typer.Option("--resource", metavar="NAME", help="Only this resource; can be repeated."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Start of the window (date or ISO time, UTC). Default: each resource's watermark.",
    ),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End of the window (exclusive). Default: now.")]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="Batch id, or at least its first four characters.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def create_app(**attributes: Any) -> typer.Typer:
    """Return an empty app for a command, with plain help."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **attributes)


def format_examples(*lines: str) -> str:
    """Return an epilog with examples for the help of a command."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def parse_duration_option(option: str, text: str | None) -> timedelta | None:
    """Return the value of a duration option, None if it is not given; raise UsageError if it is invalid or 0."""
    if text is None:
        return None
    try:
        interval = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option} {error}.") from None
    if not interval:
        raise UsageError(f"{option} must be more than 0, for example 1h.")
    return interval


def reject_combination(option: str, others: Mapping[str, bool]) -> None:
    """Raise UsageError if an option is combined with one of the others."""
    if conflicting := [name for name, is_given in others.items() if is_given]:
        raise UsageError(f"{option} cannot be combined with {' or '.join(conflicting)}. Use only one of them.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation; raise UsageError without a terminal and without `--yes`."""
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask: add --yes to confirm.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(0)
