"""The data dictionary and the other rendered pages: complete and up to date."""

from pathlib import Path

import pytest

from etl.models import PRODUCTION, links, staging
from etl.render.__main__ import PAGES, ROOT, write_pages
from etl.render.dictionary import COMMON, data_dictionary
from etl.resources import CATALOGUE

PAGE = data_dictionary()


@pytest.mark.parametrize("name", PAGES)
def test_every_rendered_page_is_up_to_date(name: str) -> None:
    page = (ROOT / name).read_text() if (ROOT / name).is_file() else None
    assert page == PAGES[name](), f"{name} is out of date. Run: python -m etl.render"


@pytest.mark.parametrize("model", PRODUCTION, ids=lambda model: model.__tablename__)
def test_every_column_of_every_table_has_a_row(model: type) -> None:
    section = PAGE.split(f"### {model.__tablename__}\n")[1].split("\n##")[0]  # type: ignore[attr-defined]
    columns = [column.name for column in model.__table__.columns]  # type: ignore[attr-defined]
    listed = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| ")]
    assert listed[2:] == [name for name in columns if name not in COMMON]
    assert set(COMMON) <= set(columns)


def test_every_resource_and_every_other_table_is_listed() -> None:
    for resource in CATALOGUE:
        assert f"Resource {resource.name}: " in PAGE
        assert f"`raw.{resource.raw_table}`" in PAGE
    assert all(f"`{table.name}`" in PAGE for table in links.LINKS)
    assert all(f"| {column.name} |" in PAGE for column in staging.raw_table("contacts").columns)


@pytest.mark.parametrize(
    "line",
    [
        "| email | text | email | `Email` |  | yes |",
        "| status | text | open code: A active; D deleted | `Status` | **refused** |  |",
        "| term | text | open code: A annual; S six months | `Term` |  |  |",
        "| business_type | text | open code: N new business; R renewal; W rewrite | `BusinessType` |  |  |",
        (
            "| status | text | open code: A active; C canceled; D deleted; E expired; P pending, not issued; "
            "V void (assumed) | `Status` | **refused** |  |"
        ),
        "| adjustment_type | text | open code: C cancellation | `AdjustmentType` | *noted* |  |",
        "| billing_type | text | open code: no meaning is known | `BillingType` |  |  |",
        "| effective_date | date | date | `EffectiveDate` | *noted* |  |",
        "| prior_premium | numeric(15, 2) | | computed after the load | | |",
        "| lead_source | text | text | `CustomerSource` of account_info |  |  |",
        "| carrier_id | uuid | reference to carriers | `CarrierId` |  |  |",
        "| signed | boolean | boolean | whether a form is signed |  |  |",
        "- Resource claims: `GET Claims/LastModifiedCreated`; undocumented: an account may not offer it.",
        "- Resource notes: `GET Contacts/{parent}/Notes`, once for each of contacts; optional: `ETL_RESOURCES=+notes`.",
        "- Resource documents: `GET Documents/Images?entityId={parent}`, once for each of contacts.",
    ],
)
def test_the_page_shows_the_declaration(line: str) -> None:
    assert line in PAGE.splitlines()


def test_chapters_are_titled_by_their_modules() -> None:
    titles = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]
    assert titles[1:-3] == [
        "The agency and the people",
        "Insurance products",
        "Insured risks",
        "Claims",
        "Financial data",
        "Documents",
        "Contact details",
        "Activities",
    ]


def test_no_text_breaks_a_table_row() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert all(line.endswith("|") and line.count("|") in {3, 4, 7} for line in rows)


def test_writing_returns_only_the_pages_that_changed(tmp_path: Path) -> None:
    assert write_pages(tmp_path) == list(PAGES)
    assert write_pages(tmp_path) == []
    (tmp_path / next(iter(PAGES))).write_text("old")
    assert write_pages(tmp_path) == [next(iter(PAGES))]
