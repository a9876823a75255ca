-- name: no_rows
-- In place of the rows of records that are only staged.
SELECT NULL::text AS tenant, NULL::text AS source_id, NULL::uuid AS raw_id, NULL::uuid AS etl_batch_id,
       NULL::timestamptz AS deleted_at
WHERE false
