"""The rendered pages of kinds, checks and API facts: complete, and valid Markdown."""

from decimal import Decimal

import pytest

from etl.checks import CHECKS, Check
from etl.render.api_facts import resource_table
from etl.render.checks import all_checks
from etl.render.fill_page import fill_page
from etl.render.kinds import MAX_EXAMPLE_LENGTH, all_kinds, describe_kinds, to_code
from etl.values import Kind, Violation

KINDS_PAGE, CHECKS_PAGE = f"\n{describe_kinds()}", f"\n{all_checks()}"


def section(kind: type[Kind]) -> str:
    return KINDS_PAGE.split(f"\n## {kind.name}\n")[1].split("\n## ", maxsplit=1)[0]


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.__name__)
def test_every_example_of_a_kind_has_a_table_row(kind: type[Kind]) -> None:
    lines = [line for line in section(kind).splitlines() if line.startswith("| ") and "---" not in line]
    heads = sum(line.startswith("| value in the record") for line in lines)
    assert len(lines) - heads == len(kind.accepts) + len(kind.rejects)
    assert heads == 1 + bool(kind.rejects)
    assert all(f"`{rule}`" in section(kind) for _, rule in kind.rejects)


def test_no_value_breaks_a_table_row() -> None:
    rows = [line for line in KINDS_PAGE.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 5}
    assert all(line.endswith("|") for line in rows)
    assert all(character.isprintable() or character == "\n" for character in KINDS_PAGE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("FL  ", '`"FL  "`'),
        ("a|b", '`"a\\|b"`'),
        ("`x`", '`` "`x`" ``'),
        ("a\x00b", '`"a\\x00b"`'),
        (None, "`null`"),
        (True, "`true`"),
        (Decimal("1.50"), "`1.50`"),
        (float("nan"), "`nan`"),
        (10**3000, "`a number of 3001 digits`"),
        ("x" * 200, f'`"{"x" * (MAX_EXAMPLE_LENGTH - 1)}…`'),
    ],
)
def test_a_value_is_shown_on_one_line(value: object, shown: str) -> None:
    assert to_code(value) == shown


def test_an_accepted_value_among_the_rejected_examples_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = all_kinds()[0]
    good = next(raw for raw, clean in kind.accepts if not isinstance(clean, Violation))
    monkeypatch.setattr(kind, "rejects", ((good, "nothing-wrong"),))
    with pytest.raises(TypeError, match="nothing-wrong"):
        describe_kinds()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_is_explained_with_its_query(check: Check) -> None:
    check_section = CHECKS_PAGE.split(f"\n## {check.name}\n")[1].split("\n## ", maxsplit=1)[0]
    assert f"```sql\n{check.sql};\n```" in check_section
    assert check.fix in check_section
    assert f"[{check.name}](#{check.name})" in CHECKS_PAGE


def test_the_table_of_api_facts_has_a_row_for_a_resource() -> None:
    rows = [line for line in resource_table().splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {9}
    assert "| carrier_list | `GET Carriers` | vendor | assumed | assumed | assumed | everybody | no |" in rows
    assert "| agencies | derived from locations | assumed | assumed | assumed | assumed | everybody | yes |" in rows


def test_the_parts_of_a_page_are_rendered_and_the_rest_is_kept() -> None:
    page = (
        "# Facts\n\nAt <!-- limit -->9<!-- / --> calls:\n\n<!-- rows -->\n| old |\n<!-- / -->\n\n"
        "After <!-- limit --><!-- / -->.\n"
    )
    filled = fill_page(page, {"limit": "58", "rows": "| a |\n| b |"})
    assert filled == (
        "# Facts\n\nAt <!-- limit -->58<!-- / --> calls:\n\n<!-- rows -->\n\n| a |\n| b |\n\n<!-- / -->\n\n"
        "After <!-- limit -->58<!-- / -->.\n"
    )
    assert fill_page(filled, {"limit": "58", "rows": "| a |\n| b |"}) == filled


@pytest.mark.parametrize(
    "page", ["", "<!-- rows -->", "<!-- row --><!-- / -->", "<!-- rows --><!-- / --><!-- x --><!-- / -->"]
)
def test_a_page_without_a_place_for_a_part_or_with_an_unknown_one_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="The page has the parts"):
        fill_page(page, {"rows": "| a |"})
