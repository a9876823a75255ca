"""`python -m benchmarks`: prepare the peers, compare with them, and measure ourselves."""

import argparse
from collections.abc import Sequence

from benchmarks import growth, kinds, pacing, stages, waiting
from benchmarks.candidates import CANDIDATES, OURS
from benchmarks.compare import compare
from benchmarks.prepare import missing, prepare


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark that the command line names."""
    given = parsed(arguments)
    if given.what == "prepare":
        prepare()
    elif given.what == "compare":
        compare(given.records, given.rounds, chosen(given.only))
    elif given.what == "growth":
        growth.growth(given.records, given.batches)
    elif given.what == "latency":
        waiting.latency(given.records, given.rounds)
    elif given.what == "children":
        waiting.children(given.parents)
    elif given.what == "pace":
        pacing.pacing(given.seconds)
    elif given.what == "stages":
        stages.stages(given.records)
    else:
        kinds.kinds(given.records)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    each = parser.add_subparsers(dest="what", required=True)
    each.add_parser("prepare", help="make the peers' environments")
    one = each.add_parser("compare", help="full, unchanged and 1 %% changed syncs, peers beside us")
    one.add_argument("--records", type=records, default=200_000, help="in both feeds together")
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--only", help=f"some of {','.join(CANDIDATES)}")
    one = each.add_parser("growth", help="time and memory as the book and the number of batches grow")
    one.add_argument("--records", type=records, nargs="+", default=[50_000, 200_000, 1_000_000])
    one.add_argument("--batches", type=int, default=40, help="syncs of one day, one after the other")
    one = each.add_parser("latency", help="full syncs while every answer takes 0, 20, 100 and 300 ms")
    one.add_argument("--records", type=records, default=200_000)
    one.add_argument("--rounds", type=int, default=3)
    one = each.add_parser("children", help="calls for single records, with and without latency")
    one.add_argument("--parents", type=int, default=2_000)
    one = each.add_parser("pace", help="calls a second against what the server allows, with one and two workers")
    one.add_argument("--seconds", type=float, default=60.0, help="for each measurement")
    one = each.add_parser("stages", help="microseconds a record spends in each stage")
    one.add_argument("--records", type=records, default=20_000)
    one = each.add_parser("kinds", help="microseconds that each kind of value takes to clean")
    one.add_argument("--records", type=records, default=20_000)
    return parser.parse_args(arguments)


def records(text: str) -> int:
    """Return a number of records in both feeds together."""
    number = int(text.replace("_", ""))
    if number < 2 or number % 2:  # noqa: PLR2004 (two feeds)
        raise argparse.ArgumentTypeError("must be an even number: half are contacts, half policies")
    return number


def chosen(only: str | None) -> list[str]:
    """Return the names of the candidates to be compared, ours first; raise SystemExit when one cannot be."""
    names = list(CANDIDATES) if only is None else [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in CANDIDATES]:
        raise SystemExit(f"No such candidate: {', '.join(unknown)}. There are: {', '.join(CANDIDATES)}.")
    if lacking := missing([CANDIDATES[name] for name in names]):
        raise SystemExit(f"No environment for {', '.join(lacking)} yet. Run: python -m benchmarks prepare")
    return sorted(set(names), key=lambda name: (name != OURS.name, list(CANDIDATES).index(name)))


if __name__ == "__main__":
    main()
