"""Pages in any order, cut in any way and repeated any number of times lead to one state of the tables."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from snapshots import OF_THE_RUN, TABLES
from sqlalchemy import Connection, Engine, text

from etl.api.protocol import Page, make_records
from etl.config.settings import Settings
from etl.ledger import batches
from etl.ledger.staging.classify import IncomingRecord
from etl.load.computed import refresh_computed_columns
from etl.models.states import Outcome
from etl.pipeline.stream import Stream
from etl.resources import CATALOGUE, find_resource
from etl.window import FIRST_INSTANT, Window

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(FIRST_INSTANT, START + timedelta(days=300))
#: Number of orders to try.
SEEDS = 8
#: Number of made-up histories, and of orders to try for each.
MADE_UP, ORDERS = 10, 4

Version = tuple[str, dict[str, Any]]
Pages = tuple[str, Sequence[dict[str, Any]]]


def instant(day: int) -> str:
    return f"{START + timedelta(days=day):%Y-%m-%dT%H:%M:%S}"


def contact(key: int, day: int, **facts: Any) -> Version:
    """Return a version of a contact."""
    times = {"CreatedOn": instant(-9), "DateLastModified": instant(day)}
    return "contacts", {"EntityID": key, "Status": "A", "DisplayName": f"C{key}", **times, **facts}


def policy(key: int, day: int, *fees: str, **facts: Any) -> Version:
    """Return a version of a policy with its fees."""
    times = {"CreatedOn": instant(-9), "DateLastModified": instant(day)}
    parts = [{"AgencyFeeName": fee, "Amount": 5, "AmountIsPercent": "False"} for fee in fees]
    whole = {"PolicyId": key, "PolicyNumber": f"P{key}", "CustomerId": 1, "Status": "A", "EffectiveDate": instant(0)}
    return "policies", {**whole, "PolicyAgencyFees": parts, "IsDeleted": False, **times, **facts}


def garage(key: int, day: int, *vehicles: int) -> Version:
    """Return a version of the insured items of a policy."""
    cars = [{"VehicleID": vehicle, "Make": "Make", "Year": 2000 + day} for vehicle in vehicles]
    return "vehicles", {"PolicyId": key, "CustomerId": 1, "DateLastModified": instant(day), "Vehicles": cars}


#: A small history at the source. Everything that can change does: numbers, owners, names, sets, deletions, and back
#: again; touches change only the time.
HISTORY: Sequence[Version] = (
    contact(1, 1, City="Rome"),
    contact(1, 2, City="Oslo"),
    contact(1, 3, City="Oslo"),
    contact(1, 4, City="Rome"),
    contact(2, 1, Status="D"),
    contact(2, 5, Status="A", City="Bonn"),
    contact(3, 2),
    policy(10, 1, "Filing", "Broker", CarrierId=7, WritingCarrier="Old name"),
    policy(10, 2, "Filing", PolicyNumber="Pending", CarrierId=7, WritingCarrier="Old name"),
    policy(10, 3, CustomerId=2),
    policy(10, 6, "Filing", "Broker", CustomerId=3),
    policy(11, 2, "Filing", IsDeleted=True, Status="D", CarrierId=8, WritingCarrier="A"),
    policy(11, 4, "Filing", Status="C", CarrierId=7, WritingCarrier="New name"),
    policy(12, 9, CustomerId=99, CarrierId=9, WritingCarrier="B"),
    garage(10, 1, 100, 101),
    garage(10, 2, 100),
    garage(10, 3),
    garage(10, 6, 101, 102),
    garage(11, 4, 103),
)


def made_up(dice: random.Random) -> list[Version]:
    """Return a history whose records refer to carriers, agents and customers by changing names."""

    def one_of(*choices: Any) -> Any:
        return dice.choice(choices)

    days = dice.sample(range(1, 200), 14)
    versions = [
        policy(
            one_of(10, 11, 12), day, "Filing",
            CarrierId=one_of(None, 0, 7, 8), WritingCarrier=one_of(None, "N/A", "Acme", "Apex", "Zenith"),
            MGAId=one_of(None, 8, 9), MGA=one_of(None, "Acme", "Coast"), AgentName=one_of(None, "Kim Lee", "Ana Ruiz"),
            CustomerId=one_of(1, 2, 99), CustomerName=one_of(None, "Lee, K.", "Lee, Kim"),
        )
        for day in days[:9]
    ]  # fmt: skip
    versions += [contact(one_of(1, 2), day, AgentName=one_of(None, "Kim Lee", "Al")) for day in days[9:]]
    return versions + [detail(number, dice) for number in dice.sample((20, 21, 22), 2)]


def detail(number: int, dice: random.Random) -> Version:
    """Return a child record of a policy, which has no date and one version."""
    people = {"AgentID": dice.choice((None, 512)), "AgentName": dice.choice(("Kim Lee", "Kim B. Lee")), "CSRName": "Al"}
    return "policy_details", {"PolicyDetailsID": number, "PolicyId": 10, "BusinessType": "N", **people}


class Bench:
    """An open transaction in which pages are written; it is rolled back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        settings = Settings(_env_file=None, qqcatalyst_client_id="a")
        self.batch = batches.build_batch(settings.etl_tenant, WINDOW, "rules", "sync", {})
        batches.create_batch(connection, self.batch, {declared.name: WINDOW for declared in CATALOGUE}, "test")
        self.stream = Stream(
            settings.cleaning, settings.etl_overlap, self.batch, {declared.name: WINDOW for declared in CATALOGUE}
        )

    def take(self, name: str, items: Sequence[dict[str, Any]]) -> None:
        """Take a page of one resource through all steps."""
        read_from = find_resource(name)
        page = Page([json.dumps(item).encode() for item in items])
        parsed = make_records(read_from, read_from.endpoints[0], page, requested_at=START + timedelta(days=200))
        arrivals = [IncomingRecord(record, None) for record in parsed.records]
        self.stream.process_records(self.connection, read_from, arrivals, parsed.sets)

    def end(self) -> None:
        """Run what follows the load of a run."""
        refresh_computed_columns(self.connection, self.batch.tenant, self.batch.id)

    def digest(self) -> dict[tuple[str, str], Any]:
        """Return the rows of every table without the values that belong to the run."""
        leave = [*OF_THE_RUN]
        query = "SELECT source_id, to_jsonb(r) - CAST(:leave AS text[]), deleted_at IS NOT NULL FROM public.{0} AS r"
        return {
            (table, row[0]): (row[1], row[2])
            for table in TABLES
            for row in self.connection.execute(text(query.format(table)), {"leave": leave})
        }

    def accounts(self) -> list[tuple[str, int, int]]:
        """Return the resources whose records are not all accounted for, with the fetched and the counted numbers."""
        counted = " + ".join(Outcome)
        query = f"SELECT resource, fetched, {counted} FROM etl.batch_resources WHERE fetched <> {counted}"
        return [tuple(row) for row in self.connection.execute(text(query))]


@pytest.fixture(scope="module", autouse=True)
def _without_pauses() -> None:
    """Need no API, and none of the folder's fixtures."""


def state(engine: Engine, pages: Sequence[Pages], dice: random.Random | None = None) -> dict[tuple[str, str], Any]:
    """Return the state in which pages leave empty tables; every record must be accounted for.

    With `dice`, a run may end after any page.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        bench = Bench(connection)
        for name, items in pages:
            bench.take(name, items)
            if dice is not None and dice.random() < 0.2:
                bench.end()
        assert bench.accounts() == []
        bench.end()
        rows = bench.digest()
        transaction.rollback()
    return rows


def cut(dice: random.Random, versions: Sequence[Version]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield versions in order as pages of random length, each of one resource."""
    page: list[dict[str, Any]] = []
    of = ""
    for name, item in versions:
        if page and (name != of or dice.random() < 0.4):
            yield of, page
            page = []
        of, page = name, [*page, item]
    yield of, page


def in_time(history: Iterable[Version] = HISTORY) -> list[Version]:
    """Return a history in the order in which it happened, with undated records at the end."""
    return sorted(history, key=lambda version: version[1].get("DateLastModified", "later"))


def shuffled(dice: random.Random, history: Sequence[Version] = HISTORY) -> list[Pages]:
    """Return a history in another order, cut into other pages, some of it twice."""
    versions = [*history, *dice.sample(history, dice.randint(0, len(history)))]
    dice.shuffle(versions)
    return list(cut(dice, versions))


def differing(wanted: dict[tuple[str, str], Any], actual: dict[tuple[str, str], Any]) -> list[Any]:
    """Return the rows in which two states differ."""
    keys = wanted.keys() | actual.keys()
    return [(key, wanted.get(key), actual.get(key)) for key in keys if wanted.get(key) != actual.get(key)]


def test_pages_in_any_order_cut_and_repeated_in_any_way_lead_to_one_state(engine: Engine) -> None:
    wanted = state(engine, [(name, [item]) for name, item in in_time()])
    assert len(wanted) > 12
    for seed in range(SEEDS):
        dice = random.Random(seed)
        assert differing(wanted, state(engine, shuffled(dice), dice)) == [], f"seed {seed}"


@pytest.mark.parametrize("seed", range(MADE_UP))
def test_placeholders_and_their_names_are_the_same_in_any_order(engine: Engine, seed: int) -> None:
    dice = random.Random(seed)
    history = made_up(dice)
    wanted = state(engine, [(name, [item]) for name, item in in_time(history)])
    for order in range(ORDERS):
        assert differing(wanted, state(engine, shuffled(dice, history), dice)) == [], f"seed {seed}, order {order}"


def test_a_placeholder_has_the_newest_name_and_is_removed_with_its_last_reference(
    engine: Engine,
) -> None:
    def standing(*versions: Version) -> list[tuple[str, str, str | None]]:
        rows = state(engine, [(name, [item]) for name, item in versions])
        return [(table, key, row.get("name") or row.get("display_name"))
                for (table, key), (row, _) in sorted(rows.items()) if row["is_placeholder"]]  # fmt: skip

    old = policy(10, 1, CarrierId=7, WritingCarrier="Old", MGAId=9, MGA="Coast", AgentName="Kim")
    assert standing(old) == [
        ("carriers", "7", "Old"), ("carriers", "9", "Coast"), ("contacts", "1", None), ("employees", "name:Kim", "Kim"),
    ]  # fmt: skip
    other = policy(11, 3, CarrierId=7, WritingCarrier="New")
    assert standing(old, other, policy(11, 2, CarrierId=7, WritingCarrier="Middle"))[0] == ("carriers", "7", "New")
    assert standing(old, policy(10, 2, CarrierId=7))[0] == ("carriers", "7", None), "no row has this name now"
    assert standing(old, policy(10, 2)) == [("contacts", "1", None)]
    agreed = [policy(10, 1, CarrierId=7, WritingCarrier="A"), policy(12, 9, CarrierId=7, WritingCarrier="A")]
    assert standing(*agreed, policy(11, 7, CarrierId=7, WritingCarrier="B"))[0] == ("carriers", "7", "A")


def test_repeated_old_pages_write_no_row(engine: Engine) -> None:
    lie = "SELECT concat(tableoid, xmin, ctid, updated_at) FROM public.{} ORDER BY 1"
    with engine.connect() as connection, connection.begin() as transaction:
        bench = Bench(connection)
        for name, item in in_time():
            bench.take(name, [item])
        bench.end()
        before = {table: connection.execute(text(lie.format(table))).all() for table in TABLES}
        for name, item in (*in_time(), *reversed(in_time())):
            bench.take(name, [item])
        assert {table: connection.execute(text(lie.format(table))).all() for table in TABLES} == before
        transaction.rollback()
