"""The budget of calls for child records, shared fairly between the resources of a run."""

import threading
from collections.abc import Collection
from math import ceil


def fair_share(remaining: int, sharing: int) -> int:
    """Return how many of the remaining calls one of `sharing` resources may make, so that the others get as many."""
    return ceil(max(0, remaining) / max(1, sharing))


class CallBudget:
    """Calls for child records that one run may make; None means no limit."""

    def __init__(self, calls: int | None = None, sharing: Collection[str] = ()) -> None:
        self._unlimited = calls is None
        self._unassigned = max(0, calls or 0)  # calls that belong to no resource's share
        self._pending = set(sharing)  # resources that have no share yet
        self._shares: dict[str, int] = {}
        self._lock = threading.Lock()

    def acquire(self, resource: str, wanted: int) -> int:
        """Return how many of the wanted calls a resource may make.

        They come out of the resource's share: an equal part of the calls that are left. When every resource has had its
        share, calls that others did not use are available too.
        """
        if self._unlimited:
            return wanted
        with self._lock:
            share = self._share_of(resource)
            if not self._pending and wanted > share:
                more = min(self._unassigned, wanted - share)
                self._unassigned -= more
                share += more
            granted = min(wanted, share)
            self._shares[resource] = share - granted
            return granted

    def release(self, resource: str) -> None:
        """Return the unused share of a resource to the other resources."""
        with self._lock:
            self._pending.discard(resource)
            self._unassigned += self._shares.pop(resource, 0)

    def _share_of(self, resource: str) -> int:
        """Return what is left of a resource's share, assigning the share on first use."""
        if resource in self._pending:
            share = fair_share(self._unassigned, len(self._pending))
            self._pending.discard(resource)
            self._unassigned -= share
            self._shares[resource] = share
        return self._shares.get(resource, 0)
