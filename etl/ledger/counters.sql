-- name: add_history
INSERT INTO etl.sync_history AS sum
    (batch_id, table_name, inserted, updated, unchanged, deleted, revived, seconds, synced_at)
VALUES (:batch_id, :table_name, :inserted, :updated, :unchanged, :deleted, :revived, :seconds, now())
ON CONFLICT (batch_id, table_name) DO UPDATE
SET inserted = sum.inserted + excluded.inserted, updated = sum.updated + excluded.updated,
    unchanged = sum.unchanged + excluded.unchanged, deleted = sum.deleted + excluded.deleted,
    revived = sum.revived + excluded.revived, seconds = sum.seconds + excluded.seconds, synced_at = now()
