"""Time per record in each stage of our sync: in Python on one core, then in PostgreSQL."""

from collections.abc import Callable, Iterable
from itertools import chain

from benchmarks import targets
from benchmarks.candidates import FULL, OURS
from benchmarks.sample import MICROSECONDS, REQUESTED, Sample, apply_to_all, load_samples, microseconds
from benchmarks.servers import cluster, page_server
from benchmarks.steps import Book, open_stage
from benchmarks.table import figure, markdown
from benchmarks.targets import Target
from etl.api.protocol import make_records as records_of
from etl.api.protocol import read_page
from etl.record import StagedRecord, decode
from etl.reshape.reshaper import Reshaper

CLEANING = Target("cleaning one record on one core, microseconds", 25, 15, falls=True)
CLEAN = "clean it and write it as COPY text"
#: How many of the slowest statements are shown.
SHOWN = 12
STATEMENTS = f"""
    SELECT array_agg(ARRAY[total_exec_time::text, calls::text, query] ORDER BY total_exec_time DESC), sum(total_exec_time)
    FROM (SELECT total_exec_time, calls, regexp_replace(query, '\\s+', ' ', 'g') AS query FROM pg_stat_statements
          JOIN pg_database ON pg_database.oid = dbid WHERE datname = current_database()
          ORDER BY total_exec_time DESC LIMIT {SHOWN}) AS statement
"""  # noqa: E501 (SQL)
MILLISECOND = 1e-3
WORDS = 90  #: maximum characters of a statement


def measure_stages(records: int) -> None:
    """Measure the stages and print them."""
    measure_python(records // 2)
    measure_postgres(records)


def measure_python(records: int) -> None:
    """Print the time of the pure functions."""
    times_by_feed = {sample.resource.name: time_stages(sample, records) for sample in load_samples(records)}
    header = ["stage, microseconds per record", *times_by_feed]
    measure_stages = next(iter(times_by_feed.values()))
    print(
        markdown(
            header, ([stage, *(figure(times[stage]) for times in times_by_feed.values())] for stage in measure_stages)
        )
    )
    print("\n" + targets.format_results([(CLEANING, [times[CLEAN] for times in times_by_feed.values()])]))


def time_stages(sample: Sample, number: int) -> dict[str, float]:
    """Return the time per record of each stage for one feed."""
    resource, endpoint = sample.resource, sample.resource.endpoints[0]

    def envelope(body: bytes) -> object:
        return read_page(sample.call, 200, {}, body)

    def split(page: object) -> object:
        return records_of(resource, endpoint, page, requested_at=REQUESTED)  # type: ignore[arg-type]

    pages = [read_page(sample.call, 200, {}, body) for body in sample.bodies]
    records = list(
        chain.from_iterable(records_of(resource, endpoint, page, requested_at=REQUESTED).records for page in pages)
    )
    reshape = Reshaper(resource, "benchmark", zone="UTC", strict=False)
    staged_records = [StagedRecord("0", record, decode(record.raw)) for record in records]
    timed: dict[str, tuple[Callable[..., object], Iterable[object]]] = {
        "open the envelope": (envelope, sample.bodies),
        "split into records, hash, read id and times": (split, pages),
        "decode it": (lambda record: decode(record.raw), records),
        CLEAN: (reshape, staged_records),
    }
    return {stage: microseconds(apply_to_all(work, items), number) for stage, (work, items) in timed.items()}


def measure_postgres(records: int) -> None:
    """Print the time of the statements of a full sync, as the server counts it."""
    book = Book(records // 2, 1)
    with (
        page_server(book.records, book.changed) as server,
        cluster(shared_preload_libraries="pg_stat_statements") as postgres,
        open_stage(postgres, server, book, OURS) as stage,
    ):
        postgres.row("CREATE EXTENSION pg_stat_statements", stage.database)
        postgres.row("SELECT pg_stat_statements_reset()", stage.database)
        outcome = stage.run(OURS, FULL)
        statements, _ = postgres.row(STATEMENTS, stage.database)
    print(
        f"\nFull sync of {records:,} records: "
        f"{figure(outcome.seconds * MICROSECONDS / records)} microseconds per record.\n"
    )
    rows = [
        [figure(float(took) * MILLISECOND * MICROSECONDS / records), calls, f"`{query[:WORDS]}`"]
        for took, calls, query in statements
    ]
    print(markdown(["microseconds per record", "calls", "statement"], rows))
