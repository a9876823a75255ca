-- How current the data are: the resource that lags most, and how many things need a person.
SELECT (SELECT max(lag) FROM etl.freshness WHERE tenant = :tenant) AS lag,
       (SELECT count(*) FROM etl.troubles WHERE tenant = :tenant AND closed_at IS NULL) AS troubles
