"""All states, declared once; CHECK constraints of the tables enforce them."""

from enum import StrEnum


class BatchState(StrEnum):
    """How far a batch has come. It only moves forward; any active state may change to `failed`, and back on a retry."""

    CREATED = "created"  #: its window is fixed, no call was made yet
    EXTRACTING = "extracting"  #: pages are being fetched and staged
    EXTRACTED = "extracted"  #: every page is in staging
    TRANSFORMING = "transforming"  #: raw rows are being cleaned
    TRANSFORMED = "transformed"  #: every raw row is cleaned or refused
    LOADING = "loading"  #: clean rows are being upserted
    COMPLETED = "completed"  #: every offered resource is complete and balanced; written last
    FAILED = "failed"  #: stopped, resumable at the page where it stopped


#: The order in which a batch moves.
FORWARD = tuple(state for state in BatchState if state is not BatchState.FAILED)


class ResourceState(StrEnum):
    """How far one resource of a batch has come."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"  #: complete and balanced: its watermark was advanced
    FAILED = "failed"  #: incomplete, refused or out of balance: its watermark was not advanced
    NOT_OFFERED = "not_offered"  #: the account does not offer this undocumented resource


#: The states of a resource that is finished in this batch.
ENDED = (ResourceState.DONE, ResourceState.NOT_OFFERED)


class SliceState(StrEnum):
    """How far one slice (a range of days, or a whole list) of a resource has come."""

    PENDING = "pending"
    DONE = "done"  #: every page is staged, and the total agrees with the ids received


class RawState(StrEnum):
    """What became of a raw row."""

    PENDING = "pending"  #: staged, not yet cleaned
    TRANSFORMED = "transformed"  #: cleaned, not yet loaded
    LOADED = "loaded"  #: all steps are finished; `loaded_at` says whether anything reached production
    VALIDATION_ERROR = "validation_error"  #: the data is invalid: it has to be fixed in QQCatalyst
    ERROR = "error"  #: processing failed; it is retried


class FindingState(StrEnum):
    """The life of a finding."""

    OPEN = "open"
    FIXED = "fixed"  #: a newer version of the record no longer has it
    CLOSED = "closed"  #: the record is gone


class DriftState(StrEnum):
    """How one field of the raw JSON differs from before."""

    KNOWN = "known"  #: unchanged, or declared
    NEW = "new"  #: nobody declared it; staging keeps it
    LOST = "lost"  #: records had it, and none has it now
    RETYPED = "retyped"  #: its values have another JSON type
    EMPTIED = "emptied"  #: it had values, and is always empty now
    NEW_CODE = "new_code"  #: a coded field holds a code that was not seen before


class Outcome(StrEnum):
    """What happened to one fetched record; the balance counts each record exactly once."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  #: equal to what is stored
    OUTSIDE_WINDOW = "outside_window"  #: changed at a time outside of this window
    OLDER = "older"  #: an older version than the one stored
    REFUSED = "refused"  #: cannot be trusted at all
    DUPLICATE = "duplicate"  #: came twice in this batch
    NO_ROW = "no_row"  #: of another kind than the table holds


class TroubleKind(StrEnum):
    """Troubles that a person has to attend to. An email is sent when one begins, and another when it is resolved."""

    RUN_FAILED = "run_failed"  #: runs fail
    CREDENTIALS_REFUSED = "credentials_refused"  #: QQCatalyst rejects the credentials
    RESOURCE_FAILED = "resource_failed"  #: it failed in the newest run
    BALANCE_OFF = "balance_off"  #: fetched records are not accounted for, or fewer records were returned than reported
    BRAKE_PULLED = "brake_pulled"  #: too many records disappeared at once; none were deleted
    STALE = "stale"  #: runs succeed, but the data is not up to date
    DRIFT = "drift"  #: the fields of the API's records changed


class MailKind(StrEnum):
    """What an email is about."""

    TROUBLE = "trouble"  #: something began
    OVER = "over"  #: something has ended
    DIGEST = "digest"  #: the daily summary
    TEST = "test"  #: a test of the email settings


def listed(states: type[StrEnum]) -> str:
    """Return the members as an SQL list for a CHECK."""
    return ", ".join(f"'{state.value}'" for state in states)
