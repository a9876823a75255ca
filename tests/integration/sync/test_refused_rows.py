"""A row that the database refuses is set aside with a reason, and does not affect other rows."""

import pytest
from sites import Site
from snapshots import value, values
from sqlalchemy import text
from test_stepwise import in_steps

from etl.simulator import Simulator

#: Ways in which a database refuses what the cleaning rules accept, for the policy with the bound number.
REFUSALS = {
    "a check": "ALTER TABLE policies ADD CONSTRAINT odd CHECK (policy_number <> '{number}')",
    "a trigger": (
        "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.policy_number = '{number}' THEN RAISE data_exception; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER odd BEFORE INSERT OR UPDATE ON policies FOR EACH ROW EXECUTE FUNCTION odd()"
    ),
}


@pytest.fixture(scope="module")
def odd_policy(simulator: Simulator) -> tuple[str, str]:
    """Give a policy with a number of its own that other policies renew."""
    prior = next(
        policy["PriorPolicyID"]
        for policy in simulator.world.policies.values()
        if policy["PriorPolicyID"] in simulator.world.policies
    )
    number = "X" * 40
    simulator.world.policies.change(prior, None, PolicyNumber=number)
    return str(prior), number


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("stepwise", [False, True], ids=["stream", "steps"])
def test_the_other_rows_are_loaded(
    site: Site, simulator: Simulator, odd_policy: tuple[str, str], refusal: str, stepwise: bool
) -> None:
    key, number = odd_policy
    with site.engine.begin() as connection:
        connection.execute(text(REFUSALS[refusal].format(number=number)))
    if stepwise:
        in_steps(site)
    else:
        summary = site.sync_once(resources=("policies",))
        assert summary.exit_status == 0, summary.batch.error
    assert values(site.engine, "SELECT source_id FROM policies WHERE is_placeholder AND source_id = :key", key=key) == [
        key
    ]
    loaded = value(site.engine, "SELECT count(*) FROM policies WHERE NOT is_placeholder")
    assert loaded == len(simulator.world.policies) - 1
    assert value(site.engine, "SELECT refused FROM etl.batch_resources WHERE resource = 'policies'") == 1
    raw = "SELECT {} FROM raw.raw_policies WHERE source_id = :key"
    assert value(site.engine, raw.format("status"), key=key) == "validation_error"
    assert value(site.engine, raw.format("loaded_at"), key=key) is None
    message = value(site.engine, raw.format("error_message"), key=key)
    assert message.startswith("PostgreSQL refused the row")
    assert number not in message
