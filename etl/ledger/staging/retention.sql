-- name: purge_requests
DELETE FROM etl.requests WHERE id IN (
    SELECT request.id FROM etl.requests AS request
    JOIN etl.batches AS batch ON batch.id = request.batch_id
    WHERE batch.tenant = :tenant AND batch.status = 'completed' AND request.resource = :resource
      AND request.requested_at < now() - CAST(:age AS interval)
    LIMIT :most
)
