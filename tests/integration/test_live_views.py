"""The live views hide deleted rows and placeholders; the views of customers and prospects hide other contacts too."""

import pytest
from sqlalchemy import Connection, Engine, text

from etl.models import PRODUCTION

PUT = """
    INSERT INTO {} (id, tenant, source_id, is_placeholder, deleted_at)
    VALUES (gen_random_uuid(), 't', 'live', false, NULL), (gen_random_uuid(), 't', 'deleted', false, now()),
           (gen_random_uuid(), 't', 'placeholder', true, NULL), (gen_random_uuid(), 't', 'forgotten', true, now())
"""
#: References and required values do not matter here.
CHECKS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype = 'c' AND connamespace = 'public'::regnamespace
"""


def shown(connection: Connection, view: str) -> list[str]:
    """Return the source ids of a view."""
    return list(connection.execute(text(f"SELECT source_id FROM {view}")).scalars())


def test_a_live_view_hides_deleted_rows_and_placeholders(engine: Engine) -> None:
    views = {model.__tablename__: f"v_{model.__tablename__}" for model in PRODUCTION}
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for drop in connection.execute(text(CHECKS)).scalars().all():
            connection.execute(text(drop))
        for table in views:
            connection.execute(text(PUT.format(table)))
        assert {view: shown(connection, view) for view in views.values()} == {view: ["live"] for view in views.values()}
        masked = [f"masked.{view}" for view in views.values()]
        assert {view: shown(connection, view) for view in masked} == {view: ["live"] for view in masked}


@pytest.mark.fact("contact-types")
@pytest.mark.parametrize("column", ["contact_type", "contact_sub_type"])
def test_customers_and_prospects_are_neither_carriers_nor_agencies_nor_staff(engine: Engine, column: str) -> None:
    put = f"""
        INSERT INTO contacts (id, tenant, source_id, status, is_placeholder, {column})
        SELECT gen_random_uuid(), 't', code, 'A', false, nullif(code, 'none')
        FROM unnest(ARRAY['C', 'P', 'E', 'R', 'M', 'H', 'none']) AS code
    """
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(put))
        assert sorted(shown(connection, "v_customers")) == ["C", "H", "none"]
        assert shown(connection, "v_prospects") == ["P"]
        assert len(shown(connection, "v_contacts")) == 7
