"""The first step: from the API into staging; what to ask, how to ask it, and every answer kept."""

from etl.extract.service import ExtractService

__all__ = ["ExtractService"]
