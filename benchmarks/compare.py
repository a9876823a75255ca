"""The comparison: every candidate in turn, several rounds, ratios taken inside each round."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from benchmarks import targets
from benchmarks.candidates import CANDIDATES, CHANGE, COPY, DLT, FULL, OURS, SINGER, STEPS, UNCHANGED, Candidate
from benchmarks.scene import Cluster, Server, cluster, page_server
from benchmarks.table import figure, markdown, spread
from benchmarks.targets import Target
from benchmarks.trial import Book, Outcome, staged
from benchmarks.unlike import NOT_ALIKE

#: One round: what came of each step of each candidate.
Round = Mapping[tuple[str, str], Outcome]

#: By how much the bytes that candidates read may differ: some ask for totals first, or for a token.
MOST_APART = 0.02

FULL_DLT = Target("full sync: dlt / ours", 3, 5)
FULL_SINGER = Target("full sync: Singer / ours", 6, 10)
FULL_COPY = Target("full sync: ours / raw COPY", 3, 1.9, falls=True)
UNCHANGED_DLT = Target("unchanged sync: dlt / ours", 15, 30)
ONE_PERCENT = Target("1 % changed sync of ours, s", 1, 0.3, falls=True)
MEMORY = Target("peak memory of ours, MiB a process", 150, 100, falls=True)


def compare(records: int, rounds: int, only: Sequence[str]) -> None:
    """Run the comparison and print it."""
    chosen = [CANDIDATES[name] for name in only]
    book = Book(records // 2, max(1, records // 200))
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        done = [one_round(postgres, server, book, chosen, number) for number in range(rounds)]
        postgres_version = postgres.row("SHOW server_version")[0]
    print(report(chosen, book, done, postgres_version))


def one_round(
    postgres: Cluster, server: Server, book: Book, chosen: Sequence[Candidate], number: int
) -> dict[tuple[str, str], Outcome]:
    """Run every step of every candidate; each round begins with another one."""
    begin = number % len(chosen)
    found = {}
    for candidate in [*chosen[begin:], *chosen[:begin]]:
        with staged(postgres, server, book, candidate) as stage:
            for step in candidate.steps:
                done = found[candidate.name, step] = stage.run(candidate, step)
                print(f"round {number + 1}: {candidate.label}, {step}: {figure(done.seconds)} s", flush=True)
    return found


def report(chosen: Sequence[Candidate], book: Book, done: Sequence[Round], postgres: str) -> str:
    """Return all that is said of the comparison."""
    parts = [
        f"\n## {2 * book.records:,} records, {2 * book.changed:,} of them changed; rounds: {len(done)}",
        scale_of(chosen, book),
        figures(chosen, done),
        "Seconds: median (least-most). ÷ ours: of the same round. Memory: the program and its workers, of the full "
        "step. Rows: counted in the database after it. " + same_bytes(chosen, book, done[0]),
    ]
    if OURS in chosen:
        parts += ["### Targets", targets.printed(measured(done))]
    parts += ["### Not like for like", NOT_ALIKE]
    parts += ["### Versions", versions(chosen, done[0], postgres)]
    return "\n\n".join(part for part in parts if part)


def scale_of(chosen: Iterable[Candidate], book: Book) -> str:
    """Return whose times are scaled."""
    scaled = [one for one in chosen if one.most and one.most < 2 * book.records]
    return "\n".join(f"{one.label}: full and unchanged are scaled from {one.most:,} records." for one in scaled)


def same_bytes(chosen: Iterable[Candidate], book: Book, one: Round) -> str:
    """Return how far the candidates differ in what they read; raise SystemExit when one did not read the book."""
    read = [one[some.name, FULL].bytes for some in chosen if not some.most or some.most >= 2 * book.records]
    if not read:
        return ""
    apart = max(read) / min(read) - 1
    if apart > MOST_APART:
        raise SystemExit(f"The candidates did not read the same: {read} bytes.")
    return f"Bytes read in the full step: the same for all, to {apart:.2%}."


def figures(chosen: Sequence[Candidate], done: Sequence[Round]) -> str:
    """Return the table of candidates and steps."""
    header = ["candidate"]
    for step in ("full", "unchanged", "1 % changed"):
        header += [f"{step}, s", "÷ ours"]
    header += ["peak memory, MiB", "rows", "MB read"]
    return markdown(header, [line(candidate, done) for candidate in chosen])


def line(candidate: Candidate, done: Sequence[Round]) -> list[str]:
    """Return the line of one candidate."""
    cells = [candidate.label]
    for step in STEPS:
        cells += [spread(seconds(candidate, step, done)), spread(ratios(candidate, OURS, step, done))]
    full = done[0][candidate.name, FULL]
    memory = max((one[candidate.name, FULL].memory for one in done), key=sum)
    return [*cells, " + ".join(map(figure, memory)) or "-", f"{sum(full.rows):,}", figure(full.bytes / 1e6)]


def seconds(candidate: Candidate, step: str, done: Sequence[Round]) -> list[float]:
    """Return a candidate's times, round by round."""
    return [one[candidate.name, step].seconds for one in done if (candidate.name, step) in one]


def ratios(upper: Candidate, lower: Candidate, step: str, done: Sequence[Round]) -> list[float]:
    """Return how many times as long one candidate took as another, round by round."""
    times = zip(seconds(upper, step, done), seconds(lower, step, done), strict=False)
    return [one / other for one, other in times]


def measured(done: Sequence[Round]) -> list[tuple[Target, list[float]]]:
    """Return what the targets speak of."""
    memory = [max(one[OURS.name, FULL].memory, default=0.0) for one in done]
    return [
        (FULL_DLT, ratios(DLT, OURS, FULL, done)),
        (FULL_SINGER, ratios(SINGER, OURS, FULL, done)),
        (FULL_COPY, ratios(OURS, COPY, FULL, done)),
        (UNCHANGED_DLT, ratios(DLT, OURS, UNCHANGED, done)),
        (ONE_PERCENT, seconds(OURS, CHANGE, done)),
        (MEMORY, [median(memory)] if any(memory) else []),
    ]


def versions(chosen: Iterable[Candidate], one: Round, postgres: str) -> str:
    """Return what ran."""
    lines = [f"- PostgreSQL {postgres}, Python {platform.python_version()}, {platform.platform()}"]
    for candidate in chosen:
        named = ", ".join(f"{name} {number}" for name, number in one[candidate.name, FULL].versions.items())
        lines.append(f"- {candidate.label}: {named}")
    return "\n".join(lines)
