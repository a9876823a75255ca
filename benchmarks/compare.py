"""The comparison of all candidates in several rounds, with ratios within each round."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from benchmarks import targets
from benchmarks.candidates import CANDIDATES, CHANGE, COPY, DLT, FULL, OURS, SINGER, STEPS, UNCHANGED, Candidate
from benchmarks.differences import DIFFERENCES
from benchmarks.servers import Cluster, Server, cluster, page_server
from benchmarks.steps import Book, StepOutcome, open_stage
from benchmarks.table import figure, markdown, spread
from benchmarks.targets import Target

#: One round: the outcome of each step of each candidate.
Round = Mapping[tuple[str, str], StepOutcome]

#: The relative difference allowed in the bytes that candidates read: some request totals first, or a token.
MAX_BYTES_DIFFERENCE = 0.02

FULL_DLT = Target("full sync: dlt / ours", 3, 5)
FULL_SINGER = Target("full sync: Singer / ours", 6, 10)
FULL_COPY = Target("full sync: ours / raw COPY", 3, 1.9, falls=True)
UNCHANGED_DLT = Target("unchanged sync: dlt / ours", 15, 30)
ONE_PERCENT = Target("1 % changed sync of ours, s", 1, 0.3, falls=True)
MEMORY = Target("peak memory of ours, MiB a process", 150, 100, falls=True)


def compare(records: int, rounds: int, only: Sequence[str]) -> None:
    """Run the comparison and print it."""
    candidates = [CANDIDATES[name] for name in only]
    book = Book(records // 2, max(1, records // 200))
    with page_server(book.records, book.changed) as server, cluster() as postgres:
        rounds_done = [run_round(postgres, server, book, candidates, number) for number in range(rounds)]
        postgres_version = postgres.row("SHOW server_version")[0]
    print(build_report(candidates, book, rounds_done, postgres_version))


def run_round(
    postgres: Cluster, server: Server, book: Book, candidates: Sequence[Candidate], number: int
) -> dict[tuple[str, str], StepOutcome]:
    """Run every step of every candidate; each round starts with a different candidate."""
    begin = number % len(candidates)
    outcomes = {}
    for candidate in [*candidates[begin:], *candidates[:begin]]:
        with open_stage(postgres, server, book, candidate) as stage:
            for step in candidate.steps:
                outcome = outcomes[candidate.name, step] = stage.run(candidate, step)
                print(f"round {number + 1}: {candidate.label}, {step}: {figure(outcome.seconds)} s", flush=True)
    return outcomes


def build_report(candidates: Sequence[Candidate], book: Book, rounds: Sequence[Round], postgres: str) -> str:
    """Return the report of the comparison."""
    parts = [
        f"\n## {2 * book.records:,} records, {2 * book.changed:,} of them changed; rounds: {len(rounds)}",
        describe_scaling(candidates, book),
        format_table(candidates, rounds),
        "Seconds: median (min-max). ÷ ours: of the same round. Memory: the program and its workers, in the full "
        "step. Rows: counted in the database after the step. " + compare_bytes(candidates, book, rounds[0]),
    ]
    if OURS in candidates:
        parts += ["### Targets", targets.format_results(target_values(rounds))]
    parts += ["### Not like for like", DIFFERENCES]
    parts += ["### Versions", format_versions(candidates, rounds[0], postgres)]
    return "\n\n".join(part for part in parts if part)


def describe_scaling(candidates: Iterable[Candidate], book: Book) -> str:
    """Return the candidates whose times are scaled."""
    scaled = [candidate for candidate in candidates if candidate.most and candidate.most < 2 * book.records]
    return "\n".join(
        f"{candidate.label}: full and unchanged are scaled from {candidate.most:,} records." for candidate in scaled
    )


def compare_bytes(candidates: Iterable[Candidate], book: Book, first_round: Round) -> str:
    """Return the difference in bytes that the candidates read; raise SystemExit when it is too large."""
    read = [
        first_round[candidate.name, FULL].bytes
        for candidate in candidates
        if not candidate.most or candidate.most >= 2 * book.records
    ]
    if not read:
        return ""
    apart = max(read) / min(read) - 1
    if apart > MAX_BYTES_DIFFERENCE:
        raise SystemExit(f"The candidates did not read the same amount: {read} bytes.")
    return f"Bytes read in the full step: the same for all within {apart:.2%}."


def format_table(candidates: Sequence[Candidate], rounds: Sequence[Round]) -> str:
    """Return the table of candidates and steps."""
    header = ["candidate"]
    for step in ("full", "unchanged", "1 % changed"):
        header += [f"{step}, s", "÷ ours"]
    header += ["peak memory, MiB", "rows", "MB read"]
    return markdown(header, [format_candidate_row(candidate, rounds) for candidate in candidates])


def format_candidate_row(candidate: Candidate, rounds: Sequence[Round]) -> list[str]:
    """Return the table row of one candidate."""
    cells = [candidate.label]
    for step in STEPS:
        cells += [spread(seconds(candidate, step, rounds)), spread(ratios(candidate, OURS, step, rounds))]
    full = rounds[0][candidate.name, FULL]
    memory = max((outcomes[candidate.name, FULL].memory for outcomes in rounds), key=sum)
    return [*cells, " + ".join(map(figure, memory)) or "-", f"{sum(full.rows):,}", figure(full.bytes / 1e6)]


def seconds(candidate: Candidate, step: str, rounds: Sequence[Round]) -> list[float]:
    """Return a candidate's times by round."""
    return [outcomes[candidate.name, step].seconds for outcomes in rounds if (candidate.name, step) in outcomes]


def ratios(upper: Candidate, lower: Candidate, step: str, rounds: Sequence[Round]) -> list[float]:
    """Return the ratio of two candidates' times by round."""
    times = zip(seconds(upper, step, rounds), seconds(lower, step, rounds), strict=False)
    return [time / other for time, other in times]


def target_values(rounds: Sequence[Round]) -> list[tuple[Target, list[float]]]:
    """Return the measured values of the targets."""
    memory = [max(outcomes[OURS.name, FULL].memory, default=0.0) for outcomes in rounds]
    return [
        (FULL_DLT, ratios(DLT, OURS, FULL, rounds)),
        (FULL_SINGER, ratios(SINGER, OURS, FULL, rounds)),
        (FULL_COPY, ratios(OURS, COPY, FULL, rounds)),
        (UNCHANGED_DLT, ratios(DLT, OURS, UNCHANGED, rounds)),
        (ONE_PERCENT, seconds(OURS, CHANGE, rounds)),
        (MEMORY, [median(memory)] if any(memory) else []),
    ]


def format_versions(candidates: Iterable[Candidate], first_round: Round, postgres: str) -> str:
    """Return the versions of everything that ran."""
    lines = [f"- PostgreSQL {postgres}, Python {platform.python_version()}, {platform.platform()}"]
    for candidate in candidates:
        names = ", ".join(f"{name} {number}" for name, number in first_round[candidate.name, FULL].versions.items())
        lines.append(f"- {candidate.label}: {names}")
    return "\n".join(lines)
