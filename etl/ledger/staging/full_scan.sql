-- name: received_ids
-- Ids that this batch received, and ids from all requests since the batch started: a record that was modified during
-- the scan may have moved to a page that was read already.
SELECT item FROM etl.requests AS request CROSS JOIN unnest(request.ids) AS item
WHERE request.resource = :resource
  AND (request.batch_id = :batch_id
       OR request.requested_at >= (SELECT started_at FROM etl.batches WHERE id = :batch_id)
          AND request.batch_id IN (SELECT id FROM etl.batches WHERE tenant = :tenant))

-- name: has_unanswered
-- Whether a batch got an answer without a list where a list was due.
SELECT EXISTS (
    SELECT FROM etl.requests
    WHERE batch_id = :batch_id AND resource = :resource AND no_answer AND (page = 1 OR total IS NULL)
)
