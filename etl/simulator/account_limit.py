"""The vendor's call limit: a number of calls a minute for the whole account, and a 401 for each call above it.

Written from what integrators report: 60 calls a minute, `Maximum admitted 60 requests per Minute` above it. The form
of the answer, and whether the window slides or begins with each minute, are not known: they can be chosen.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from etl.simulator.planned_faults import PlannedFault

_FORM = re.compile(r"(\d+)/(\d+(?:\.\d+)?)((?:,[a-z]+(?:=\d+)?)*)")
_WORDS = frozenset({"sliding", "fixed", "text", "json", "html", "empty"})
_UNITS = {1: "Second", 60: "Minute", 3600: "Hour"}


@dataclass(slots=True)
class AccountLimit:
    """The limit of one account: `CALLS/SECONDS[,fixed][,text|json|html|empty][,others=N]`."""

    calls: int
    seconds: float
    words: frozenset[str] = frozenset()
    others: int = 0  #: calls that another integration makes in each window, at even distances
    taken: deque[float] = field(default_factory=deque)
    taken_by_others: int = 0
    refused: int = 0
    _other_at: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit that a text describes; raises ValueError if the text has another form."""
        match = _FORM.fullmatch(text)
        words = match[3].split(",")[1:] if match else []
        options = {word.partition("=")[0]: word.partition("=")[2] for word in words}
        if match is None or not options.keys() <= _WORDS | {"others"} or not float(match[2]):
            raise ValueError(f"{text!r} is not a call limit. Write CALLS/SECONDS, then ,fixed ,text ,json ,html ,empty")
        return cls(int(match[1]), float(match[2]), frozenset(options), int(options.get("others") or 0))

    def admits(self, now: float) -> bool:
        """Count a call, and return whether it is within the limit."""
        self._let_others_call(now)
        took = self._take(now)
        self.refused += not took
        return took

    def _let_others_call(self, now: float) -> None:
        """Let the other integration make the calls that were due since the last look."""
        if not self.others:
            return
        self._other_at = now if self._other_at is None else self._other_at
        while self._other_at <= now:
            self.taken_by_others += self._take(self._other_at)
            self._other_at += self.seconds / self.others

    def _take(self, now: float) -> bool:
        """Take a call where the window has room for it; a refused one takes none."""
        begin = now - now % self.seconds if "fixed" in self.words else now - self.seconds
        while self.taken and self.taken[0] < begin:
            self.taken.popleft()
        if len(self.taken) >= self.calls:
            return False
        self.taken.append(now)
        return True

    def answer(self) -> web.Response:
        """Return the refusal of a call that is above the limit."""
        sentence = f"Maximum admitted {self.calls} requests per {_UNITS.get(int(self.seconds), 'Minute')}"
        if "empty" in self.words:
            return web.Response(status=401)
        if "json" in self.words:
            return web.json_response({"Message": f"{sentence}."}, status=401)
        if "html" in self.words:
            page = f"<html><head><title>401</title></head><body><h2>Unauthorized</h2><p>{sentence}</p></body></html>"
            return web.Response(status=401, text=page, content_type="text/html")
        return web.Response(status=401, text=sentence)


def account_limit(fault: PlannedFault, now: float) -> web.Response | None:
    """Answer 401 to what is above the limit of the account."""
    limit: AccountLimit = fault.limit
    return None if limit.admits(now) else limit.answer()
