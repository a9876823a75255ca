-- Policies that expire in the next 30 days, by agent.
SELECT coalesce(agent_name, '(no agent)') AS agent,
       count(*) AS policies,
       sum(total_premium) AS premium,
       min(expiration_date) AS first_on
FROM policies
WHERE status NOT IN ('C', 'D', 'P', 'V') AND deleted_at IS NULL AND NOT is_placeholder
  AND expiration_date >= current_date AND expiration_date < current_date + 30
GROUP BY 1
ORDER BY premium DESC NULLS LAST, agent;
