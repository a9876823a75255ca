"""Whether two lists of offices are those of one agency."""

import pytest

from etl.errors import ApiUnavailable, SettingsError
from etl.extract.account import compare_offices, facts_of

HERE = facts_of({"LocationID": 1, "QQID": "104233", "LocationName": "Lakeside"})


@pytest.mark.parametrize("office", [
    {"locationId": 7, "qqid": "104233 ", "LocationName": "Another name"},
    {"LocationID": "1", "LocationName": " LAKESIDE"},
    {"LocationID": 1, "Name": "Lakeside"} | {"LocationName": "Lakeside"},
])  # fmt: skip
def test_the_vendors_number_or_id_and_name_show_the_same_office(office: dict[str, object]) -> None:
    compare_offices(HERE, facts_of(office), "default")


@pytest.mark.parametrize("office", [
    {"LocationID": 1, "QQID": "990000", "LocationName": "Lakeside"}, {"LocationID": 1, "QQID": None}, {"QQID": 1},
])  # fmt: skip
def test_the_same_id_by_itself_shows_nothing(office: dict[str, object]) -> None:
    with pytest.raises(SettingsError if facts_of(office) else ApiUnavailable, match="default"):
        compare_offices(HERE, facts_of(office), "default")


def test_data_without_a_known_office_belongs_to_nobody() -> None:
    with pytest.raises(SettingsError, match="not known to which agency the data of the tenant 'default' belongs"):
        compare_offices(set(), HERE, "default")


@pytest.mark.parametrize("office", [None, 7, "x", [], {}, {"LocationID": 1}, {"QQID": " "}])
def test_an_answer_without_an_office_accuses_nobody(office: object) -> None:
    assert facts_of(office) == set()
    with pytest.raises(ApiUnavailable, match="shows no office"):
        compare_offices(HERE, facts_of(office), "default")
