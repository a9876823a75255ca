"""The content of an email, rendered as plain text and as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from etl.config.redaction import escape_control_characters, redact_text
from etl.ledger.notifications import outbox
from etl.ledger.notifications.outbox import Mail
from etl.models.states import MailKind

#: Maximum length of a subject, in characters.
MAX_SUBJECT_LENGTH = 160

#: A command or a name in backticks.
CODE = re.compile("`([^`]+)`")

STYLE = "font-family: sans-serif; max-width: 44em"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, paragraphs, and bullet points."""

    heading: str
    lines: Sequence[str] = ()
    points: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MailMessage:
    """The content of an email; its subject makes sense without the body."""

    kind: MailKind
    subject: str
    sections: Sequence[Section]
    footer: str


def to_mail(message: MailMessage) -> Mail:
    """Return a message as an email for the outbox, redacted and without control characters."""
    subject = escape_control_characters(redact_text(message.subject, MAX_SUBJECT_LENGTH))
    return outbox.build_email(message.kind, subject, to_text(message), to_html(message))


def to_text(message: MailMessage) -> str:
    """Return a message as plain text."""
    blocks = []
    for section in message.sections:
        points = [f"  * {sanitize(point)}" for point in section.points]
        blocks.append("\n".join([sanitize(section.heading), *map(sanitize, section.lines), *points]))
    return "\n\n".join([*blocks, f"-- \n{sanitize(message.footer)}"]) + "\n"


def to_html(message: MailMessage) -> str:
    """Return a message as HTML; text is escaped, and text in backticks is shown as code."""
    blocks = []
    for section in message.sections:
        points = "".join(f"<li>{to_markup(point)}</li>" for point in section.points)
        blocks += [f"<h3>{to_markup(section.heading)}</h3>", *(f"<p>{to_markup(line)}</p>" for line in section.lines)]
        blocks += [f"<ul>{points}</ul>"] if points else []
    body = "\n".join([*blocks, f"<hr><p><small>{to_markup(message.footer)}</small></p>"])
    return f'<!doctype html>\n<html lang="en"><body style="{STYLE}">\n{body}\n</body></html>\n'


def to_markup(text: str) -> str:
    """Return text as HTML."""
    return CODE.sub(r"<code>\1</code>", escape(sanitize(text)))


def sanitize(text: str) -> str:
    """Return text redacted and on one line."""
    return escape_control_characters(redact_text(text))
