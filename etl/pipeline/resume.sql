-- name: reopen_slices
-- Reopens slices that used up their reads, and those of a failed resource without pending slices.
UPDATE etl.slices AS slice SET status = 'pending', reading = slice.reading + 1
FROM etl.batch_resources AS part
WHERE part.batch_id = :batch_id AND part.status = 'failed' AND slice.batch_id = part.batch_id
  AND slice.resource = part.resource
  AND (slice.status = 'pending' AND slice.reading % :readings = 0
       OR NOT EXISTS (
           SELECT FROM etl.slices AS other
           WHERE other.batch_id = part.batch_id AND other.resource = part.resource AND other.status = 'pending'
       ))
