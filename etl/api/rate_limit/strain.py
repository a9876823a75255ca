"""Whether the API is under strain: its answers take far longer than they used to."""

from dataclasses import dataclass, field

#: Weights of the newest answer: in what is usual, in what has been of late, and where the usual falls.
USUAL, OF_LATE, FALLING = 0.01, 0.2, 0.1
#: Answers before the usual is known.
KNOWN = 20
#: Of late is strained from so many times the usual and so many seconds more on.
TIMES, MORE = 2.0, 0.25


@dataclass(slots=True)
class Times:
    """How long the answers of one resource take, in seconds."""

    usual: float
    of_late: float
    answers: int = 0

    def note(self, seconds: float) -> bool:
        """Take in an answer; tell whether answers have come to take far longer, which then becomes the usual."""
        self.answers += 1
        self.usual += (FALLING if seconds < self.usual else USUAL) * (seconds - self.usual)
        self.of_late += OF_LATE * (seconds - self.of_late)
        strained = self.answers > KNOWN and self.of_late > TIMES * self.usual and self.of_late > self.usual + MORE
        if strained:
            self.usual = self.of_late
        return strained


@dataclass(slots=True)
class Strain:
    """The times of all resources: a page of many records is no sign that one of few has become slow."""

    _times: dict[str, Times] = field(default_factory=dict)

    def note(self, resource: str, seconds: float) -> bool:
        """Take in how long an answer took; tell whether the API has come under strain."""
        return self._times.setdefault(resource, Times(seconds, seconds)).note(seconds)
