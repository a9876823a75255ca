"""The load step: writes clean rows to production, set-based, in dependency order, never replacing a newer version."""

from etl.load.service import LoadResults, LoadService
from etl.models import PRODUCTION
from etl.models.base import Model

#: The columns that, with the tenant, are unique in each production table. Each list includes the source id, which is
#: unique within the tenant, so that its index enforces all of them.
UNIQUE_CONSTRAINTS: dict[type[Model], list[str]] = {model: list(model.unique_columns) for model in PRODUCTION}

__all__ = ["UNIQUE_CONSTRAINTS", "LoadResults", "LoadService"]
