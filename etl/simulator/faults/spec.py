"""What a fault is: its name, its words, and the point of a request at which it strikes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Act = TypeVar("Act", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault by name. Where it strikes: `use`, `token`, `grant`, `request`, `page`, `answer`, `body` or `send`."""

    name: str
    words: str
    default: str  #: the argument when none is given; empty: it takes none
    strikes: str
    act: Callable[..., Any]


#: The faults by name, in the order in which their modules are imported.
FAULTS: dict[str, FaultSpec] = {}


def fault(strikes: str, words: str, default: str = "") -> Callable[[Act], Act]:
    """Return the decorator that makes a function a fault; its name is the function's, with hyphens."""

    def register(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        FAULTS[name] = FaultSpec(name, words, default, strikes, act)
        return act

    return register
