"""The budget of calls for details: whoever is read has a fair share of it, however many are read side by side."""

import threading
from collections.abc import Collection
from math import ceil


def fair_share(left: int, sharing: int) -> int:
    """Return how many of the calls that are left one of so many may make, so that the others have theirs."""
    return ceil(max(0, left) / max(1, sharing))


class Budget:
    """Calls for details that one run may make; None: as many as there are."""

    def __init__(self, calls: int | None = None, sharing: Collection[str] = ()) -> None:
        self._unlimited = calls is None
        self._free = max(0, calls or 0)  # calls that are nobody's share
        self._to_come = set(sharing)  # who has not had a share
        self._shares: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, resource: str, wanted: int) -> int:
        """Return how many of the wanted calls a resource may make.

        They come out of its share, which is what is left by an equal number; and out of what others left over, once
        nobody is to come any more.
        """
        if self._unlimited:
            return wanted
        with self._lock:
            share = self._share(resource)
            if not self._to_come and wanted > share:
                more = min(self._free, wanted - share)
                self._free -= more
                share += more
            granted = min(wanted, share)
            self._shares[resource] = share - granted
            return granted

    def end(self, resource: str) -> None:
        """Leave to the others what a resource has not used of its share."""
        with self._lock:
            self._to_come.discard(resource)
            self._free += self._shares.pop(resource, 0)

    def _share(self, resource: str) -> int:
        """Return what is left of a resource's share, giving it one when it comes."""
        if resource in self._to_come:
            share = fair_share(self._free, len(self._to_come))
            self._to_come.discard(resource)
            self._free -= share
            self._shares[resource] = share
        return self._shares.get(resource, 0)
