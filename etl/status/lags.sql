-- name: lags
-- The lag of each resource that was fully synced and is offered.
SELECT fresh.resource, fresh.lag FROM etl.freshness AS fresh
LEFT JOIN etl.offers AS offer ON offer.tenant = fresh.tenant AND offer.resource = fresh.resource
WHERE fresh.tenant = :tenant AND fresh.lag IS NOT NULL AND offer.offered IS NOT false
ORDER BY fresh.resource
