"""Explaining rows: every column of every table of a synced agency, placeholders, repairs; personal values hidden."""

from typing import Any

import pytest
from sites import Site
from snapshots import pairs, value, values
from source_changes import edit
from sqlalchemy import text

from etl.cli.commands.explain import show_explanation
from etl.cli.ui.terminal import format_json
from etl.errors import UsageError
from etl.models import PRODUCTION
from etl.models.base import Model, fields_of
from etl.resources import CATALOGUE
from etl.simulator import Simulator
from etl.status.column_trace import ColumnResult, ColumnTrace
from etl.status.explain import Explanation, explain
from etl.status.explanation import explanation_to_json


def explain_row(site: Site, table: str, source_id: Any) -> Explanation:
    with site.engine.connect() as connection:
        return explain(connection, site.settings.cleaning, table, str(source_id))


def column_of(explanation: Explanation, name: str) -> ColumnTrace:
    (columns,) = [column for source in explanation.sources for column in source.columns if column.column == name]
    return columns


#: The tables that a sync fills by default.
FILLED = [model for model in PRODUCTION if any(item.model is model and not item.is_optional for item in CATALOGUE)]


@pytest.mark.parametrize("model", FILLED, ids=lambda model: model.__tablename__)
def test_every_column_of_every_row_is_explained_and_agrees_with_the_row(as_synced: Site, model: type[Model]) -> None:
    table = model.__tablename__
    rows = values(as_synced.engine, f"SELECT source_id FROM {table} WHERE NOT is_placeholder ORDER BY 1 LIMIT 25")
    sources = [item for item in CATALOGUE if item.model is model]
    assert rows
    for source_id in rows:
        explanation = explain_row(as_synced, table, source_id)
        assert [source.resource for source in explanation.sources] == [item.name for item in sources]
        for source, resource in zip(explanation.sources, sources, strict=True):
            if source.origin is None:
                assert resource.parent is not None, "only children of a deleted parent are never requested"
                continue
            assert [item.column for item in source.columns] == list(fields_of(model, resource.data_source))
            assert [item.column for item in source.columns if item.differs] == []
            assert source.origin.batch is not None
            assert source.origin.request is not None or (source.origin.parent and source.origin.parent.request)


def test_the_effect_of_the_rules_is_shown_by_column(synced: Site, simulator: Simulator) -> None:
    key = next(key for key in simulator.world.clients if simulator.world.contacts[key]["Status"] == "A")
    changed = {
        "Zip": "330101234 ",
        "State": "Florida",
        "Email": "dana@",
        "ContactType": "zz",
        "City": " N/A",
        "Phone": None,
    }
    simulator.world.contacts.change(key, simulator.server.now(), **changed, DisplayName=None)
    synced.sync_once()
    explanation = explain_row(synced, "contacts", key)
    contact = simulator.world.contacts[key]
    wanted = {
        "zip": (ColumnResult.NORMALIZED, "330101234 ", "33010-1234", None),
        "state": (ColumnResult.NORMALIZED, "Florida", "FL", None),
        "email": (ColumnResult.DROPPED, "dana@", None, "email-no-domain"),
        "contact_type": (ColumnResult.NOTED, "zz", "ZZ", "code-unknown"),
        "city": (ColumnResult.ABSENT, " N/A", None, None),
        "phone": (ColumnResult.ABSENT, None, None, None),
        "display_name": (ColumnResult.MISSING, None, None, None),
        "customer_number": (ColumnResult.KEPT, contact["CustomerNo"], contact["CustomerNo"], None),
        "location_id": (ColumnResult.POINTS, contact["LocationID"], str(contact["LocationID"]), None),
    }
    fates = {item.column: (item.result, item.raw, item.clean, item.rule) for item in explanation.sources[0].columns}
    assert {name: fates[name] for name in wanted} == wanted
    assert {(item.field, item.rule, item.state) for item in explanation.findings} >= {
        ("email", "email-no-domain", "open")
    }
    assert explanation.sources[0].origin is not None
    assert explanation.sources[0].origin.versions == 2


def test_a_row_that_the_current_rules_would_change_says_so(synced: Site) -> None:
    with synced.engine.begin() as connection:
        connection.execute(text("UPDATE policies SET total_premium = total_premium + 1"))
    source_id = values(synced.engine, "SELECT source_id FROM policies WHERE total_premium > 1 LIMIT 1")[0]
    differing = [
        column
        for source in explain_row(synced, "policies", source_id).sources
        for column in source.columns
        if column.differs
    ]
    assert [column.column for column in differing] == ["total_premium"]
    assert differing[0].stored == differing[0].clean + 1


def test_a_placeholder_names_the_rows_that_refer_to_it(synced: Site) -> None:
    number, parts = "SELECT count(*) FROM policies WHERE contact_id = '{}'", "SELECT source_id, id FROM contacts"
    source_id, row_id = next(
        referrer for referrer in pairs(synced.engine, parts) if value(synced.engine, number.format(referrer[1]))
    )
    with synced.engine.begin() as connection:
        connection.execute(text("UPDATE contacts SET is_placeholder = true WHERE id = :id"), {"id": row_id})
        connection.execute(text("DELETE FROM raw.raw_contacts WHERE source_id = :id"), {"id": source_id})
    contact = explain_row(synced, "contacts", source_id)
    assert contact.is_placeholder
    assert contact.sources[0].origin is None
    of_policies = next(
        referrer for referrer in contact.referrers if (referrer.table, referrer.column) == ("policies", "contact_id")
    )
    assert of_policies.number == value(synced.engine, number.format(row_id))
    employee = explain_row(synced, "employees", f"name:{some_agent(synced)}")
    assert employee.is_placeholder
    assert {("contacts", "agent_name"), ("policies", "agent_name")} <= {
        (referrer.table, referrer.column) for referrer in employee.referrers
    }


def some_agent(site: Site) -> str:
    """Return the name of an agent whom contacts and policies name."""
    query = """
        SELECT substr(source_id, 6) FROM employees
        WHERE source_id LIKE 'name:%' AND display_name IN (SELECT agent_name FROM policies) ORDER BY 1 LIMIT 1
    """
    return str(value(site.engine, query))


def test_a_refused_record_is_explained_although_it_has_no_row(synced: Site, simulator: Simulator) -> None:
    new = dict(simulator.world.contacts[simulator.world.clients[0]], EntityID=990_001, Status="in force since May")
    simulator.world.contacts.put(990_001, new, simulator.server.now())
    edit(simulator, simulator.world.contacts, 990_001)
    synced.sync_once()
    explanation = explain_row(synced, "contacts", 990_001)
    assert explanation.row is None
    assert column_of(explanation, "status").result is ColumnResult.REFUSED
    assert explanation.sources[0].origin is not None
    assert explanation.sources[0].origin.status == "validation_error"


def test_personal_values_are_hidden_by_default(as_synced: Site, capsys: pytest.CaptureFixture[str]) -> None:
    query = (
        "SELECT source_id FROM contacts WHERE email IS NOT NULL AND last_name IS NOT NULL AND line1 IS NOT NULL LIMIT 1"
    )
    explanation = explain_row(as_synced, "contacts", value(as_synced.engine, query))
    assert explanation.row is not None
    secrets = [
        explanation.row[name]
        for name in ("display_name", "email", "phone", "line1", "last_name")
        if explanation.row[name]
    ]
    show_explanation(explanation, personal=False)
    hidden = capsys.readouterr().out + format_json(explanation_to_json(explanation, personal=False))
    assert [secret for secret in secrets if secret in hidden] == []
    show_explanation(explanation, personal=True)
    open_words = format_json(explanation_to_json(explanation, personal=True))
    assert capsys.readouterr().out
    assert [secret for secret in secrets if secret not in open_words] == []


def test_an_unknown_table_or_row_is_a_usage_error(as_synced: Site) -> None:
    with pytest.raises(UsageError, match="Did you mean policies"):
        explain_row(as_synced, "policy", "1")
    with pytest.raises(UsageError, match="No row 'nobody' in contacts"):
        explain_row(as_synced, "contacts", "nobody")
