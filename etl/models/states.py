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


#: The command of a dry run's batch.
DRY_RECONCILE = "reconcile --dry-run"
#: The command of a batch of the separate services.
EXTRACT = "extract"
#: Commands whose batches say nothing about how far a resource is read.
NOT_READING = ("replay", DRY_RECONCILE)

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


class CallOutcome(StrEnum):
    """What the newest call for the details of one parent said."""

    ANSWERED = "answered"  #: a list, be it empty, or an object
    NO_ANSWER = "no_answer"  #: neither: nothing is known of the parent's details, and nothing was changed
    NOT_FOUND = "not_found"  #: QQCatalyst no longer has the parent


class RawState(StrEnum):
    """What became of a raw row."""

    PENDING = "pending"  #: staged, not yet cleaned
    TRANSFORMED = "transformed"  #: cleaned, not yet loaded
    LOADED = "loaded"  #: processed by all steps; `loaded_at` is set if anything reached production
    VALIDATION_ERROR = "validation_error"  #: the data is bad: to be fixed at the source
    ERROR = "error"  #: the program failed; tried again


class FindingState(StrEnum):
    """The life of a finding."""

    OPEN = "open"
    FIXED = "fixed"  #: a newer version of the record no longer has it
    CLOSED = "closed"  #: the record is gone


class DriftState(StrEnum):
    """How one field of the raw JSON differs from before."""

    KNOWN = "known"  #: as it was, or declared
    NEW = "new"  #: not declared; staging keeps it
    LOST = "lost"  #: records had it, and none has it now
    RETYPED = "retyped"  #: its values have another JSON type
    EMPTIED = "emptied"  #: it had values, and is empty now; or a column that was empty from the first sync on
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
    STEPPED_BACK = "stepped_back"  #: a full read twice returned an older version than the stored one, which it replaced
    NO_ROW = "no_row"  #: of another kind than the table holds


class IncidentKind(StrEnum):
    """An incident that needs a person. It is reported once when it begins, and once when it is over."""

    RUN_FAILED = "run_failed"  #: runs end before they are complete
    CREDENTIALS_REFUSED = "credentials_refused"  #: QQCatalyst rejects the credentials
    RESOURCE_FAILED = "resource_failed"  #: its newest run failed
    BALANCE_OFF = "balance_off"  #: records were fetched and not counted, or announced records never came
    BRAKE_PULLED = "brake_pulled"  #: too many records disappeared at once; none were deleted
    STALE = "stale"  #: runs succeed, but the data is out of date
    DRIFT = "drift"  #: the format of the API's records changed


class MailKind(StrEnum):
    """What an email is about."""

    TROUBLE = "trouble"  #: an incident began
    OVER = "over"  #: an incident has ended
    DIGEST = "digest"  #: the business of a day
    TEST = "test"  #: a test of whether emails arrive


def listed(states: type[StrEnum]) -> str:
    """Return the members as an SQL list for a CHECK."""
    return ", ".join(f"'{state.value}'" for state in states)
