"""A letter: what a mail says, once, and written as plain text and as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from etl.config.redaction import escape_control_characters, redact_text
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind

#: A subject that every mail program shows whole enough.
MAX_SUBJECT_LENGTH = 160

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
class MailMessage:
    """What a mail says; the subject alone says what it is about."""

    kind: MailKind
    subject: str
    sections: Sequence[Section]
    footer: str


def to_mail(message: MailMessage) -> Mail:
    """Return a letter as a mail for the outbox, with nothing secret in it and nothing that breaks a line."""
    subject = escape_control_characters(redact_text(message.subject, MAX_SUBJECT_LENGTH))
    return outbox.build_email(message.kind, subject, to_text(message), to_html(message))


def to_text(message: MailMessage) -> str:
    """Return a letter as plain text."""
    blocks = []
    for section in message.sections:
        points = [f"  * {sanitize(point)}" for point in section.points]
        blocks.append("\n".join([sanitize(section.heading), *map(sanitize, section.lines), *points]))
    return "\n\n".join([*blocks, f"-- \n{sanitize(message.footer)}"]) + "\n"


def to_html(message: MailMessage) -> str:
    """Return a letter as HTML; whatever it quotes is escaped, and what stands in backticks is shown as code."""
    blocks = []
    for section in message.sections:
        points = "".join(f"<li>{to_markup(point)}</li>" for point in section.points)
        blocks += [f"<h3>{to_markup(section.heading)}</h3>", *(f"<p>{to_markup(line)}</p>" for line in section.lines)]
        blocks += [f"<ul>{points}</ul>"] if points else []
    body = "\n".join([*blocks, f"<hr><p><small>{to_markup(message.footer)}</small></p>"])
    return f'<!doctype html>\n<html lang="en"><body style="{STYLE}">\n{body}\n</body></html>\n'


def to_markup(words: str) -> str:
    """Return words as HTML."""
    return CODE.sub(r"<code>\1</code>", escape(sanitize(words)))


def sanitize(words: str) -> str:
    """Return words without secrets, on one line."""
    return escape_control_characters(redact_text(words))
