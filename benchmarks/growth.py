"""How time and memory of our own sync grow: with the number of records, and with the number of batches before."""

from collections.abc import Sequence
from statistics import median

from benchmarks import targets
from benchmarks.candidates import CHANGE, FULL, OURS
from benchmarks.scene import Cluster, cluster, page_server
from benchmarks.table import figure, markdown
from benchmarks.targets import Target
from benchmarks.trial import Book, staged

MEMORY_GROWTH = Target("peak memory at the most records / at the fewest", 1.2, 1.0, falls=True)
MEMORY = Target("peak memory at the most records, MiB", 150, 100, falls=True)
#: Batches at the beginning and at the end whose times are compared.
SOME = 5
#: Records of the book over which batch follows batch.
SMALL = 20_000


def growth(records: Sequence[int], batches: int) -> None:
    """Measure both growths and print them."""
    with cluster() as postgres:
        sizes(postgres, records)
        many_batches(postgres, batches)


def sizes(postgres: Cluster, records: Sequence[int]) -> None:
    """Run a full sync of books of several sizes and print what each took."""
    rows, peaks = [], []
    for number in records:
        book = Book(number // 2, 1)
        with page_server(book.records, book.changed) as server, staged(postgres, server, book, OURS) as stage:
            done = stage.run(OURS, FULL)
            size = postgres.row("SELECT pg_database_size(current_database())", stage.database)[0]
        peaks.append(max(done.memory, default=0.0))
        rows.append([
            f"{number:,}", figure(done.seconds), figure(number / done.seconds), figure(peaks[-1]), figure(size / 1e6),
        ])  # fmt: skip
        print(f"{number:,} records: {figure(done.seconds)} s", flush=True)
    print("\n" + markdown(["records", "full sync, s", "records a second", "peak memory, MiB", "database, MB"], rows))
    if all(peaks):
        print("\n" + targets.printed([(MEMORY_GROWTH, [peaks[-1] / peaks[0]]), (MEMORY, [peaks[-1]])]))


def many_batches(postgres: Cluster, batches: int) -> None:
    """Run one small sync after the other and print whether the last take longer than the first."""
    book = Book(SMALL // 2, SMALL // 200)
    with page_server(book.records, book.changed) as server, staged(postgres, server, book, OURS) as stage:
        stage.run(OURS, FULL)
        seconds = [stage.run(OURS, CHANGE).seconds for _ in range(batches)]
    some = min(SOME, batches)
    first, last = median(seconds[:some]), median(seconds[-some:])
    print(
        f"\n{batches} small syncs, one after the other: the first {some} take {figure(first)} s (median), "
        f"the last {some} {figure(last)} s: {figure(last / first)} times as long."
    )
