-- name: slice_readings
-- The totals and the number of distinct ids of the current reading of each slice.
SELECT wanted.number, last.total, received.current, received.union, received.most, received.least,
       received.totals > 1 AS moved, COALESCE(received.first_empty < received.last_filled, false) AS has_gap
FROM unnest(CAST(:numbers AS integer[]), CAST(:readings AS integer[])) AS wanted (number, reading)
LEFT JOIN LATERAL (
    SELECT total FROM etl.requests AS request
    WHERE request.batch_id = :batch_id AND request.resource = :resource
      AND request.slice = wanted.number AND request.reading = wanted.reading AND total IS NOT NULL
    ORDER BY requested_at DESC, id DESC LIMIT 1
) AS last ON true
CROSS JOIN LATERAL (
    SELECT count(DISTINCT item) FILTER (WHERE request.reading = wanted.reading) AS current,
           count(DISTINCT item) AS union,
           max(request.total) FILTER (WHERE request.reading = wanted.reading) AS most,
           min(request.total) FILTER (WHERE request.reading = wanted.reading) AS least,
           count(DISTINCT request.total) AS totals,
           min(request.page) FILTER (WHERE request.reading = wanted.reading AND request.items = 0)
               AS first_empty,
           max(request.page) FILTER (WHERE request.reading = wanted.reading AND request.items > 0)
               AS last_filled
    FROM etl.requests AS request LEFT JOIN LATERAL unnest(request.ids) AS item ON true
    WHERE request.batch_id = :batch_id AND request.resource = :resource AND request.slice = wanted.number
) AS received
ORDER BY wanted.number
