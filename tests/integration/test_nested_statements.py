"""Marking nested rows with the record around them takes time by what was written, even before the first ANALYZE."""

from uuid import UUID

from sqlalchemy import Engine, text

from etl.load.nested import follow_records_around

RECORDS, SECONDS = 60_000, 10
BATCH = UUID(int=7)
TABLES = ("public.policies", "public.fees", "raw.raw_fees")
#: A policy around each fee; every thousandth policy is deleted.
FILL = (
    """
    INSERT INTO public.contacts (id, tenant, source_id, is_placeholder, last_synced_at, etl_batch_id)
    VALUES (:batch, 't', '1', true, now(), :batch)
    """,
    """
    INSERT INTO public.policies (id, tenant, source_id, contact_id, status, is_placeholder, version_at, last_synced_at,
                                 etl_batch_id, deleted_at)
    SELECT gen_random_uuid(), 't', CAST(n AS text), :batch, 'A', false, '2025-01-01', now(), :batch,
           CASE WHEN n % 1000 = 0 THEN CAST('2025-02-01' AS timestamptz) END
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO raw.raw_fees (id, tenant, source_id, raw_data, content_hash, version_at, set_key, etl_batch_id)
    SELECT gen_random_uuid(), 't', 'f' || n, '{}', gen_random_uuid(), '2025-01-01', 'policies:' || n, :batch
    FROM generate_series(1, :records) AS n
    """,
    """
    INSERT INTO public.fees (id, tenant, source_id, policy_id, name, fee_type, is_placeholder, version_at,
                             last_synced_at, etl_batch_id)
    SELECT gen_random_uuid(), 't', 'f' || source_id, id, 'Fee', 'agency', false, '2025-01-01', now(), :batch
    FROM public.policies
    """,
)


def test_a_first_load_marks_the_nested_rows_of_deleted_records_at_once(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        for statement in FILL:
            bound = {"batch": BATCH, "records": RECORDS}
            connection.execute(text(statement), {name: bound[name] for name in bound if f":{name}" in statement})
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
        follow_records_around(connection, "t", BATCH)
        deleted = connection.execute(text("SELECT count(*) FROM public.fees WHERE deleted_at IS NOT NULL")).scalar()
    assert deleted == RECORDS // 1000
