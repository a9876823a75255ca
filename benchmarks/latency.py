"""Our sync against a slow API: pages of the feeds, and calls for single records."""

from benchmarks import targets
from benchmarks.candidates import FULL, OURS
from benchmarks.servers import cluster, page_server
from benchmarks.steps import Book, StepOutcome, open_stage
from benchmarks.table import figure, markdown, spread
from benchmarks.targets import Target

LATENCIES = (0, 20, 100, 300)  #: milliseconds
AT_100_MS = Target("full sync at 100 ms latency / without", 1.5, 1.1, falls=True)


def measure_latency(records: int, rounds: int) -> None:
    """Run full syncs with several latencies and print their times."""
    book = Book(records // 2, 1)
    seconds: dict[int, list[float]] = {ms: [] for ms in LATENCIES}
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        for number in range(rounds):
            for milliseconds in LATENCIES:
                server.slow_down(milliseconds)
                with open_stage(postgres, server, book, OURS) as stage:
                    seconds[milliseconds].append(stage.run(OURS, FULL).seconds)
                print(f"round {number + 1}, {milliseconds} ms: {figure(seconds[milliseconds][-1])} s", flush=True)
    ratios = {ms: [slow / fast for slow, fast in zip(seconds[ms], seconds[0], strict=True)] for ms in LATENCIES}
    rows = [[str(ms), spread(seconds[ms]), spread(ratios[ms])] for ms in LATENCIES]
    print(f"\n{records:,} records, rounds: {rounds}\n")
    print(markdown(["latency, ms", "full sync, s", "÷ without, same round"], rows))
    print("\n" + targets.format_results([(AT_100_MS, ratios[100])]))


def measure_children(parents: int) -> None:
    """Read the details of `parents` policies with several latencies and print the calls per second."""
    book = Book(parents, 1)
    rows = []
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        for milliseconds in LATENCIES:
            server.slow_down(0)
            with open_stage(postgres, server, book, OURS) as stage:
                stage.measure(OURS, "parents")
                server.slow_down(milliseconds)
                outcome = stage.measure(OURS, "children")
                (details,) = postgres.row("SELECT count(*) FROM policy_details", stage.database)
            if details != parents:
                raise SystemExit(f"{details} details instead of {parents}")
            rows.append(format_latency_row(milliseconds, outcome))
            print(f"{milliseconds} ms: {figure(outcome.seconds)} s", flush=True)
    print("\n" + markdown(["latency, ms", "calls", "s", "calls/s", "average concurrent calls"], rows))


def format_latency_row(milliseconds: int, outcome: StepOutcome) -> list[str]:
    """Return one table row of child calls."""
    rate = outcome.calls / outcome.seconds
    under_way = figure(rate * milliseconds / 1000) if milliseconds else "-"
    return [str(milliseconds), f"{outcome.calls:,}", figure(outcome.seconds), figure(rate), under_way]
