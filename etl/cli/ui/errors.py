"""Report an error as one line without a traceback, and return the exit status."""

import sys
import traceback

from etl.config.redaction import MAX_TRACEBACK_LENGTH, escape_control_characters, redact_text
from etl.errors import EtlError


def format_error(error: EtlError) -> str:
    """Return the message of an error without secrets; it may have several lines."""
    return "\n".join(escape_control_characters(line) for line in redact_text(str(error)).splitlines())


def print_error(text: str) -> None:
    """Print an error message to standard error."""
    sys.stderr.write(f"qqetl: {text}\n")


def report_error(error: Exception) -> int:
    """Print the error that ended a command, and return the exit status."""
    if isinstance(error, EtlError):
        print_error(format_error(error))
        return error.exit_status
    log_traceback(error)
    print_error(
        f"Unexpected error ({type(error).__name__}); details are in the log. "
        "Committed data is kept; `qqetl retry` resumes the batch. Please report this error."
    )
    return 1


def log_traceback(error: Exception) -> None:
    """Log the traceback of an unexpected error, redacted."""
    import structlog

    if structlog.is_configured():
        structlog.stdlib.get_logger("etl.cli").error("unexpected error", exc_info=error)
    else:
        sys.stderr.write(redact_text("".join(traceback.format_exception(error)), MAX_TRACEBACK_LENGTH))
