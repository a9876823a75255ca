"""The rules of a parent in SQL: which of its records get a call today, and what their details are worth.

They say what `etl.detail_rules` says in Python. A date that cannot be read is NULL and raises no error.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from etl import detail_rules
from etl.catalogue import Parent, ParentFilter, Resource
from etl.detail_rules import ContactValue, NearStart, Need, Priority, TermValue

#: Whether a field of a parent has one of some codes.
HAS_CODE = "COALESCE(upper(btrim(parent.raw_data ->> CAST(:{field} AS text))) = ANY(CAST(:{codes} AS text[])), false)"

#: The day in a field of a parent. A month's first plus days is a date for every match of the patterns.
DAY = """COALESCE(
    (SELECT make_date(CAST(part[1] AS integer), CAST(part[3] AS integer), 1) + CAST(part[4] AS integer) - 1
     FROM regexp_match(parent.raw_data ->> CAST(:{field} AS text), :iso_day) AS part),
    (SELECT make_date(CAST(part[3] AS integer), CAST(part[1] AS integer), 1) + CAST(part[2] AS integer) - 1
     FROM regexp_match(parent.raw_data ->> CAST(:{field} AS text), :us_day) AS part),
    (SELECT CAST(to_timestamp(CAST(part[1] AS double precision) / 1000) AT TIME ZONE 'UTC' AS date)
     FROM regexp_match(parent.raw_data ->> CAST(:{field} AS text), :milliseconds) AS part)
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


def build_conditions(child: Resource, parent: Resource, today: date) -> ParentConditions:
    """Return the rules of a child for its parent as SQL."""
    declared = child.parent
    if declared is None:
        raise ValueError(f"{child.name} is not read per parent")
    values: dict[str, Any] = {"today": today, **DAY_PATTERNS}
    conditions = [
        "parent.superseded_at IS NULL",
        "(parent.status <> 'validation_error' OR parent.loaded_at IS NOT NULL)",
        *build_deletion_condition(parent, values),
        *build_filter_condition(declared.parent_filter, parent, values),
    ]
    return ParentConditions(
        " AND ".join(conditions),
        build_need(declared, values),
        build_priority(declared, parent, values),
        values,
    )


def build_deletion_condition(parent: Resource, values: dict[str, Any]) -> list[str]:
    """Return the condition that the source has not marked a parent as deleted."""
    marks = []
    for number, (name, deleted_values) in enumerate(parent.model.deletion_mark):
        values |= {f"mark_{number}": name, f"marks_{number}": [encode_json(value) for value in deleted_values]}
        marks.append(f"parent.raw_data -> CAST(:mark_{number} AS text) = ANY(CAST(:marks_{number} AS jsonb[]))")
    return [f"({' OR '.join(marks)}) IS NOT TRUE"] if marks else []


def encode_json(value: object) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def build_filter_condition(rule: ParentFilter | None, parent: Resource, values: dict[str, Any]) -> list[str]:
    """Return the condition that a parent meets the filter of its child."""
    if rule is None:
        return []
    values |= {"filter_fields": list(rule.fields)}
    values |= {"excluded": list(rule.excluded), "if_referenced": list(rule.if_referenced)}
    table, column = rule.referrer
    has_code = """EXISTS (
        SELECT FROM unnest(CAST(:filter_fields AS text[])) AS field
        WHERE upper(btrim(parent.raw_data ->> field)) = ANY(CAST({codes} AS text[]))
    )"""
    is_referenced = f"""EXISTS (
        SELECT FROM public.{parent.model.__tablename__} AS referenced
        JOIN public.{table} AS referrer ON referrer.{column} = referenced.id AND referrer.deleted_at IS NULL
        WHERE referenced.tenant = parent.tenant AND referenced.source_id = parent.source_id
    )"""
    excluded, if_referenced = has_code.format(codes=":excluded"), has_code.format(codes=":if_referenced")
    return [f"NOT {excluded} AND (NOT {if_referenced} OR {is_referenced})"]


def build_need(declared: Parent, values: dict[str, Any]) -> str:
    """Return the expression for whether a parent gets a call."""
    rule = declared.need
    if rule is None:
        return f"'{Need.YES}'"
    values |= {"always": rule.always[0], "always_codes": list(rule.always[1])}
    always = HAS_CODE.format(field="always", codes="always_codes")
    if isinstance(rule, NearStart):
        values |= {"near_field": rule.begins, "near_days": rule.days}
        is_near = f"abs({DAY.format(field='near_field')} - CAST(:today AS date)) <= :near_days"
        return f"CASE WHEN {always} OR {is_near} THEN '{Need.YES}' ELSE '{Need.NO}' END"
    values |= {"changed_flag": rule.flag}
    is_flagged = "lower(btrim(parent.raw_data ->> CAST(:changed_flag AS text))) = 'true'"
    is_later = "parent.source_modified_at > parent.source_created_at"
    return f"""
        CASE WHEN {always} OR {is_flagged} OR {is_later} THEN '{Need.YES}' ELSE '{Need.IF_SAMPLE_HAS_ANY}' END
    """


def build_priority(declared: Parent, parent: Resource, values: dict[str, Any]) -> str:
    """Return the expression for what the details of a parent are worth."""
    if parent.active is None:
        raise ValueError(f"{parent.name} does not declare its active records")
    values |= {"active": parent.active[0], "active_codes": list(parent.active[1])}
    is_active = HAS_CODE.format(field="active", codes="active_codes")
    if isinstance(declared.value, TermValue):
        return build_term_priority(declared.value, is_active, values)
    return build_contact_priority(declared.value, is_active, values)


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
        FROM (SELECT {DAY.format(field="begins")} AS begins, {DAY.format(field="ends")} AS ends) AS term
    )"""


def build_contact_priority(rule: ContactValue, is_active: str, values: dict[str, Any]) -> str:
    """Return the expression for the value of a contact."""
    values |= {"value_fields": list(rule.fields), "other_codes": list(rule.others)}
    is_other = """EXISTS (
        SELECT FROM unnest(CAST(:value_fields AS text[])) AS field
        WHERE upper(btrim(parent.raw_data ->> field)) = ANY(CAST(:other_codes AS text[]))
    )"""
    return f"""
        CASE WHEN {is_active} AND NOT {is_other} THEN {Priority.CUSTOMER:d} ELSE {Priority.OTHER_CONTACT:d} END
    """


def bind(statement: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a statement binds."""
    names = set(re.findall(r":(\w+)", statement))
    return {name: value for name, value in values.items() if name in names}
