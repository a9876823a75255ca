"""The checks across records: which rows each of them hits and which it leaves alone, and the life of its findings."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from workbench import MIGRATED, cloned

from etl.checks import CHECKS, check
from etl.checks.running import Checked, look
from etl.database.connect import make_engine
from etl.database.embedded import EmbeddedPostgres
from etl.models import BillingRecord, Carrier, Contact, Model, Policy, Renewal, Termination
from etl.models.base import row_id
from etl.models.bookkeeping import check_runs, child_queue, findings, sync_history
from etl.observe.checks import hits, standings

TENANT = "t"
FIRST, SECOND, THIRD = (uuid.UUID(int=number) for number in (1, 2, 3))
TODAY = datetime.now(UTC).date()
LONG_AGO, SOON = TODAY - timedelta(days=400), TODAY + timedelta(days=100)


def key(model: type[Model], source_id: str) -> uuid.UUID:
    return row_id(TENANT, model.__tablename__, source_id)


class Book:
    """Rows of one batch, put in with as few words as possible."""

    def __init__(self, connection: Connection, batch: uuid.UUID = FIRST) -> None:
        self.connection = connection
        self.batch = batch

    def put(self, model: type[Model], source_id: str, **values: Any) -> None:
        own = {"id": key(model, source_id), "tenant": TENANT, "source_id": source_id, "etl_batch_id": self.batch}
        self.connection.execute(insert(model).values(**{**own, **values}))
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

    def asked(self, policy: str, *, answered: bool, changed: bool = False) -> None:
        """Let the adjustments of a policy be outstanding, or read."""
        values = {
            "tenant": TENANT, "resource": "terminations", "parent_id": policy, "parent_raw_id": uuid.UUID(int=9),
            "priority": 1, "parent_version_at": TODAY, "due_at": TODAY, "changed": changed,
        }  # fmt: skip
        self.connection.execute(insert(child_queue).values(**values, covered_at=TODAY if answered else None))


@pytest.fixture(scope="module")
def shelf(server: EmbeddedPostgres) -> Iterator[Engine]:
    """Give the database in which every test has its book for itself, and leaves nothing behind."""
    with cloned(server.url, MIGRATED) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def book(shelf: Engine) -> Iterator[Book]:
    """Give a book with two customers, inside a transaction that is rolled back."""
    with shelf.connect() as connection, connection.begin() as undone:
        made = Book(connection)
        made.contact("1", customer_number="C-1")
        made.contact("2")
        yield made
        undone.rollback()


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
    book.asked("hit", answered=True)
    book.asked("told", answered=True)
    book.asked("not-asked-yet", answered=False)
    book.asked("asked-again", answered=True, changed=True)
    book.put(Termination, "77", policy_id=key(Policy, "told"))
    book.policy("active")
    book.asked("active", answered=True)


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
    book.policy("next-term", "2", policy_number="PA 9911")
    book.policy("last-term", "2", policy_number="PA 9911")
    book.policy("one", policy_number="HO 5555")
    book.policy("of-another-carrier", "2", policy_number="HO 5555", carrier_id=key(Carrier, "7"))
    book.policy("word", policy_number="TBA")
    book.policy("word-too", "2", policy_number="TBA")
    book.policy("counted", policy_number="123456")
    book.policy("counted-too", "2", policy_number="123456")


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
    made.__name__.replace("_", "-"): made
    for made in (
        expiration_before_effective, active_but_expired, cancelled_without_termination, renewal_without_prior,
        renewal_unbound, term_gap, term_overlap, same_number_two_contacts, placeholder_policy_number,
        policy_without_contact, zip_not_in_state, same_person_twice, invoice_not_adding_up, payments_not_adding_up,
    )
}  # fmt: skip


def hit_by(book: Book, name: str) -> set[str]:
    return {one.source_id for one in hits(book.connection, TENANT, check(name))}


def states(book: Book, rule: str) -> dict[str, str]:
    query = select(findings.c.source_id, findings.c.state).where(findings.c.rule == rule)
    return {row.source_id: row.state for row in book.connection.execute(query)}


def run(book: Book, batch: uuid.UUID | None = None) -> dict[str, Checked]:
    return {one.check: one for one in look(book.connection, TENANT, batch or book.batch)}


def as_they_lie(connection: Connection) -> list[tuple[Any, ...]]:
    """Return which version of every finding stands where: a write of any kind shows."""
    query = "SELECT ctid, xmin, id FROM etl.findings UNION ALL SELECT ctid, xmin, 0 FROM etl.check_runs ORDER BY 1, 3"
    return [tuple(row) for row in connection.execute(text(query))]


def test_every_check_is_provoked() -> None:
    assert list(PROVOKED) == [one.name for one in CHECKS]


@pytest.mark.parametrize("name", PROVOKED)
def test_a_check_hits_what_it_speaks_of_and_nothing_else(book: Book, name: str) -> None:
    PROVOKED[name](book)
    wanted = {source_id for source_id in all_source_ids(book) if "hit" in source_id.split("-")}
    assert wanted
    assert hit_by(book, name) == wanted


def all_source_ids(book: Book) -> set[str]:
    models = (Contact, Policy, Renewal, BillingRecord)
    return {one for model in models for one in book.connection.execute(select(model.source_id)).scalars()}


@pytest.mark.parametrize("name", PROVOKED)
def test_hits_become_findings_of_the_resource_that_say_what_is_wrong(book: Book, name: str) -> None:
    PROVOKED[name](book)
    run(book)
    of = check(name)
    rows = book.connection.execute(select(findings).where(findings.c.rule == name)).all()
    told = {one.source_id: one.found for one in hits(book.connection, TENANT, of)}
    assert {row.source_id: row.message for row in rows} == told
    assert {(row.resource, row.table_name, row.field, row.severity, row.state, row.raw_value) for row in rows} == {
        (of.resource, of.table, of.field, of.severity, "open", None)
    }


@pytest.mark.parametrize("name", PROVOKED)
def test_a_second_run_writes_nothing(book: Book, name: str) -> None:
    PROVOKED[name](book)
    assert all(one.everything for one in run(book).values())
    before = as_they_lie(book.connection)
    again = run(book)
    assert not any(one.everything or one.new or one.fixed for one in again.values())
    assert as_they_lie(book.connection) == before


def test_a_finding_is_fixed_when_the_check_hits_no_more_and_opens_again_when_it_does(book: Book) -> None:
    active_but_expired(book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(Policy, "hit", status="E")
    assert run(later)["active-but-expired"].fixed == 1
    assert states(book, "active-but-expired") == {"hit": "fixed"}
    last = Book(book.connection, THIRD)
    last.change(Policy, "hit", status="A")
    assert run(last)["active-but-expired"].new == 1
    seen = select(findings.c.state, findings.c.times_seen).where(findings.c.rule == "active-but-expired")
    assert book.connection.execute(seen).one() == ("open", 2)


def test_the_finding_of_a_deleted_row_is_closed(book: Book) -> None:
    active_but_expired(book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(Policy, "hit", deleted_at=TODAY)
    run(later)
    assert states(book, "active-but-expired") == {"hit": "closed"}


@pytest.mark.parametrize(
    ("name", "model", "changed", "values"),
    [
        ("same-number-two-contacts", Policy, "hit", {"policy_number": "PA 1"}),
        ("term-gap", Policy, "prior", {"expiration_date": LONG_AGO}),
        ("policy-without-contact", Contact, "never-arrived", {"is_placeholder": False, "status": "A"}),
        ("same-person-twice", Contact, "11", {"email": "other@example.com"}),
        ("renewal-without-prior", Policy, "never-arrived",
         {"is_placeholder": False, "status": "A", "contact_id": key(Contact, "1")}),
        ("payments-not-adding-up", BillingRecord, "a-void", {"is_voided": False}),
    ],
)  # fmt: skip
def test_a_change_of_one_row_fixes_the_finding_of_another(
    book: Book, name: str, model: type[Model], changed: str, values: dict[str, Any]
) -> None:
    PROVOKED[name](book)
    run(book)
    later = Book(book.connection, SECOND)
    later.change(model, changed, **values)
    done = run(later)[name]
    assert not done.everything
    assert done.fixed > 0
    still_open = {source_id for source_id, state in states(book, name).items() if state == "open"}
    assert still_open == hit_by(book, name)


def test_a_batch_that_wrote_nothing_looks_at_nothing(book: Book) -> None:
    active_but_expired(book)
    run(book)
    assert run(book, SECOND) == {}


def test_on_another_day_everything_is_looked_at_although_nothing_was_written(book: Book) -> None:
    book.policy("1", expiration_date=TODAY - timedelta(days=1))
    run(book)
    book.connection.execute(delete(findings))
    book.connection.execute(update(check_runs).values(ran_at=TODAY - timedelta(days=1)))
    done = run(book, SECOND)
    assert set(done) == {one.name for one in CHECKS}
    assert states(book, "active-but-expired") == {"1": "open"}


def test_another_account_is_left_alone(book: Book) -> None:
    active_but_expired(book)
    assert list(hits(book.connection, "other", check("active-but-expired"))) == []
    assert {one.hits for one in look(book.connection, "other", FIRST)} == {0}
    assert states(book, "active-but-expired") == {}


def test_a_run_keeps_so_many_and_counts_the_rest(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.checks.running.CAP", 4)
    placeholder_policy_number(book)
    done = run(book)["placeholder-policy-number"]
    assert (done.hits, done.new, done.left_out) == (6, 4, 2)
    assert len(states(book, "placeholder-policy-number")) == 4
    counted = book.connection.execute(text("SELECT rule, found, left_out FROM etl.finding_counts")).one()
    assert counted == ("placeholder-policy-number", 6, 2)


def test_the_standing_of_a_check_tells_its_open_findings_and_its_last_look(book: Book) -> None:
    before = {one.check.name: one for one in standings(book.connection, TENANT)}
    assert list(before) == [one.name for one in CHECKS]
    assert before["term-gap"].ran_at is None
    term_gap(book)
    run(book)
    standing = {one.check.name: one for one in standings(book.connection, TENANT)}["term-gap"]
    assert standing.open == 1
    assert standing.ran_at is not None
    assert [one.found for one in hits(book.connection, TENANT, check("term-gap"), most=1)] == [
        f"begins on {LONG_AGO:%Y-%m-%d}, 3 days after the prior term ended"
    ]


policies = st.fixed_dictionaries({
    "status": st.sampled_from("ACDEP"),
    "policy_number": st.sampled_from([None, "TBA", "PA 4711", "111111"]),
    "effective_date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "expiration_date": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "contact": st.sampled_from("12"),
})  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(policies, min_size=1, max_size=5), st.lists(policies, min_size=1, max_size=5))
def test_whatever_changes_findings_are_what_the_checks_hit(
    book: Book, first: list[dict[str, Any]], then: list[dict[str, Any]]
) -> None:
    with book.connection.begin_nested() as undone:
        for number, values in enumerate(first):
            book.policy(str(number), prior=str(number - 1) if number else None, **values)
        run(book)
        later = Book(book.connection, SECOND)
        for number, values in enumerate(then[: len(first)]):
            contact = values["contact"]
            rest = {name: value for name, value in values.items() if name != "contact"}
            later.change(Policy, str(number), contact_id=key(Contact, contact), **rest)
        run(later)
        for one in CHECKS:
            still_open = {source_id for source_id, state in states(book, one.name).items() if state == "open"}
            assert still_open == hit_by(book, one.name), one.name
        before = as_they_lie(book.connection)
        run(later)
        assert as_they_lie(book.connection) == before
        undone.rollback()
