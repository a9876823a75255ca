"""What the results of `qqetl doctor` mean for the agency, and what to do about them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from etl.api.traffic import Traffic
from etl.models.base import PRIMARY
from etl.pipeline.doctor.call_report import CallReport, CallStatus
from etl.resources import BY_NAME
from etl.status.format import format_count, format_number, join_words


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding, and what it means and what to do, one text a paragraph."""

    finding: str
    explanation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The calls that advice applies to, and its texts; `{}` is replaced by the names of the resources."""

    applies: Callable[[CallReport], object]
    finding: str
    explanation: tuple[str, ...]


#: Advice on calls, most urgent first.
RULES: Sequence[Rule] = (
    Rule(
        lambda call: call.status is CallStatus.REFUSED,
        "Refused, although every account should have it: {}",
        (
            "A sync ends with status 6, and these tables are not filled.",
            "To do: ask Vertafore (orangepartnerprogram@vertafore.com) to let this API user read them.",
        ),
    ),
    Rule(
        lambda call: call.status is CallStatus.SHAPE,
        "Unexpected response format: {}",
        (
            "A sync ends with status 6, and these tables are not filled.",
            "To do: install the newest version of qqetl. If it reports the same, report the line above as a bug.",
        ),
    ),
    Rule(
        lambda call: call.status is CallStatus.FAILED,
        "No usable response: {}",
        (
            "QQCatalyst could not answer at the moment. A sync retries for longer.",
            "To do: run `qqetl doctor` again in some minutes.",
        ),
    ),
    Rule(
        lambda call: call.missing,
        "Expected fields are missing: {}",
        (
            "Their columns stay empty, and a sync reports them as findings.",
            "To do: compare one record with QQCatalyst. `qqetl doctor --json` lists the fields.",
        ),
    ),
    Rule(
        lambda call: call.unknown,
        "New fields: {}",
        ("Nothing is lost: staging keeps them in raw_data. To add a column, see docs/how-to/add-a-field.md.",),
    ),
    Rule(
        lambda call: call.status is CallStatus.ENTERPRISE,
        "Needs enterprise access: {}",
        (
            "These tables stay empty. Everything else works without it.",
            (
                "To do: nothing, unless you need them. Then ask Vertafore for Enterprise API access, and set "
                "QQCATALYST_AUTH=enterprise."
            ),
        ),
    ),
    Rule(
        lambda call: call.status is CallStatus.UNDECIDED,
        "Not checked: {}",
        ("No sample record was available, or the calls of doctor were used up; the next sync will tell.",),
    ),
)

#: Advice on what was left out on purpose, after all that was found.
NOT_REQUESTED = Rule(
    lambda call: call.status is CallStatus.OFF,
    "Not requested: {}",
    (
        "These are optional or turned off, and cost no calls.",
        "To do: nothing, unless you need them. `qqetl doctor --all` checks them; ETL_RESOURCES turns them on.",
    ),
)


def list_advice(
    calls: Sequence[CallReport], traffic: Traffic, page_size: int, configured_page_size: int
) -> Iterator[Advice]:
    """Yield what to do about calls, most urgent first."""
    if traffic.refused:
        yield advise_on_limit(traffic)
    if page_size and page_size != configured_page_size:
        yield Advice(
            f"Pages of {configured_page_size} records are refused",
            (
                (
                    f"A sync reads pages of {page_size}, so lists take {configured_page_size / page_size:g} times as "
                    "many calls. Details are not affected."
                ),
                f"To do: nothing. ETL_PAGE_SIZE={page_size} skips the attempt with larger pages.",
            ),
        )
    yield from apply_rules(calls, RULES)
    if names := find_names(calls, lambda call: call.status is CallStatus.NOT_OFFERED):
        yield advise_on_absence(names)
    yield from apply_rules(calls, (NOT_REQUESTED,))


def apply_rules(calls: Sequence[CallReport], rules: Sequence[Rule]) -> Iterator[Advice]:
    """Yield the advice of each rule that applies to a call."""
    for rule in rules:
        if names := find_names(calls, rule.applies):
            yield Advice(rule.finding.format(join_words(names)), rule.explanation)


def find_names(calls: Sequence[CallReport], applies: Callable[[CallReport], object]) -> list[str]:
    """Return the resources of the calls that a condition applies to, each once."""
    return list(dict.fromkeys(call.resource for call in calls if applies(call)))


def advise_on_limit(traffic: Traffic) -> Advice:
    """Return advice on calls that the limit refused although doctor kept to ETL_RATE_LIMIT."""
    return Advice(
        f"The call limit refused {format_number(traffic.refused)} of {format_count(traffic.calls, 'call')}",
        (
            (
                "These credentials are valid: QQCatalyst answers 401 when an account exceeds its calls a minute. "
                "Doctor stayed within ETL_RATE_LIMIT, so another program or person uses the same account."
            ),
            "A sync waits and then continues. It takes longer than the plan below.",
            "To do: nothing, or let the other program run at another time.",
        ),
    )


def advise_on_absence(names: Sequence[str]) -> Advice:
    """Return advice on resources that the account does not offer: what fills their tables instead."""
    replaced = {name: source for name in names if (source := find_replacement(name))}
    empty = [name for name in names if name not in replaced]
    sources: dict[str, list[str]] = {}
    for name, source in replaced.items():
        sources.setdefault(source, []).append(name)
    texts = [f"Filled from {source} instead: {join_words(filled)}." for source, filled in sources.items()]
    if empty:
        texts.append(f"Empty: {join_words(empty)}.")
    return Advice(
        f"Not offered by this account: {join_words(list(names))}",
        (
            "Vertafore documents no such call, and most accounts do not have it. This is not an error.",
            *texts,
            "To do: nothing. A sync asks again, after 7 days at the latest.",
        ),
    )


def find_replacement(name: str) -> str | None:
    """Return the resource from which the table of a resource is filled that the account does not offer."""
    resource = BY_NAME[name]
    if resource.data_source == PRIMARY:
        return next((way.resource for way in resource.derived if way.fallback), None)
    primary = [other for other in BY_NAME.values() if other.model is resource.model and other.data_source == PRIMARY]
    return next((way.resource for other in primary for way in other.derived), None)
