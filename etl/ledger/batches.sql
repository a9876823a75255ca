-- name: seconds_of_run
-- The time since a run of several tasks began: with its batch, or when it resumed one.
SELECT EXTRACT(epoch FROM now() - COALESCE(CAST(options ->> 'run_began' AS timestamptz), started_at))
FROM etl.batches WHERE id = :batch_id

-- name: recover_calls
-- The calls that were stored with their answers: a run that was killed has not added its calls to the batch.
UPDATE etl.batches SET calls = greatest(calls, (
    SELECT COALESCE(sum(attempts), 0) FROM etl.requests WHERE batch_id = :batch_id
)) WHERE id = :batch_id

-- name: seconds_of_work
-- The time between the answers of a batch, without the pauses between two runs.
SELECT COALESCE(sum(greatest(0, least(seconds, :pause))), 0) FROM (
    SELECT EXTRACT(epoch FROM request.requested_at - lag(request.requested_at, 1, batch.started_at)
                   OVER (ORDER BY request.requested_at)) AS seconds
    FROM etl.requests AS request JOIN etl.batches AS batch ON batch.id = request.batch_id
    WHERE batch.id = :batch_id
) AS gap
