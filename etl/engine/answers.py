"""Answers of the API on their way from the reader to the page writer, each with its slice or parent."""

import hashlib
from dataclasses import dataclass, replace

from etl.api.protocol import Answer, Call
from etl.ledger.children.queue import ChildRequest
from etl.ledger.slices import Slice
from etl.models.states import CallOutcome
from etl.reshape.rules import reading_rules


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """One answer, and the slice or parent that it was requested for.

    Its body is dropped after its items are split off: both hold the same bytes, and many answers wait at once.
    """

    call: Call
    answer: Answer
    size: int
    digest: bytes
    slice: Slice | None = None
    child: ChildRequest | None = None


def to_fetched_page(call: Call, answer: Answer, page_slice: Slice | None, child: ChildRequest | None) -> FetchedPage:
    """Return an answer with its slice or parent, its size and its digest, without its body.

    The digest covers the items (no list is not an empty list) and the rules for reading them; what the envelope says
    about the rest of the list has no effect on them.
    """
    number = -1 if answer.page.says_nothing else len(answer.page.items)
    digest = hashlib.blake2b(b"%d %d\n" % (call.endpoint, number), digest_size=16, key=reading_rules())
    digest.update(b"\n".join(answer.page.items))
    return FetchedPage(call, replace(answer, body=b""), len(answer.body), digest.digest(), page_slice, child)


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """A child call without a usable answer: the parent no longer exists in QQCatalyst, or the call failed."""

    child: ChildRequest
    reason: str
    outcome: CallOutcome | None = None  #: what the API said, if it said anything
    is_call_failure: bool = False  #: whether the API failed at this very call, while it may answer others

    @property
    def not_found(self) -> bool:
        """Whether the parent no longer exists."""
        return self.outcome is CallOutcome.NOT_FOUND
