"""The benchmarks' command line: prepare the peers, compare with them, and measure ourselves."""

import argparse
from collections.abc import Sequence

from benchmarks import calls, growth, kinds, latency, pacing, stages
from benchmarks.calls_book import BookSize
from benchmarks.candidates import CANDIDATES, OURS
from benchmarks.compare import compare
from benchmarks.prepare import missing_environments, prepare


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the command line names."""
    options = parse_arguments(arguments)
    if options.what == "prepare":
        prepare()
    elif options.what == "compare":
        compare(options.records, options.rounds, select_candidates(options.only))
    elif options.what == "growth":
        growth.measure_growth(options.records, options.batches)
    elif options.what == "latency":
        latency.measure_latency(options.records, options.rounds)
    elif options.what == "children":
        latency.measure_children(options.parents)
    elif options.what == "calls":
        books = [BookSize(options.customers, options.policies, changed) for changed in options.changed]
        calls.measure_calls(books, options.window, options.days)
    elif options.what == "pace":
        pacing.pacing(options.seconds)
    elif options.what == "stages":
        stages.measure_stages(options.records)
    else:
        kinds.measure_kinds(options.records)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("prepare", help="create the peers' environments")
    command = commands.add_parser("compare", help="full, unchanged and 1 %% changed syncs, compared with the peers")
    command.add_argument("--records", type=records, default=200_000, help="number of records in both feeds together")
    command.add_argument("--rounds", type=int, default=3)
    command.add_argument("--only", help=f"a selection of {','.join(CANDIDATES)}")
    command = commands.add_parser("growth", help="time and memory as the data set and the number of batches grow")
    command.add_argument("--records", type=records, nargs="+", default=[50_000, 200_000, 1_000_000])
    command.add_argument("--batches", type=int, default=40, help="number of consecutive syncs of one day")
    command = commands.add_parser("latency", help="full syncs with a latency of 0, 20, 100 and 300 ms")
    command.add_argument("--records", type=records, default=200_000)
    command.add_argument("--rounds", type=int, default=3)
    command = commands.add_parser("children", help="calls for single records, with and without latency")
    command.add_argument("--parents", type=int, default=2_000)
    command = commands.add_parser("calls", help="a first sync and three days under the call limit, in compressed time")
    command.add_argument("--customers", type=int, default=5_000)
    command.add_argument("--policies", type=int, default=12_000)
    command.add_argument("--changed", type=float, nargs="+", default=[0.5, 0.9], help="shares of changed policies")
    command.add_argument("--window", type=float, default=1.0, help="seconds that are a minute of the call limit")
    command.add_argument("--days", type=int, default=calls.DAYS)
    command = commands.add_parser("pace", help="calls per second against the server's limit, with one and two workers")
    command.add_argument("--seconds", type=float, default=60.0, help="duration of each measurement")
    command = commands.add_parser("stages", help="microseconds per record in each stage")
    command.add_argument("--records", type=records, default=20_000)
    command = commands.add_parser("kinds", help="microseconds per value to clean each kind of value")
    command.add_argument("--records", type=records, default=20_000)
    return parser.parse_args(arguments)


def records(text: str) -> int:
    """Return a number of records in both feeds together."""
    number = int(text.replace("_", ""))
    if number < 2 or number % 2:  # noqa: PLR2004 (two feeds)
        raise argparse.ArgumentTypeError("must be an even number: half are contacts, half policies")
    return number


def select_candidates(only: str | None) -> list[str]:
    """Return the names of the candidates to compare, ours first; raise SystemExit when one is not available."""
    names = list(CANDIDATES) if only is None else [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in CANDIDATES]:
        raise SystemExit(f"No such candidate: {', '.join(unknown)}. There are: {', '.join(CANDIDATES)}.")
    if lacking := missing_environments([CANDIDATES[name] for name in names]):
        raise SystemExit(f"No environment for {', '.join(lacking)} yet. Run: python -m benchmarks prepare")
    return sorted(set(names), key=lambda name: (name != OURS.name, list(CANDIDATES).index(name)))


if __name__ == "__main__":
    main()
