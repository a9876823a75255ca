"""What our own sync makes of an API that takes its time: pages of the feeds, and calls for single records."""

from benchmarks import targets
from benchmarks.candidates import FULL, OURS
from benchmarks.scene import cluster, page_server
from benchmarks.table import figure, markdown, spread
from benchmarks.targets import Target
from benchmarks.trial import Book, Outcome, staged

LATENCIES = (0, 20, 100, 300)  #: milliseconds
AT_100_MS = Target("full sync at 100 ms latency / without", 1.5, 1.1, falls=True)


def latency(records: int, rounds: int) -> None:
    """Run full syncs under several latencies and print what each took."""
    book = Book(records // 2, 1)
    seconds: dict[int, list[float]] = {one: [] for one in LATENCIES}
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        for number in range(rounds):
            for milliseconds in LATENCIES:
                server.slow_down(milliseconds)
                with staged(postgres, server, book, OURS) as stage:
                    seconds[milliseconds].append(stage.run(OURS, FULL).seconds)
                print(f"round {number + 1}, {milliseconds} ms: {figure(seconds[milliseconds][-1])} s", flush=True)
    ratios = {one: [slow / fast for slow, fast in zip(seconds[one], seconds[0], strict=True)] for one in LATENCIES}
    rows = [[str(one), spread(seconds[one]), spread(ratios[one])] for one in LATENCIES]
    print(f"\n{records:,} records, rounds: {rounds}\n")
    print(markdown(["latency, ms", "full sync, s", "÷ without, same round"], rows))
    print("\n" + targets.printed([(AT_100_MS, ratios[100])]))


def children(parents: int) -> None:
    """Ask for the details of so many policies under several latencies and print how many calls a second that is."""
    book = Book(parents, 1)
    rows = []
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        for milliseconds in LATENCIES:
            server.slow_down(0)
            with staged(postgres, server, book, OURS) as stage:
                stage.measure(OURS, "parents")
                server.slow_down(milliseconds)
                done = stage.measure(OURS, "children")
                (found,) = postgres.row("SELECT count(*) FROM policy_details", stage.database)
            if found != parents:
                raise SystemExit(f"{found} details where {parents} belong")
            rows.append(line(milliseconds, done))
            print(f"{milliseconds} ms: {figure(done.seconds)} s", flush=True)
    print("\n" + markdown(["latency, ms", "calls", "s", "calls a second", "under way on average"], rows))


def line(milliseconds: int, done: Outcome) -> list[str]:
    """Return one line of the table of child calls."""
    rate = done.calls / done.seconds
    under_way = figure(rate * milliseconds / 1000) if milliseconds else "-"
    return [str(milliseconds), f"{done.calls:,}", figure(done.seconds), figure(rate), under_way]
