"""A book of business that provokes each check across records: rows that it hits, next to rows that it does not."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from etl.models import BillingRecord, Carrier, Contact, Model, Policy, Renewal, Termination
from etl.models.base import row_id
from etl.models.bookkeeping import sync_history
from etl.models.child_queue import child_queue

TENANT = "t"


TODAY = datetime.now(UTC).date()
FIRST, SECOND, THIRD = (uuid.UUID(int=number) for number in (1, 2, 3))
LONG_AGO, SOON = TODAY - timedelta(days=400), TODAY + timedelta(days=100)


def key(model: type[Model], source_id: str) -> uuid.UUID:
    return row_id(TENANT, model.__tablename__, source_id)


class Book:
    """Rows of one batch, inserted with as few words as possible."""

    def __init__(self, connection: Connection, batch: uuid.UUID = FIRST) -> None:
        self.connection = connection
        self.batch = batch

    def put(self, model: type[Model], source_id: str, **values: Any) -> None:
        defaults = {"id": key(model, source_id), "tenant": TENANT, "source_id": source_id, "etl_batch_id": self.batch}
        self.connection.execute(insert(model).values(**{**defaults, **values}))
        self.wrote(model.__tablename__)

    def wrote(self, table: str) -> None:
        history = {"batch_id": self.batch, "table_name": table}
        self.connection.execute(delete(sync_history).filter_by(**history))
        self.connection.execute(insert(sync_history).values(**history, updated=1))

    def change(self, model: type[Model], source_id: str, **values: Any) -> None:
        statement = update(model).where(model.id == key(model, source_id))
        self.connection.execute(statement.values(etl_batch_id=self.batch, **values))
        self.wrote(model.__tablename__)

    def contact(self, source_id: str, **values: Any) -> None:
        self.put(Contact, source_id, **{"status": "A", **values})

    def policy(self, source_id: str, contact: str = "1", prior: str | None = None, **values: Any) -> None:
        usual = {
            "contact_id": key(Contact, contact), "prior_policy_id": prior and key(Policy, prior), "status": "A",
            "policy_number": f"HO {source_id}77", "effective_date": LONG_AGO, "expiration_date": SOON,
        }  # fmt: skip
        self.put(Policy, source_id, **{**usual, **values})

    def renewal(self, source_id: str, prior: str, **values: Any) -> None:
        ends = {"policy_id": key(Policy, source_id), "prior_policy_id": key(Policy, prior)}
        usual = {"is_confirmed": True, "effective_date": LONG_AGO}
        self.put(Renewal, source_id, **{**ends, **usual, **values})

    def bill(self, source_id: str, contact: str = "1", **values: Any) -> None:
        usual = {
            "contact_id": key(Contact, contact), "policy_ids": ["1"], "is_payment": False, "is_credit": False,
            "is_voided": False,
        }  # fmt: skip
        self.put(BillingRecord, source_id, **{**usual, **values})

    def set_adjustments(self, policy: str, *, answered: bool, changed: bool = False) -> None:
        """Set whether the adjustments of a policy are outstanding or read."""
        values = {
            "tenant": TENANT, "resource": "adjustments", "parent_id": policy, "parent_raw_id": uuid.UUID(int=9),
            "priority": 1, "parent_version_at": TODAY, "due_at": TODAY, "changed": changed,
        }  # fmt: skip
        self.connection.execute(insert(child_queue).values(**values, covered_at=TODAY if answered else None))


def expiration_before_effective(book: Book) -> None:
    book.policy("hit", effective_date=SOON, expiration_date=LONG_AGO, status="E")
    book.policy("in-order")
    book.policy("of-no-day", expiration_date=LONG_AGO, status="E")
    book.policy("continuous", expiration_date=None)
    book.policy("deleted", effective_date=SOON, expiration_date=LONG_AGO, deleted_at=TODAY)


def active_but_expired(book: Book) -> None:
    book.policy("hit", effective_date=LONG_AGO, expiration_date=TODAY - timedelta(days=1))
    book.policy("expires-today", expiration_date=TODAY)
    book.policy("continuous", expiration_date=None)
    book.policy("expired", expiration_date=TODAY - timedelta(days=1), status="E")


def cancelled_without_termination(book: Book) -> None:
    for source_id in ("hit", "told", "not-asked-yet", "asked-again"):
        book.policy(source_id, status="C")
    book.set_adjustments("hit", answered=True)
    book.set_adjustments("told", answered=True)
    book.set_adjustments("not-asked-yet", answered=False)
    book.set_adjustments("asked-again", answered=True, changed=True)
    book.put(Termination, "77", policy_id=key(Policy, "told"))
    book.policy("active")
    book.set_adjustments("active", answered=True)


def renewal_without_prior(book: Book) -> None:
    book.put(Policy, "never-arrived", is_placeholder=True)
    book.policy("deleted", status="D", deleted_at=TODAY)
    book.policy("known")
    for source_id, prior in (("hit", "never-arrived"), ("hit-too", "deleted"), ("in-order", "known")):
        book.policy(source_id, prior=prior, effective_date=LONG_AGO)
        book.renewal(source_id, prior)


def renewal_unbound(book: Book) -> None:
    book.policy("prior", expiration_date=LONG_AGO, status="E")
    for source_id, status, values in (
        ("hit", "A", {"is_confirmed": False}),
        ("bound", "A", {}),
        ("to-come", "P", {"is_confirmed": False, "effective_date": SOON}),
        ("given-up", "C", {"is_confirmed": False}),
    ):
        book.policy(source_id, status=status)
        book.renewal(source_id, "prior", **values)


def term_gap(book: Book) -> None:
    book.policy("prior", expiration_date=LONG_AGO - timedelta(days=3), status="E")
    book.policy("cancelled", expiration_date=LONG_AGO - timedelta(days=3), status="C")
    book.policy("hit", prior="prior")
    book.policy("after-cancelled", prior="cancelled")
    book.policy("seamless", prior="prior", effective_date=LONG_AGO - timedelta(days=3))
    book.policy("pending", prior="prior", status="P")
    book.policy("first")


def term_overlap(book: Book) -> None:
    book.policy("prior", expiration_date=LONG_AGO + timedelta(days=3), status="E")
    book.policy("cancelled", expiration_date=LONG_AGO + timedelta(days=3), status="C")
    book.policy("hit", prior="prior")
    book.policy("after-cancelled", prior="cancelled")
    book.policy("seamless", prior="prior", effective_date=LONG_AGO + timedelta(days=3))
    book.policy("gone", prior="prior", status="C")


def same_number_two_contacts(book: Book) -> None:
    book.put(Carrier, "7")
    book.policy("hit", policy_number="PA 4711")
    book.policy("hit-too", "2", policy_number="PA 4711")
    book.contact("3")
    book.contact("4")
    book.policy("hit-zeros", policy_number="ho 0042-1789")
    book.policy("hit-joined", "2", policy_number="HO00421789")
    book.policy("hit-parted", "3", policy_number="HO-42-1789")
    book.policy("other-zeros", "4", policy_number="HO 42-01789")
    book.policy("next-term", "2", policy_number="PA 9911")
    book.policy("last-term", "2", policy_number="PA 9911")
    book.policy("one", policy_number="HO 5555")
    book.policy("of-another-carrier", "2", policy_number="HO 5555", carrier_id=key(Carrier, "7"))
    book.policy("word", policy_number="TBA")
    book.policy("word-too", "2", policy_number="TBA")
    book.policy("counted", policy_number="123456")
    book.policy("counted-too", "2", policy_number="123-456")
    book.policy("zeros", policy_number="0000")
    book.policy("zeros-too", "2", policy_number="000-000")


def placeholder_policy_number(book: Book) -> None:
    for number, wanted in enumerate(("TBA", "pending", "t.b.d.", "123456", "0000", "N/A")):
        book.policy(f"hit-{number}", policy_number=wanted)
    book.policy("real", policy_number="12345-HO")
    book.policy("short", policy_number="12")
    book.policy("none", policy_number=None)
    book.policy("not-issued", policy_number="TBA", status="P")


def policy_without_contact(book: Book) -> None:
    book.put(Contact, "never-arrived", is_placeholder=True)
    book.contact("deleted", deleted_at=TODAY)
    book.policy("hit", "never-arrived")
    book.policy("hit-too", "deleted")
    book.policy("over", "deleted", status="E")
    book.policy("in-order")


def zip_not_in_state(book: Book) -> None:
    for source_id, code, state in (
        ("hit", "33010", "NY"),
        ("in-order", "33010-1234", "FL"),
        ("either", "83414", "WY"),
        ("military", "09012", "AE"),
        ("canadian", "K1A 0B1", "ON"),
        ("no-such-prefix", "21300", "MD"),
        ("no-zip", None, "MD"),
        ("no-state", "33010", None),
    ):
        book.contact(source_id, zip=code, state=state)


def same_person_twice(book: Book) -> None:
    book.contact("11", display_name="Ward, Jo", email="jo@example.com", phone="+12295550174")
    book.contact("hit-by-mail", display_name="WARD, JO", email="jo@example.com")
    book.contact("hit-by-phone", display_name="Ward, Jo", phone="+12295550174")
    book.contact("same-house", display_name="Ward, Al", phone="+12295550174")
    book.contact("namesake", display_name="Ward, Jo")
    book.contact("deleted", display_name="Ward, Jo", email="jo@example.com", deleted_at=TODAY)


def invoice_not_adding_up(book: Book) -> None:
    book.bill("hit", amount=100, due=30, paid=60)
    book.bill("adds-up", "2", amount=100, due=40, paid=60)
    book.bill("payment", "2", amount=60, is_payment=True, due=1, paid=1)
    book.bill("voided", amount=100, due=30, paid=60, is_voided=True)
    book.bill("half-told", amount=100, due=30)


def payments_not_adding_up(book: Book) -> None:
    book.bill("a-hit", amount=100, due=40, paid=60)
    book.bill("a-payment", amount=20, is_payment=True)
    book.bill("a-void", amount=40, is_payment=True, is_voided=True)
    book.bill("b-adds-up", "2", amount=100, due=40, paid=60)
    book.bill("b-payment", "2", amount=20, is_payment=True)
    book.bill("b-second", "2", amount=40, is_payment=True)
    book.bill("c-unpaid", policy_ids=["9"], amount=10, due=10, paid=0)
    book.bill("d-of-no-policy", policy_ids=[], amount=10, due=0, paid=10)


PROVOKED: dict[str, Callable[[Book], None]] = {
    provoke.__name__.replace("_", "-"): provoke
    for provoke in (
        expiration_before_effective, active_but_expired, cancelled_without_termination, renewal_without_prior,
        renewal_unbound, term_gap, term_overlap, same_number_two_contacts, placeholder_policy_number,
        policy_without_contact, zip_not_in_state, same_person_twice, invoice_not_adding_up, payments_not_adding_up,
    )
}  # fmt: skip
