"""The first step: from the API into staging; what to ask, how to ask it, and every answer kept."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl.extract.service import ExtractService

__all__ = ["ExtractService"]


def __getattr__(name: str) -> Any:
    """Import the service when it is asked for: the processes that load do without the client of the API."""
    if name in __all__:
        from etl.extract import service  # noqa: PLC0415 (see above)

        return getattr(service, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
