"""When a planned fault occurs: `name[:argument][@every]`, counted by request."""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

ALWAYS = "always"


@dataclass(slots=True)
class PlannedFault:
    """A planned fault of one server, and how often each request was made."""

    name: str
    argument: str
    every: int = 1
    _order: dict[str, int] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)
    _admitted: deque[float] = field(default_factory=deque)
    limit: Any = None  #: the state of a fault that counts calls in its own way

    def due(self, key: str, times: str | int = 1) -> bool:
        """Return whether the fault occurs now: for every nth request, the first `times` times it is made."""
        position = self._order.setdefault(key, len(self._order) + 1)
        asked = self._asked[key] = self._asked.get(key, 0) + 1
        return position % self.every == 0 and (times == ALWAYS or asked <= int(times))

    def admitted(self, now: float, seconds: float, most: int) -> bool:
        """Return whether one more call fits into the `most` calls that any period of this many seconds allows."""
        while self._admitted and self._admitted[0] <= now - seconds:
            self._admitted.popleft()
        if len(self._admitted) >= most:
            return False
        self._admitted.append(now)
        return True

    def asked(self, key: str) -> int:
        """Return how often a request was made."""
        return self._asked.get(key, 0)


def read(spec: str, defaults: dict[str, str]) -> PlannedFault:
    """Parse the text of a planned fault; ValueError names the mistake and lists the faults."""
    match = re.fullmatch(r"([a-z-]+)(?::([^@]*))?(?:@([1-9]\d*))?", spec.strip())
    if not match or match[1] not in defaults:
        names = ", ".join(defaults)
        raise ValueError(f"There is no fault {spec!r}. Write name[:argument][@every] with one of these names: {names}")
    name, argument, every = match.groups()
    if argument is not None and not defaults[name]:
        raise ValueError(f"The fault {name} takes no argument, but {spec!r} gives one.")
    fault = PlannedFault(name, argument or defaults[name], int(every or 1))
    _check(fault, defaults[name], spec)
    return fault


def _check(fault: PlannedFault, default: str, spec: str) -> None:
    """Raise ValueError for an argument that is not a number although the default is one."""
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", default) is not None
    if is_number and fault.argument not in {ALWAYS, "date", "null", "text", "negative"}:
        try:
            float(fault.argument)
        except ValueError:
            words = f"The fault {fault.name} takes a number such as {default}, but {spec!r} gives none."
            raise ValueError(words) from None
