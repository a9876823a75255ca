"""The product's performance targets, compared with measurements."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.table import figure, markdown, spread


@dataclass(frozen=True)
class Target:
    """A value that the median of the rounds must reach, and a better one that is hoped for."""

    what: str
    least: float
    hoped: float
    falls: bool = False  #: smaller is better

    def row(self, measured: Sequence[float]) -> list[str]:
        """Return the table row of the target."""
        bound, hope = ("at most", "at most") if self.falls else ("at least", "at least")
        middle = median(measured)
        met = middle <= self.least if self.falls else middle >= self.least
        hoped = middle <= self.hoped if self.falls else middle >= self.hoped
        verdict = "better than hoped" if hoped else "met" if met else "**not met**"
        return [self.what, f"{bound} {figure(self.least)}", f"{hope} {figure(self.hoped)}", spread(measured), verdict]


def format_results(results: Sequence[tuple[Target, Sequence[float]]]) -> str:
    """Return the table of the targets that were measured."""
    rows = [target.row(measured) for target, measured in results if measured]
    return markdown(["target", "required", "hoped for", "measured", ""], rows)
