"""From an error to what a person reads of it, and to the exit status: one clear line, and no traceback."""

import sys
import traceback

from etl.config.redaction import LONGEST_TRACE, on_one_line, redacted
from etl.errors import EtlError


def told(error: EtlError) -> str:
    """Return what an error says, without secrets; it may quote several lines of another program."""
    return "\n".join(on_one_line(line) for line in redacted(str(error)).splitlines())


def complain(words: str) -> None:
    """Write a complaint to standard error."""
    sys.stderr.write(f"qqetl: {words}\n")


def failed(error: Exception) -> int:
    """Tell of the error that ended a command, and return the exit status."""
    if isinstance(error, EtlError):
        complain(told(error))
        return error.exit_status
    keep_trace(error)
    complain(
        f"An error that was not foreseen ({type(error).__name__}) ended the command; the log has the details. "
        "What was committed stays; `qqetl retry` goes on from there. Please report it."
    )
    return 1


def keep_trace(error: Exception) -> None:
    """Log where an error of our own came from, redacted as all that is logged."""
    import structlog

    if structlog.is_configured():
        structlog.stdlib.get_logger("etl.cli").error("unforeseen error", exc_info=error)
    else:
        sys.stderr.write(redacted("".join(traceback.format_exception(error)), LONGEST_TRACE))
