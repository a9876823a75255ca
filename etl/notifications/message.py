"""A letter: what a mail says, once, and written as plain text and as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from etl.config.redaction import on_one_line, redacted
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind

#: A subject that every mail program shows whole enough.
LONGEST_SUBJECT = 160

#: A command or a name, between backticks.
CODE = re.compile("`([^`]+)`")

STYLE = "font-family: sans-serif; max-width: 44em"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and points."""

    heading: str
    lines: Sequence[str] = ()
    points: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says; the subject alone says what it is about."""

    kind: MailKind
    subject: str
    sections: Sequence[Section]
    footer: str


def as_mail(letter: Letter) -> Mail:
    """Return a letter as a mail for the outbox, with nothing secret in it and nothing that breaks a line."""
    subject = on_one_line(redacted(letter.subject, LONGEST_SUBJECT))
    return outbox.new(letter.kind, subject, as_text(letter), as_html(letter))


def as_text(letter: Letter) -> str:
    """Return a letter as plain text."""
    blocks = []
    for one in letter.sections:
        points = [f"  * {clean(point)}" for point in one.points]
        blocks.append("\n".join([clean(one.heading), *map(clean, one.lines), *points]))
    return "\n\n".join([*blocks, f"-- \n{clean(letter.footer)}"]) + "\n"


def as_html(letter: Letter) -> str:
    """Return a letter as HTML; whatever it quotes is escaped, and what stands in backticks is shown as code."""
    blocks = []
    for one in letter.sections:
        points = "".join(f"<li>{marked_up(point)}</li>" for point in one.points)
        blocks += [f"<h3>{marked_up(one.heading)}</h3>", *(f"<p>{marked_up(line)}</p>" for line in one.lines)]
        blocks += [f"<ul>{points}</ul>"] if points else []
    body = "\n".join([*blocks, f"<hr><p><small>{marked_up(letter.footer)}</small></p>"])
    return f'<!doctype html>\n<html lang="en"><body style="{STYLE}">\n{body}\n</body></html>\n'


def marked_up(words: str) -> str:
    """Return words as HTML."""
    return CODE.sub(r"<code>\1</code>", escape(clean(words)))


def clean(words: str) -> str:
    """Return words without secrets, on one line."""
    return on_one_line(redacted(words))
