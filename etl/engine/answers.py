"""Answers of the API on their way from the reader to the writer, with the place in the plan of each."""

import hashlib
from dataclasses import dataclass, replace

from etl.api.protocol import Answer, Call
from etl.ledger.children import Child
from etl.ledger.slices import Slice
from etl.reshape.rules import reading_rules


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer, and the place in the plan that it was asked for.

    Its body is left behind once its items are split off: they are the same bytes, and answers wait in numbers.
    """

    call: Call
    answer: Answer
    size: int
    digest: bytes
    slice: Slice | None = None
    child: Child | None = None


def fetched(call: Call, answer: Answer, place: Slice | None, child: Child | None) -> Fetched:
    """Return an answer with its place, its body weighed and left behind.

    The digest is of the items and of the way in which they are read: what the envelope says of the rest of the list
    does not bear on them.
    """
    digest = hashlib.blake2b(b"%d %d\n" % (call.endpoint, len(answer.page.items)), digest_size=16, key=reading_rules())
    digest.update(b"\n".join(answer.page.items))
    return Fetched(call, replace(answer, body=b""), len(answer.body), digest.digest(), place, child)


@dataclass(frozen=True, slots=True)
class Missed:
    """A child that gave no answer: it has vanished at the source, or its call failed."""

    child: Child
    vanished: bool
    reason: str
