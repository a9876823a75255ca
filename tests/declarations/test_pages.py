"""The rendered pages of kinds, checks and API facts: complete, and valid Markdown."""

from decimal import Decimal

import pytest

from etl.checks import CHECKS, Check
from etl.render.api_facts import BEGIN, END, render_api_facts
from etl.render.checks import checks_page
from etl.render.kinds import MAX_EXAMPLE_LENGTH, all_kinds, kinds_page, to_code
from etl.values import Kind, Violation

KINDS_PAGE, CHECKS_PAGE = kinds_page(), checks_page()


def section(kind: type[Kind]) -> str:
    return KINDS_PAGE.split(f"\n## {kind.name}\n")[1].split("\n## ")[0]


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
        kinds_page()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_is_explained_with_its_query(check: Check) -> None:
    check_section = CHECKS_PAGE.split(f"\n## {check.name}\n")[1].split("\n## ")[0]
    assert f"```sql\n{check.sql};\n```" in check_section
    assert check.fix in check_section
    assert f"[{check.name}](#{check.name})" in CHECKS_PAGE


def test_the_table_of_api_facts_is_rendered_and_the_rest_of_the_page_kept() -> None:
    page = render_api_facts(f"# Facts\n\nBefore.\n\n{BEGIN}\n| outdated |\n{END}\n\nAfter, {END}.\n")
    assert page.startswith(f"# Facts\n\nBefore.\n\n{BEGIN}\n")
    assert page.endswith(f"\n{END}\n\nAfter, {END}.\n")
    assert "outdated" not in page
    assert render_api_facts(page) == page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {9}
    assert "| carrier_list | `GET Carriers` | vendor | assumed | assumed | assumed | everybody | no |" in rows
    assert "| agencies | derived from locations | assumed | assumed | assumed | assumed | everybody | yes |" in rows


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}\n{BEGIN}"])
def test_a_page_of_api_facts_without_a_place_for_its_table_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="has no lines"):
        render_api_facts(page)
