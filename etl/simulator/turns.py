"""When a planned fault strikes: `name[:argument][@every]`, counted by what is asked for."""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

ALWAYS = "always"


@dataclass(slots=True)
class Turn:
    """A fault as it was planned for one server, and how often each thing has been asked for since."""

    name: str
    argument: str
    every: int = 1
    _order: dict[str, int] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)
    _admitted: deque[float] = field(default_factory=deque)
    limit: Any = None  #: the state of a fault that counts calls in its own way

    def due(self, key: str, times: str | int = 1) -> bool:
        """Tell whether the fault strikes now: each nth thing that is asked for, at its first `times` askings."""
        place = self._order.setdefault(key, len(self._order) + 1)
        asked = self._asked[key] = self._asked.get(key, 0) + 1
        return place % self.every == 0 and (times == ALWAYS or asked <= int(times))

    def admitted(self, now: float, seconds: float, most: int) -> bool:
        """Tell whether there is room for one more among the `most` that any stretch of so many seconds may hold."""
        while self._admitted and self._admitted[0] <= now - seconds:
            self._admitted.popleft()
        if len(self._admitted) >= most:
            return False
        self._admitted.append(now)
        return True

    def asked(self, key: str) -> int:
        """Return how often a thing has been asked for."""
        return self._asked.get(key, 0)


def read(spec: str, defaults: dict[str, str]) -> Turn:
    """Return the fault that a text plans; ValueError names what is wrong with the text and which faults there are."""
    found = re.fullmatch(r"([a-z-]+)(?::([^@]*))?(?:@([1-9]\d*))?", spec.strip())
    if not found or found[1] not in defaults:
        known = ", ".join(defaults)
        raise ValueError(f"There is no fault {spec!r}. Write name[:argument][@every] with one of these names: {known}")
    name, argument, every = found.groups()
    if argument is not None and not defaults[name]:
        raise ValueError(f"The fault {name} takes no argument, but {spec!r} gives one.")
    turn = Turn(name, argument or defaults[name], int(every or 1))
    _check(turn, defaults[name], spec)
    return turn


def _check(turn: Turn, default: str, spec: str) -> None:
    """Refuse an argument that is no number where the default is one."""
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", default) is not None
    if is_number and turn.argument not in {ALWAYS, "date", "null", "text", "negative"}:
        try:
            float(turn.argument)
        except ValueError:
            words = f"The fault {turn.name} takes a number such as {default}, but {spec!r} gives none."
            raise ValueError(words) from None
