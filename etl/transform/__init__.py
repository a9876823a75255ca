"""The transform step: cleans raw rows, sets their status, and stores findings."""

from etl.transform.service import TransformResults, TransformService

__all__ = ["TransformResults", "TransformService"]
