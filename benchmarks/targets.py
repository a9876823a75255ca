"""What the product means to reach, beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.table import figure, markdown, spread


@dataclass(frozen=True)
class Target:
    """A figure that the median of the rounds has to reach."""

    what: str
    least: float
    hoped: float
    falls: bool = False  #: the smaller the better

    def row(self, measured: Sequence[float]) -> list[str]:
        """Return the line of the table of targets."""
        bound, hope = ("at most", "at most") if self.falls else ("at least", "at least")
        middle = median(measured)
        met = middle <= self.least if self.falls else middle >= self.least
        hoped = middle <= self.hoped if self.falls else middle >= self.hoped
        verdict = "better than hoped" if hoped else "met" if met else "**not met**"
        return [self.what, f"{bound} {figure(self.least)}", f"{hope} {figure(self.hoped)}", spread(measured), verdict]


def printed(results: Sequence[tuple[Target, Sequence[float]]]) -> str:
    """Return the table of targets, leaving out those that were not measured."""
    rows = [target.row(measured) for target, measured in results if measured]
    return markdown(["target", "needed", "hoped for", "measured", ""], rows)
