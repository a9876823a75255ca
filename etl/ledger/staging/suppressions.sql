-- name: remove_from_queues
DELETE FROM etl.child_queue
WHERE tenant = :tenant AND parent_id = :source_id AND resource = ANY(:children)
