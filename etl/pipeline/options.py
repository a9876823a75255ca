"""The options of a sync, and the windows that its plan gives each resource."""

from collections.abc import Mapping
from dataclasses import dataclass

from etl.window import Window


@dataclass(frozen=True)
class Options:
    """The options of a sync, except its window."""

    resources: tuple[str, ...] = ()
    full: bool = False  #: read everything, regardless of watermarks
    limit: int | None = None  #: read about this many records of each resource, and advance no watermark
    dry_sweep: bool = False  #: with `full`: load nothing, and report the records that QQCatalyst no longer has
    command: str = "sync"
    run: str | None = None  #: the name of a run that several tasks share


@dataclass(frozen=True)
class Plan:
    """The windows of a run, and the resources that the account does not offer, each with the reason."""

    windows: Mapping[str, Window]
    left_out: Mapping[str, str]

    @property
    def window(self) -> Window:
        """The window that spans all windows."""
        windows = list(self.windows.values())
        return Window(min(window.start for window in windows), max(window.end for window in windows))
