"""Microseconds a record spends in each stage of our own sync: in Python on one core, then in PostgreSQL."""

from collections.abc import Callable, Iterable
from itertools import chain

from benchmarks import targets
from benchmarks.candidates import FULL, OURS
from benchmarks.sample import MICROSECONDS, REQUESTED, Sample, each, microseconds, samples
from benchmarks.scene import cluster, page_server
from benchmarks.table import figure, markdown
from benchmarks.targets import Target
from benchmarks.trial import Book, staged
from etl.api.protocol import read
from etl.api.protocol import records as records_of
from etl.record import StagedRecord, decode
from etl.reshape.reshaper import Reshaper

CLEANING = Target("cleaning one record on one core, microseconds", 25, 15, falls=True)
CLEAN = "clean it and write it as COPY text"
#: Statements that are shown: those that take the most time.
SHOWN = 12
STATEMENTS = f"""
    SELECT array_agg(ARRAY[total_exec_time::text, calls::text, query] ORDER BY total_exec_time DESC), sum(total_exec_time)
    FROM (SELECT total_exec_time, calls, regexp_replace(query, '\\s+', ' ', 'g') AS query FROM pg_stat_statements
          JOIN pg_database ON pg_database.oid = dbid WHERE datname = current_database()
          ORDER BY total_exec_time DESC LIMIT {SHOWN}) AS statement
"""  # noqa: E501 (SQL)
MILLISECOND = 1e-3
WORDS = 90  #: characters of a statement that are shown


def stages(records: int) -> None:
    """Measure the stages and print them."""
    in_python(records // 2)
    in_postgres(records)


def in_python(records: int) -> None:
    """Print what the pure functions take."""
    found = {one.resource.name: of_sample(one, records) for one in samples(records)}
    header = ["stage, microseconds a record", *found]
    stages = next(iter(found.values()))
    print(markdown(header, ([stage, *(figure(times[stage]) for times in found.values())] for stage in stages)))
    print("\n" + targets.printed([(CLEANING, [times[CLEAN] for times in found.values()])]))


def of_sample(sample: Sample, number: int) -> dict[str, float]:
    """Return what each stage takes a record of one feed."""
    resource, endpoint = sample.resource, sample.resource.endpoints[0]

    def envelope(body: bytes) -> object:
        return read(sample.call, 200, {}, body)

    def split(page: object) -> object:
        return records_of(resource, endpoint, page, requested_at=REQUESTED)  # type: ignore[arg-type]

    pages = [read(sample.call, 200, {}, body) for body in sample.bodies]
    records = list(
        chain.from_iterable(records_of(resource, endpoint, one, requested_at=REQUESTED).records for one in pages)
    )
    reshape = Reshaper(resource, "benchmark", zone="UTC", strict=False)
    opened = [StagedRecord("0", one, decode(one.raw)) for one in records]
    timed: dict[str, tuple[Callable[..., object], Iterable[object]]] = {
        "open the envelope": (envelope, sample.bodies),
        "split into records, hash, read id and times": (split, pages),
        "decode it": (lambda one: decode(one.raw), records),
        CLEAN: (reshape, opened),
    }
    return {stage: microseconds(each(work, items), number) for stage, (work, items) in timed.items()}


def in_postgres(records: int) -> None:
    """Print what the statements of a full sync take, as the server counts them."""
    book = Book(records // 2, 1)
    with (
        page_server(book.records, book.changed) as server,
        cluster(shared_preload_libraries="pg_stat_statements") as postgres,
        staged(postgres, server, book, OURS) as stage,
    ):
        postgres.row("CREATE EXTENSION pg_stat_statements", stage.database)
        postgres.row("SELECT pg_stat_statements_reset()", stage.database)
        done = stage.run(OURS, FULL)
        statements, _ = postgres.row(STATEMENTS, stage.database)
    print(
        f"\nFull sync of {records:,} records: {figure(done.seconds * MICROSECONDS / records)} microseconds a record.\n"
    )
    rows = [
        [figure(float(took) * MILLISECOND * MICROSECONDS / records), calls, f"`{query[:WORDS]}`"]
        for took, calls, query in statements
    ]
    print(markdown(["microseconds a record", "calls", "statement"], rows))
