"""The log: one event, one line, to a file or to standard error, without secrets whoever writes it."""

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

from etl.config.redaction import conceal, on_one_line, redacted_event
from etl.config.settings import Settings

#: Libraries whose lesser messages quote statements, parameters and answers: heard only when something is wrong.
TALKATIVE = ("sqlalchemy", "psycopg", "aiohttp", "asyncio", "urllib3")
_MARK = "qqetl"


def configure_logging(settings: Settings) -> None:
    """Send every log message of the process, whoever writes it, through one redacting handler; may be called again.

    A log file that cannot be written is said so on standard error, which then takes the log.
    """
    conceal(*settings.secrets())
    handler, problem = _handler(settings.log_file)
    handler.setFormatter(_formatter(as_text=isinstance(handler, _Stderr) and sys.stderr.isatty()))
    handler.set_name(_MARK)
    root = logging.getLogger()
    for handler_before in [one for one in root.handlers if one.get_name() == _MARK]:
        root.removeHandler(handler_before)
        handler_before.close()
    root.addHandler(handler)
    root.setLevel(_level(settings, watched=isinstance(handler, _Stderr) and sys.stderr.isatty()))
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    _configure_structlog()
    if problem:
        structlog.stdlib.get_logger(__name__).warning("log file cannot be written", reason=problem)


def _level(settings: Settings, *, watched: bool) -> str:
    """Return the least weight of what is logged; whoever watches a terminal sees progress already, unless he asks."""
    return "WARNING" if watched and "log_level" not in settings.model_fields_set else settings.log_level


def _configure_structlog() -> None:
    """Have structlog hand its events to the standard library's loggers."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_FACTS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines are redacted also where nobody called `configure`: in somebody else's program."""
    wrapped: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.filter_by_level, *_FACTS, _pass_to_handler],
    )
    return wrapped


def _pass_to_handler(logger: WrappedLogger, method: str, event: EventDict) -> Any:
    """Return the event for our handler, which redacts it; as a redacted line where another program's handlers are."""
    if any(handler.get_name() == _MARK for handler in logging.getLogger().handlers):
        return structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, method, event)
    return text_line(
        logger, method, redact(logger, method, structlog.processors.format_exc_info(logger, method, event))
    )


def log_context(**fields: str) -> AbstractContextManager[Any]:
    """Have every log line of the block, whoever writes it, bear these facts: the batch, the request.

    They follow into tasks that the block begins, and into threads that run in a copy of its context.
    """
    return structlog.contextvars.bound_contextvars(**fields)


def add_log_fields(**fields: str) -> None:
    """Have every log line of this process bear these facts from now on."""
    structlog.contextvars.bind_contextvars(**fields)


_FACTS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _formatter(*, as_text: bool) -> logging.Formatter:
    """Return the formatter that redacts, for a person (text) or a program (JSON)."""
    render: Processor = text_line if as_text else structlog.processors.JSONRenderer(ensure_ascii=True, default=str)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_FACTS,
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
    return redacted_event(event)


def text_line(logger: WrappedLogger, method: str, event: Mapping[str, Any]) -> str:  # noqa: ARG001 (structlog's)
    """Return the event as one line for a person: time, level, what happened, then name=value."""
    rest = dict(event)
    rest.pop("logger", None)
    time, level, what = (str(rest.pop(key, "")) for key in ("timestamp", "level", "event"))
    words = [time[:19], f"{level:<8}", what, *(f"{key}={value}" for key, value in rest.items())]
    return on_one_line("  ".join(words))


class _Stderr(logging.StreamHandler[TextIO]):
    """Standard error as it stands when a message is written; a message that cannot be formatted costs one line."""

    @property
    def stream(self) -> TextIO:
        """The process's standard error of this moment."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Ignore what the base class would remember."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """Say that a message was lost; the standard way would print its arguments."""
        _lost(record)


class _LogFile(WatchedFileHandler):
    """A file for its owner alone, rotated from outside; a message that it cannot take goes to standard error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> Any:
        """Open the file for appending, made for its owner alone."""
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(descriptor, self.mode, encoding=self.encoding, errors=self.errors)  # noqa: PTH123 (a descriptor)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message; the base class lets the error of a folder that is gone through to whoever logs."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; what a full disk still does not take was written to standard error before."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class's name)
        """Write the message to standard error instead: the disk is full, or the folder is gone."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 (whatever a message does while it is formatted, the run goes on)
            _lost(record)


def _lost(record: logging.LogRecord) -> None:
    """Say on standard error that a message was lost, and whose, but not what it held."""
    with suppress(OSError, ValueError):
        sys.stderr.write(on_one_line(f"a log message of {record.name} could not be written") + "\n")


def _handler(path: Path | None) -> tuple[logging.Handler, str | None]:
    """Return the handler for the log file, or for standard error with the reason why it is not the file."""
    if path is None:
        return _Stderr(), None
    try:
        return _LogFile(path), None
    except OSError as error:
        return _Stderr(), f"LOG_FILE: {error.strerror}"
