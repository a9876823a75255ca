-- name: count_outcomes
-- The end of each upsert: the number of rows by outcome, from the CTE `classified` of the statement.
SELECT CASE outcome WHEN 'touched' THEN 'unchanged' ELSE outcome END AS outcome, count(*) AS number,
       count(*) FILTER (WHERE dies) AS deleted, count(*) FILTER (WHERE revives) AS revived,
       array_agg(raw_id) FILTER (WHERE outcome IN ('older', 'outside_window')) AS turned_away
FROM classified GROUP BY 1
