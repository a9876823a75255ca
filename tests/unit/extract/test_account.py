"""Whether two lists of offices are those of one agency."""

import pytest

from etl.config.settings import Settings
from etl.errors import ApiUnavailable, SettingsError
from etl.extract.account import compare_offices, explain_unknown_agency, facts_of, require_offices

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
        compare_offices(HERE, require_offices(facts_of(office), "default"), "default")


@pytest.mark.parametrize(("login", "is_login_unknown", "way_out"), [
    ({"qqcatalyst_access_token": "copied"}, False, "qqetl sync --resource locations"),
    ({"qqcatalyst_access_token": "copied"}, True, "Set the agency's own login in place of the token"),
    ({}, True, "UPDATE etl.tenants"),
])  # fmt: skip
def test_where_nothing_shows_whose_the_data_is_a_way_out_is_named(
    login: dict[str, str], is_login_unknown: bool, way_out: str
) -> None:
    settings = Settings.model_validate(login)
    message = explain_unknown_agency(settings, is_login_unknown=is_login_unknown)
    assert "not known to which agency the data of the tenant 'default' belongs" in message
    assert way_out in message
    assert "ETL_TENANT" in message


@pytest.mark.parametrize("office", [None, 7, "x", [], {}, {"LocationID": 1}, {"QQID": " "}])
def test_an_answer_without_an_office_accuses_nobody(office: object) -> None:
    assert facts_of(office) == set()
    with pytest.raises(ApiUnavailable, match="shows no office"):
        require_offices(facts_of(office), "default")
