"""The rules of a parent in SQL: which of its records get a call today, and what their details are worth.

They say what `etl.catalogue.detail_rules` says in Python. A date that cannot be read is NULL and raises no error.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from etl.catalogue import detail_rules
from etl.catalogue.detail_rules import ContactValue, EqualValue, NearStart, Need, Priority, TermValue
from etl.catalogue.resource import Parent, ParentFilter, Resource
from etl.ledger.json_fields import field_json, field_text
from etl.models.sources import spellings
from etl.values.text import BLANKS, INVISIBLE

#: What cleaning removes from a code: invisible characters anywhere, blanks at both ends.
CLEANING_VALUES = {"invisible": INVISIBLE, "blanks": BLANKS}

#: The day in a text. A month's first plus days is a date for every match of the patterns.
DAY = """COALESCE(
    (SELECT make_date(CAST(part[1] AS integer), CAST(part[3] AS integer), 1) + CAST(part[4] AS integer) - 1
     FROM regexp_match({text}, :iso_day) AS part),
    (SELECT make_date(CAST(part[3] AS integer), CAST(part[1] AS integer), 1) + CAST(part[2] AS integer) - 1
     FROM regexp_match({text}, :us_day) AS part),
    (SELECT CAST(to_timestamp(CAST(part[1] AS double precision) / 1000) AT TIME ZONE 'UTC' AS date)
     FROM regexp_match({text}, :milliseconds) AS part)
)"""
DAY_PATTERNS = {
    "iso_day": detail_rules.ISO_DAY,
    "us_day": detail_rules.US_DAY,
    "milliseconds": detail_rules.MILLISECONDS,
}


@dataclass(frozen=True, slots=True)
class ParentConditions:
    """SQL expressions on `raw.<parent> AS parent`, and the values bound in them."""

    may_get_call: str  #: it is usable, not deleted, and of the right kind
    need: str  #: a value of `Need`
    priority: str  #: a value of `Priority`, the sample aside
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefreshRules:
    """The rules of one child as SQL, and the values that its statements bind."""

    raw_table: str
    source: str  #: the FROM item of the parents that the refresh looks at
    conditions: ParentConditions
    is_needed: str
    values: dict[str, Any]


def build_conditions(child: Resource, parent: Resource, today: date) -> ParentConditions:
    """Return the rules of a child for its parent as SQL."""
    declared = child.parent
    if declared is None:
        raise ValueError(f"{child.name} is not read per parent")
    values: dict[str, Any] = {"today": today, **DAY_PATTERNS, **CLEANING_VALUES}
    conditions = [
        "parent.superseded_at IS NULL",
        "(parent.status <> 'validation_error' OR parent.loaded_at IS NOT NULL)",
        *build_deletion_condition(parent, values),
        *build_filter_condition(declared.parent_filter, parent, values),
    ]
    return ParentConditions(
        " AND ".join(conditions),
        build_need(declared, values),
        build_priority(declared, values),
        values,
    )


def build_deletion_condition(parent: Resource, values: dict[str, Any]) -> list[str]:
    """Return the condition that the source has not marked a parent as deleted."""
    marks = []
    for number, (name, deleted_values) in enumerate(parent.model.deletion_mark):
        values |= {f"mark_{number}": name, f"marks_{number}": spellings(deleted_values)}
        marks.append(build_mark_condition(f":mark_{number}", f":marks_{number}"))
    return [f"({' OR '.join(marks)}) IS NOT TRUE"] if marks else []


def build_mark_condition(field: str, codes: str) -> str:
    """Return the SQL condition that a field of a parent's raw row has one of these codes, read as `is_one_of` does."""
    raw = field_json("parent.raw_data", field)
    return f"""upper(btrim(translate(
        CASE jsonb_typeof({raw})
            WHEN 'number' THEN CAST(trim_scale(CAST({raw} AS numeric)) AS text)
            ELSE {raw} #>> '{{}}'
        END, CAST(:invisible AS text), ''
    ), CAST(:blanks AS text)) COLLATE "C") = ANY(CAST({codes} AS text[]))"""


def build_code_condition(name: str, field_name: str, codes: tuple[Any, ...], values: dict[str, Any]) -> str:
    """Return the condition that a field of a parent has one of some codes, and bind both under a name."""
    values |= {name: field_name, f"{name}_codes": spellings(codes)}
    return f"COALESCE({build_mark_condition(f':{name}', f':{name}_codes')}, false)"


def build_day(name: str) -> str:
    """Return the day in a field of a parent, NULL if there is none."""
    return DAY.format(text=field_text("parent.raw_data", f":{name}"))


def build_filter_condition(rule: ParentFilter | None, parent: Resource, values: dict[str, Any]) -> list[str]:
    """Return the condition that a parent meets the filter of its child."""
    if rule is None:
        return []
    values |= {"filter_fields": list(rule.fields)}
    values |= {"excluded": spellings(rule.excluded), "if_referenced": spellings(rule.if_referenced)}
    table, column = rule.referrer
    is_referenced = f"""EXISTS (
        SELECT FROM public.{parent.table} AS referenced
        JOIN public.{table} AS referrer ON referrer.{column} = referenced.id AND referrer.deleted_at IS NULL
        WHERE referenced.tenant = parent.tenant AND referenced.source_id = parent.source_id
    )"""
    excluded = build_any_condition(":filter_fields", ":excluded")
    return [f"NOT {excluded} AND (NOT {build_any_condition(':filter_fields', ':if_referenced')} OR {is_referenced})"]


def build_any_condition(fields: str, codes: str) -> str:
    """Return the condition that any of some fields of a parent has one of these codes."""
    condition = build_mark_condition("coded.field", codes)
    return f"EXISTS (SELECT FROM unnest(CAST({fields} AS text[])) AS coded (field) WHERE {condition})"


def build_need(declared: Parent, values: dict[str, Any]) -> str:
    """Return the expression for whether a parent gets a call."""
    rule = declared.need
    if rule is None:
        return f"'{Need.YES}'"
    always = build_code_condition("always", *rule.always, values)
    if isinstance(rule, NearStart):
        values |= {"near_field": rule.begins, "near_days": rule.days}
        is_near = f"abs({build_day('near_field')} - CAST(:today AS date)) <= :near_days"
        return f"CASE WHEN {always} OR {is_near} THEN '{Need.YES}' ELSE '{Need.NO}' END"
    is_flagged = build_code_condition("changed_flag", rule.flag, (True,), values)
    is_later = "parent.source_modified_at > parent.source_created_at"
    return f"""
        CASE WHEN {always} OR {is_flagged} OR {is_later} THEN '{Need.YES}' ELSE '{Need.IF_SAMPLE_HAS_ANY}' END
    """


def build_priority(declared: Parent, values: dict[str, Any]) -> str:
    """Return the expression for what the details of a parent are worth."""
    rule = declared.value
    if isinstance(rule, EqualValue):
        return f"{rule.priority:d}"
    is_active = build_code_condition("active", *rule.active, values)
    if isinstance(rule, TermValue):
        return build_term_priority(rule, is_active, values)
    return build_contact_priority(rule, is_active, values)


def build_term_priority(rule: TermValue, is_active: str, values: dict[str, Any]) -> str:
    """Return the expression for the value of a policy."""
    values |= {"begins": rule.begins, "ends": rule.ends}
    values |= {"soon": detail_rules.EXPIRES_SOON_DAYS, "recent": detail_rules.RECENTLY_ENDED_DAYS}
    return f"""(
        SELECT CASE
            WHEN {is_active} AND COALESCE(term.ends >= CAST(:today AS date), true)
            THEN CASE WHEN term.ends <= CAST(:today AS date) + CAST(:soon AS integer)
                      THEN {Priority.EXPIRING:d} ELSE {Priority.IN_FORCE:d} END
            WHEN COALESCE(term.ends, term.begins) >= CAST(:today AS date) - CAST(:recent AS integer)
            THEN {Priority.ENDED:d}
            ELSE {Priority.LONG_ENDED:d} END
        FROM (SELECT {build_day("begins")} AS begins, {build_day("ends")} AS ends) AS term
    )"""


def build_contact_priority(rule: ContactValue, is_active: str, values: dict[str, Any]) -> str:
    """Return the expression for the value of a contact."""
    values |= {"value_fields": list(rule.kinds), "other_codes": spellings(rule.others)}
    is_other = build_any_condition(":value_fields", ":other_codes")
    return f"""
        CASE WHEN {is_active} AND NOT {is_other} THEN {Priority.CUSTOMER:d} ELSE {Priority.OTHER_CONTACT:d} END
    """
