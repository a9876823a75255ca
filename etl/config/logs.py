"""Logging: one line per event, to a file or to standard error, always redacted."""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from etl.config.options import LogOptions
from etl.config.redaction import escape_control_characters, hide_secrets, redact_event

#: Libraries whose lower-level messages quote statements, parameters and responses: only warnings and errors are logged.
NOISY_LIBRARIES = ("sqlalchemy", "psycopg", "aiohttp", "asyncio", "urllib3")
_HANDLER_NAME = "qqetl"


def configure_logging(options: LogOptions) -> None:
    """Send every log message of the process through one redacting handler; may be called again.

    If the log file cannot be written, the log goes to standard error, with a warning.
    """
    hide_secrets(*options.secrets)
    handler, problem = _make_handler(options.file)
    handler.setFormatter(_make_formatter(as_text=isinstance(handler, _Stderr) and sys.stderr.isatty()))
    handler.set_name(_HANDLER_NAME)
    root = logging.getLogger()
    for old_handler in [h for h in root.handlers if h.get_name() == _HANDLER_NAME]:
        root.removeHandler(old_handler)
        old_handler.close()
    root.addHandler(handler)
    root.setLevel(_log_level(options, to_terminal=isinstance(handler, _Stderr) and sys.stderr.isatty()))
    for name in NOISY_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    _configure_structlog()
    if problem:
        structlog.stdlib.get_logger(__name__).warning("log file cannot be written", reason=problem)


def _log_level(options: LogOptions, *, to_terminal: bool) -> str:
    """Return the minimum log level: WARNING on a terminal, which shows progress, unless LOG_LEVEL is set."""
    return "WARNING" if to_terminal and not options.is_level_set else options.level


def _configure_structlog() -> None:
    """Make structlog pass its events to the standard library's loggers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines are redacted even without `configure_logging`, as in another program."""
    wrapped: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.filter_by_level, *_COMMON_PROCESSORS, _pass_to_handler],
    )
    return wrapped


def _pass_to_handler(logger: WrappedLogger, method: str, event: EventDict) -> Any:
    """Return the event for our handler, which redacts it; return a redacted line for another program's handlers."""
    if any(handler.get_name() == _HANDLER_NAME for handler in logging.getLogger().handlers):
        return structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, method, event)
    return render_text(
        logger, method, redact(logger, method, structlog.processors.format_exc_info(logger, method, event))
    )


def log_context(**fields: str) -> AbstractContextManager[Any]:
    """Add these fields, such as batch and request, to every log line of the block.

    They apply to tasks that the block starts, and to threads that run in a copy of its context.
    """
    return structlog.contextvars.bound_contextvars(**fields)


def add_log_fields(**fields: str) -> None:
    """Add these fields to every log line of this process from now on."""
    structlog.contextvars.bind_contextvars(**fields)


_COMMON_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _make_formatter(*, as_text: bool) -> logging.Formatter:
    """Return the redacting formatter, as text for a person or as JSON for a program."""
    render: Processor = render_text if as_text else structlog.processors.JSONRenderer(ensure_ascii=True, default=str)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_COMMON_PROCESSORS,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            redact,
            render,
        ],
    )


def redact(logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> EventDict:  # noqa: ARG001 (structlog's)
    """Return the event without secrets and personal data."""
    return redact_event(event)


def render_text(logger: WrappedLogger, method: str, event: Mapping[str, Any]) -> str:  # noqa: ARG001 (structlog's)
    """Return the event as one line of text: time, level, event, then name=value."""
    fields = dict(event)
    fields.pop("logger", None)
    time, level, event_name = (str(fields.pop(key, "")) for key in ("timestamp", "level", "event"))
    parts = [time[:19], f"{level:<8}", event_name, *(f"{key}={value}" for key, value in fields.items())]
    return escape_control_characters("  ".join(parts))


class _Stderr(logging.StreamHandler[TextIO]):
    """The current standard error; a message that cannot be formatted is reported in one line."""

    @property
    def stream(self) -> TextIO:
        """The process's current standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Ignore the stream that the base class would store."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """Report that a message was lost; the base class would print its arguments."""
        _report_lost_message(record)


class _LogFile(WatchedFileHandler):
    """A log file readable only by its owner, rotated externally; unwritable messages go to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        """Open the file for appending; only its owner can read a new one."""
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(descriptor, self.mode, encoding=self.encoding, errors=self.errors)  # noqa: PTH123 (a descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message; the base class would raise in the caller if the folder was deleted."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; messages that a full disk refused were written to standard error before."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """Write the message to standard error: the disk is full, or the folder was deleted."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 (a message that cannot be formatted must not stop the run)
            _report_lost_message(record)


def _report_lost_message(record: logging.LogRecord) -> None:
    """Report on standard error that a message was lost, with its logger but without its content."""
    with suppress(OSError, ValueError):
        sys.stderr.write(escape_control_characters(f"a log message of {record.name} could not be written") + "\n")


def _make_handler(path: Path | None) -> tuple[logging.Handler, str | None]:
    """Return the handler for the log file, or for standard error with the reason why the file cannot be used."""
    if path is None:
        return _Stderr(), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _LogFile(path), None
    except OSError as error:
        return _Stderr(), f"LOG_FILE: {error.strerror}"
