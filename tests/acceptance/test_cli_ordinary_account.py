"""What the manager of an ordinary account, without enterprise access, reads on a terminal of 80 columns."""

import re
from pathlib import Path

import pytest
from command_line import CommandLine, settings_of

from etl.simulator import Simulator, SimulatorSettings

#: What the account lacks, in the words of the API's facts: no vendor page or integration knows these calls.
LACKED = (
    "departments", "applications", "claims", "commissions", "coverages", "equipment", "cancellation_reasons",
    "carrier_fees",
)  # fmt: skip
ENTERPRISE = "drivers, vehicles and endorsements"


def show(qqetl: CommandLine, *words: str) -> tuple[int, str]:
    """Return the exit status, and the text that a terminal shows at the end, without colors."""
    status, output = qqetl.on_terminal(*words)
    return status, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", output).replace("\r", "")


def join(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def find_names(text: str, before: str, after: str) -> set[str]:
    """Return the names in a list between two texts: `a, b and c`."""
    listed = text.partition(before)[2].partition(after)[0]
    return set(re.split(r", | and ", listed))


@pytest.mark.parametrize("answer", ["help-page", "server-error"])
def test_a_sync_and_the_doctor_name_in_sentences_what_the_account_lacks(
    tmp_path: Path, database_url: str, answer: str
) -> None:
    agency = SimulatorSettings(contacts=12, documented_only=True, undocumented_answer=answer)
    with Simulator(agency) as simulator:
        qqetl = CommandLine(tmp_path, settings_of(simulator) | {"DATABASE_URL": database_url})
        synced, output = show(qqetl, "sync")
        examined, report = show(qqetl, "doctor")
        at_a_glance = show(qqetl, "status")[1]
    summary = output[output.rindex("Up to date with QQCatalyst") :]
    assert (synced, examined) == (0, 0)
    assert [line for line in summary.splitlines() if len(line) > 80] == []
    said = join(summary)
    assert find_names(said, "Not offered by this account: ", ". This is not an error") == set(LACKED)
    assert f"Only with Enterprise API access: {ENTERPRISE}. Their tables stay empty." in said
    assert "✗" not in summary
    advice = join(report)
    assert find_names(advice, "Not offered by this account: ", " Vertafore documents no such call") == set(LACKED)
    assert f"Needs enterprise access: {ENTERPRISE} These tables stay empty." in advice
    assert "This is not an error." in advice
    assert "Ready." in advice
    assert re.search(r"✓ Complete +no gaps, no calls due", at_a_glance), "what is not offered is not due"
