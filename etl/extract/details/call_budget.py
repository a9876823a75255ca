"""The budget of calls for details. It never parts the calls of one parent: its details are whole or not read."""

from collections.abc import Sequence

from etl.ledger.children.queue import ChildRequest


class CallBudget:
    """Calls for details that one run may make; None means no limit."""

    def __init__(self, calls: int | None = None) -> None:
        self.left = calls
        self._is_unused = bool(calls)

    def take(self, requests: Sequence[ChildRequest]) -> Sequence[ChildRequest]:
        """Return the first requests that the budget has calls for, and take them out of it.

        If it has fewer calls than the first parent of a run needs, that parent is read nevertheless: otherwise no run
        would ever read anything.
        """
        if self.left is None:
            return requests
        permitted = limit_to_whole_parents(requests, self.left)
        if not permitted and self._is_unused:
            permitted = [request for request in requests if request.parent == requests[0].parent]
        self._is_unused = False
        self.left = max(0, self.left - len(permitted))
        return permitted


def limit_to_whole_parents(requests: Sequence[ChildRequest], most: int) -> Sequence[ChildRequest]:
    """Return the first requests, at most `most`, without a parent of whom only some would be among them."""
    if len(requests) <= most:
        return requests
    end = max(0, most)
    while end and requests[end - 1].parent == requests[end].parent:
        end -= 1
    return requests[:end]
