-- name: delete_findings
-- Deletes the findings on the rows that are deleted with the person.
DELETE FROM etl.findings AS finding
WHERE finding.table_name = ANY(:deleted_tables) AND finding.tenant = :tenant AND EXISTS (
    SELECT FROM belonging AS owned
    WHERE owned.table_name = finding.table_name AND owned.source_id = finding.source_id
)

-- name: clear_raw_values
-- Clears the raw values in the findings on rows that stay.
UPDATE etl.findings AS finding SET raw_value = NULL
WHERE finding.raw_value IS NOT NULL AND finding.tenant = :tenant AND EXISTS (
    SELECT FROM belonging AS owned
    WHERE owned.table_name = finding.table_name AND owned.source_id = finding.source_id
)

-- name: delete_requests
-- Deletes the stored requests of one of the person's calls.
DELETE FROM etl.requests AS request USING etl.batches AS batch
WHERE batch.id = request.batch_id AND batch.tenant = :tenant AND request.resource = :resource
  AND request.path = :path AND request.parameters @> CAST(:query AS jsonb)

-- name: hash_id_in_lists
UPDATE etl.requests AS request SET ids = array_replace(request.ids, CAST(:contact AS text), :hash)
FROM etl.batches AS batch
WHERE batch.id = request.batch_id AND batch.tenant = :tenant AND request.resource = :people
  AND :contact = ANY(request.ids)
