"""The third step: clean rows into production, set-based, in dependency order, never a step back."""

from etl.load.service import LoadResults, LoadService
from etl.models import PRODUCTION
from etl.models.base import Model

#: The columns that, with the tenant, are unique in each production table. All of them hold the source id, which is
#: unique by itself, so that its index guards them all.
UNIQUE_CONSTRAINTS: dict[type[Model], list[str]] = {model: list(model.unique_columns) for model in PRODUCTION}

__all__ = ["UNIQUE_CONSTRAINTS", "LoadResults", "LoadService"]
