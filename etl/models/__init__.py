"""The data model: the production tables as classes, the staging tables and the bookkeeping tables."""

from collections.abc import Iterator

from etl.models import api_access, bookkeeping, child_queue, commits, history, links, notifications, staging
from etl.models.activities import Endorsement, Note, Task
from etl.models.base import Model
from etl.models.claims import Claim
from etl.models.contact_details import ContactAddress, ContactEmail, ContactPhone, CustomerDetails
from etl.models.core import Agency, Carrier, Contact, Department, Employee, Location
from etl.models.documents import AcordForm, Document
from etl.models.financial import BillingRecord, Commission, CommissionRule, Fee
from etl.models.products import Adjustment, Application, Policy, PolicyDetail, Quote, Renewal, Termination
from etl.models.risks import Coverage, Driver, Equipment, Vehicle

#: The files that hold production tables, in the order in which the tables are listed.
SUBJECTS = ("core", "products", "risks", "claims", "financial", "documents", "contact_details", "activities")


def subclasses(model: type[Model]) -> Iterator[type[Model]]:
    """Yield the classes below a model, in the order in which they were defined."""
    for subclass in model.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


#: Every production table, in the order in which the classes are defined. Of two tables that refer to each other, the
#: first in this order loads first.
PRODUCTION: tuple[type[Model], ...] = tuple(
    sorted(
        (model for model in subclasses(Model) if "__abstract__" not in vars(model)),
        key=lambda model: SUBJECTS.index(model.__module__.rpartition(".")[2]),
    )
)

#: The earlier versions of each production table's rows; which tables keep them is a setting.
PAST = {model: history.past_of(model) for model in PRODUCTION}


def load_order() -> tuple[type[Model], ...]:
    """Return the production tables so that each follows the tables it refers to.

    In a cycle (an employee has a department, a department a manager), the first table in PRODUCTION comes first.
    """
    waiting = list(PRODUCTION)
    order: list[type[Model]] = []
    while waiting:
        names = {model.__tablename__ for model in waiting}
        free = (model for model in waiting if not targets(model) & names)
        chosen = next(free, waiting[0])
        waiting.remove(chosen)
        order.append(chosen)
    return tuple(order)


def targets(model: type[Model]) -> set[str]:
    """Return the names of the other tables that a table refers to."""
    return {key.column.table.name for key in model.__table__.foreign_keys} - {model.__tablename__}


__all__ = [
    "PAST",
    "PRODUCTION",
    "AcordForm",
    "Adjustment",
    "Agency",
    "Application",
    "BillingRecord",
    "Carrier",
    "Claim",
    "Commission",
    "CommissionRule",
    "Contact",
    "ContactAddress",
    "ContactEmail",
    "ContactPhone",
    "Coverage",
    "CustomerDetails",
    "Department",
    "Document",
    "Driver",
    "Employee",
    "Endorsement",
    "Equipment",
    "Fee",
    "Location",
    "Model",
    "Note",
    "Policy",
    "PolicyDetail",
    "Quote",
    "Renewal",
    "Task",
    "Termination",
    "Vehicle",
    "api_access",
    "bookkeeping",
    "child_queue",
    "commits",
    "history",
    "links",
    "load_order",
    "notifications",
    "staging",
]
