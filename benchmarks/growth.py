"""Growth of our sync's time and memory with the number of records and the number of earlier batches."""

from collections.abc import Sequence
from statistics import median

from benchmarks import targets
from benchmarks.candidates import CHANGE, FULL, OURS
from benchmarks.servers import Cluster, cluster, page_server
from benchmarks.steps import Book, open_stage
from benchmarks.table import figure, markdown
from benchmarks.targets import Target

MEMORY_GROWTH = Target("peak memory at the most records / at the fewest", 1.2, 1.0, falls=True)
MEMORY = Target("peak memory at the most records, MiB", 150, 100, falls=True)
#: How many of the first and of the last batches are compared.
SOME = 5
#: Records of the data set for the consecutive batches.
SMALL = 20_000


def measure_growth(records: Sequence[int], batches: int) -> None:
    """Measure and print both kinds of growth."""
    with cluster() as postgres:
        measure_sizes(postgres, records)
        measure_batches(postgres, batches)


def measure_sizes(postgres: Cluster, records: Sequence[int]) -> None:
    """Run full syncs of data sets of several sizes and print their times."""
    rows, peaks = [], []
    for number in records:
        book = Book(number // 2, 1)
        with page_server(book.records, book.changed) as server, open_stage(postgres, server, book, OURS) as stage:
            outcome = stage.run(OURS, FULL)
            size = postgres.row("SELECT pg_database_size(current_database())", stage.database)[0]
        peaks.append(max(outcome.memory, default=0.0))
        rows.append([
            f"{number:,}", figure(outcome.seconds), figure(number / outcome.seconds), figure(peaks[-1]),
            figure(size / 1e6),
        ])  # fmt: skip
        print(f"{number:,} records: {figure(outcome.seconds)} s", flush=True)
    print("\n" + markdown(["records", "full sync, s", "records/s", "peak memory, MiB", "database, MB"], rows))
    if all(peaks):
        print("\n" + targets.format_results([(MEMORY_GROWTH, [peaks[-1] / peaks[0]]), (MEMORY, [peaks[-1]])]))


def measure_batches(postgres: Cluster, batches: int) -> None:
    """Run consecutive small syncs and print whether the last ones take longer than the first ones."""
    book = Book(SMALL // 2, SMALL // 200)
    with page_server(book.records, book.changed) as server, open_stage(postgres, server, book, OURS) as stage:
        stage.run(OURS, FULL)
        seconds = [stage.run(OURS, CHANGE).seconds for _ in range(batches)]
    sample_size = min(SOME, batches)
    first, last = median(seconds[:sample_size]), median(seconds[-sample_size:])
    print(
        f"\n{batches} consecutive small syncs: the first {sample_size} take {figure(first)} s (median), "
        f"the last {sample_size} {figure(last)} s: {figure(last / first)} times as long."
    )
