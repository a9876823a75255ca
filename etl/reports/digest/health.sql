-- The largest lag of any resource, and the number of open incidents.
SELECT (SELECT max(lag) FROM etl.freshness WHERE tenant = :tenant) AS lag,
       (SELECT count(*) FROM etl.troubles WHERE tenant = :tenant AND closed_at IS NULL) AS troubles
