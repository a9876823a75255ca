"""The second step: raw rows are cleaned and judged, and their findings kept."""

from etl.transform.service import TransformResults, TransformService

__all__ = ["TransformResults", "TransformService"]
