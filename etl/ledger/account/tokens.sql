-- name: read_token
-- The token of a tenant, with what its times mean now.
SELECT salt, account, number, sealed, extract(epoch FROM renew_at - now())::float8 AS seconds,
       coalesce(doubted_until > now(), false) AS doubted,
       refusal, extract(epoch FROM refused_until - now())::float8 AS resting,
       opened_at IS NOT NULL AS was_ever_accepted,
       coalesce(opened_at > now() - make_interval(secs => :recently), false) AS was_accepted_recently, basic_header
FROM etl.tokens WHERE tenant = :tenant

-- name: claim
-- The right to renew the token, unless another worker has it.
UPDATE etl.tokens SET claimant = :claimant, claimed_until = now() + make_interval(secs => :life)
WHERE tenant = :tenant AND number = :number
  AND (claimed_until IS NULL OR claimed_until < now() OR claimant = :claimant)

-- name: keep
-- Stores a new token under its own claim.
UPDATE etl.tokens
SET account = :account, number = number + 1, sealed = :sealed, renew_at = now() + make_interval(secs => :seconds),
    doubted_until = now() + make_interval(secs => :doubt),
    claimed_until = NULL, refusal = NULL, refused_until = NULL, refusals = 0, unclear = 0,
    basic_header = :basic_header, opened_at = CASE WHEN account = :account THEN opened_at END
WHERE tenant = :tenant AND claimant = :claimant AND number = :number

-- name: forget
UPDATE etl.tokens SET sealed = NULL, renew_at = NULL
WHERE tenant = :tenant AND claimant = :claimant AND number = :number

-- name: discard
-- Deletes a token that the API refused, unless it has replaced a refused one already; its successor is doubted.
UPDATE etl.tokens SET sealed = NULL, renew_at = NULL, doubted_until = now() + make_interval(secs => :doubt)
WHERE tenant = :tenant AND number = :number AND coalesce(doubted_until < now(), true)

-- name: refuse
-- Notes that the credentials were refused, and until when they rest.
UPDATE etl.tokens
SET account = :account, sealed = NULL, renew_at = NULL, claimed_until = NULL, refusal = :refusal, unclear = 0,
    basic_header = false,
    refusals = CASE WHEN account = :account THEN least(refusals, 9) + 1 ELSE 1 END,
    refused_until = CASE WHEN :for_good THEN timestamptz '9999-12-31' ELSE now() + make_interval(
        secs => least(:longest, :rest * 4 ^ CASE WHEN account = :account THEN least(refusals, 9) ELSE 0 END)) END
WHERE tenant = :tenant AND claimant = :claimant AND number = :number

-- name: note_unclear
-- Counts an answer that says nothing about the credentials; returns how many there were in a row.
UPDATE etl.tokens
SET account = :account, claimed_until = NULL, unclear = CASE WHEN account = :account THEN unclear ELSE 0 END + 1
WHERE tenant = :tenant AND claimant = :claimant AND number = :number RETURNING unclear

-- name: release
UPDATE etl.tokens SET claimed_until = NULL
WHERE tenant = :tenant AND claimant = :claimant AND number = :number
