"""Reports a database outage without the database: once, remembered in a file in the data folder."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from etl.config.logs import get_logger
from etl.config.settings import Settings
from etl.database.embedded.paths import server_paths
from etl.errors import MailFailed
from etl.notifications import templates
from etl.notifications.detect import describe_error
from etl.notifications.mail_server import send_one
from etl.notifications.message import to_mail

log = get_logger(__name__)


def outage_file(settings: Settings) -> Path:
    """Return the file that records a database outage of an account."""
    return server_paths(settings.etl_data_dir).folder / f"database-trouble-{settings.etl_tenant}.json"


def mail_database_outage(settings: Settings, error: Exception) -> bool:
    """Send an email about a database outage, unless this outage was reported; return whether it was sent."""
    outage_note = outage_file(settings)
    if settings.etl_smtp_url is None or outage_start(outage_note) is not None:
        return False
    throttled = record_outage(outage_note)
    message = templates.database_down_message(settings.etl_tenant, describe_error(error), throttled=throttled)
    try:
        asyncio.run(send_one(settings, to_mail(message)))
    except MailFailed as failed:
        log.warning("email about the database not sent", reason=str(failed))
        outage_note.unlink(missing_ok=True)
        return False
    return True


def outage_start(outage_note: Path) -> datetime | None:
    """Return the start of the recorded outage; None without one."""
    try:
        return datetime.fromisoformat(json.loads(outage_note.read_text())["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record_outage(outage_note: Path) -> bool:
    """Record an outage that starts now; return whether the file could be written."""
    try:
        outage_note.parent.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        draft = outage_note.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"since": datetime.now(UTC).isoformat()}))
        draft.replace(outage_note)
    except OSError as error:
        log.warning("data folder is not writable", reason=error.strerror)
        return False
    return True


def clear_outage(outage_note: Path) -> None:
    """Delete the record of an outage that is over."""
    outage_note.unlink(missing_ok=True)
