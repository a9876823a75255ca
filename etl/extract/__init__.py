"""The extract step: reads the resources of a window from the API into staging."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etl.extract.service import ExtractService

__all__ = ["ExtractService"]


def __getattr__(name: str) -> Any:
    """Import the service on first use, so that processes that only load do not import the API client."""
    if name in __all__:
        from etl.extract import service  # noqa: PLC0415 (see above)

        return getattr(service, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
