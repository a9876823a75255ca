-- name: interrupted_batches
-- Batches that were interrupted and that wrote rows after the last completed batch.
SELECT batch.id FROM etl.batches AS batch
WHERE batch.tenant = :tenant AND batch.id <> :batch_id AND batch.status <> 'completed'
  AND (batch.status <> 'failed' OR EXISTS (
      SELECT FROM etl.batch_resources AS part
      WHERE part.batch_id = batch.id AND part.status IN ('pending', 'running')
  ))
  AND EXISTS (
      SELECT FROM etl.sync_history AS wrote
      WHERE wrote.batch_id = batch.id AND wrote.synced_at > COALESCE(
          (SELECT max(finished_at) FROM etl.batches
           WHERE tenant = :tenant AND status = 'completed' AND command <> :dry_run), '-infinity')
  )
ORDER BY batch.started_at
