-- name: qqetl_lag_seconds
SELECT tenant, resource, extract(epoch FROM lag) FROM etl.freshness WHERE lag IS NOT NULL

-- name: qqetl_open_gaps
SELECT tenant, resource, open_gaps FROM etl.freshness

-- name: qqetl_backlog
SELECT tenant, resource, count(*) FILTER (WHERE due_at <= now() OR failures > 0)
FROM etl.child_queue GROUP BY tenant, resource

-- name: qqetl_calls_total
SELECT tenant, sum(calls) FROM etl.batches GROUP BY tenant

-- name: qqetl_waited_seconds_total
SELECT tenant, sum(waited_seconds) FROM etl.batches GROUP BY tenant

-- name: qqetl_batches
SELECT tenant, status, count(*) FROM etl.batches GROUP BY tenant, status

-- name: qqetl_mails_waiting
SELECT account.tenant, count(mail.id)
FROM etl.tenants AS account LEFT JOIN etl.outbox AS mail ON mail.tenant = account.tenant AND mail.sent_at IS NULL
GROUP BY account.tenant
