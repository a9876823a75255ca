-- name: create_verdicts
CREATE TEMP TABLE verdicts (
    id uuid, status text, reason text, findings integer, rules text, loaded boolean
) ON COMMIT DROP
