"""Every state that something can be in, drawn once; the tables guard them with CHECKs."""

from enum import StrEnum


class BatchState(StrEnum):
    """How far a batch has come. It only moves forward; any working state may turn to `failed`, and back by a retry."""

    CREATED = "created"  #: its window is fixed, nothing was asked
    EXTRACTING = "extracting"  #: pages are being fetched and staged
    EXTRACTED = "extracted"  #: every page stands in staging
    TRANSFORMING = "transforming"  #: raw rows are being cleaned
    TRANSFORMED = "transformed"  #: every raw row is cleaned or refused
    LOADING = "loading"  #: clean rows are being upserted
    COMPLETED = "completed"  #: every offered resource is whole and balanced; written last
    FAILED = "failed"  #: stopped, resumable at the page where it stopped


#: The order in which a batch moves.
FORWARD = tuple(state for state in BatchState if state is not BatchState.FAILED)


class ResourceState(StrEnum):
    """How far one resource of a batch has come."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"  #: whole and balanced: its high-water mark has moved
    FAILED = "failed"  #: incomplete, refused or out of balance: its mark stays
    NOT_OFFERED = "not_offered"  #: the account does not have this unproven resource


#: How a resource ends well: nothing of it is left for this batch.
ENDED = (ResourceState.DONE, ResourceState.NOT_OFFERED)


class SliceState(StrEnum):
    """How far one slice (a stretch of days, or a whole list) of a resource has come."""

    PENDING = "pending"
    DONE = "done"  #: every page is staged, and the total agrees with the ids received


class RawState(StrEnum):
    """What became of a raw row."""

    PENDING = "pending"  #: staged, not yet cleaned
    TRANSFORMED = "transformed"  #: cleaned, not yet loaded
    LOADED = "loaded"  #: the steps are through with it; `loaded_at` says whether anything reached production
    VALIDATION_ERROR = "validation_error"  #: the data is bad: to be mended at the source
    ERROR = "error"  #: the machinery failed; tried again


class FindingState(StrEnum):
    """The life of a finding."""

    OPEN = "open"
    FIXED = "fixed"  #: a newer version of the record no longer has it
    CLOSED = "closed"  #: the record is gone


class DriftState(StrEnum):
    """What is the matter with one field of the raw JSON, beside how it was."""

    KNOWN = "known"  #: as it was, or declared
    NEW = "new"  #: nobody declared it; staging keeps it
    LOST = "lost"  #: records had it, and none has it now
    RETYPED = "retyped"  #: its values have another JSON type
    EMPTIED = "emptied"  #: it had values, and nothing stands in it now
    NEW_CODE = "new_code"  #: a coded field holds a code that was not seen before


class Outcome(StrEnum):
    """What became of one fetched record; the balance sheet counts each record exactly once."""

    INSERTED = "inserted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  #: equal to what is stored
    OUTSIDE_WINDOW = "outside_window"  #: changed at a time that this window does not cover
    OLDER = "older"  #: an older version than the one stored
    REFUSED = "refused"  #: cannot be trusted at all
    DUPLICATE = "duplicate"  #: came twice in this batch
    NO_ROW = "no_row"  #: of another kind than the table holds


class TroubleKind(StrEnum):
    """What a person has to see to. It is told once when it begins, and once when it is over."""

    RUN_FAILED = "run_failed"  #: runs end before their time
    CREDENTIALS_REFUSED = "credentials_refused"  #: QQCatalyst lets nobody in
    RESOURCE_FAILED = "resource_failed"  #: its newest run did not end well
    BALANCE_OFF = "balance_off"  #: records were fetched that nobody can account for, or announced ones never came
    BRAKE_PULLED = "brake_pulled"  #: so many records vanished at once that none was marked deleted
    STALE = "stale"  #: runs end well, and still it lags behind
    DRIFT = "drift"  #: the API's records look otherwise than before


class MailKind(StrEnum):
    """What a mail is about."""

    TROUBLE = "trouble"  #: something began
    OVER = "over"  #: something has ended
    DIGEST = "digest"  #: the business of a day
    TEST = "test"  #: whether mails arrive at all


def listed(states: type[StrEnum]) -> str:
    """Return the members as an SQL list for a CHECK."""
    return ", ".join(f"'{state.value}'" for state in states)
