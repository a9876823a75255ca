-- Findings that an agent has to fix in QQCatalyst, and how many are new since the last digest.
SELECT coalesce(agent, 'no agent') AS agent, count(*) AS open,
       count(*) FILTER (WHERE first_seen >= :since) AS new
FROM etl.findings_for_staff
WHERE tenant = :tenant AND state = 'open' AND severity IN ('refused', 'dropped')
GROUP BY 1
ORDER BY count(*) FILTER (WHERE first_seen >= :since) DESC, count(*) DESC, 1
