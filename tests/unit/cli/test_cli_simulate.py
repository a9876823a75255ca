"""The faults that `qqetl simulate` takes in one text."""

from etl.cli.commands.simulate import split_faults


def test_a_comma_in_an_argument_does_not_begin_another_fault() -> None:
    assert split_faults("rate-limit, account-limit:60/6,fixed,json,others=20 ,no-answer:AccountInfo,null@2,slow:1") == (
        "rate-limit",
        "account-limit:60/6,fixed,json,others=20",
        "no-answer:AccountInfo,null@2",
        "slow:1",
    )


def test_a_misspelled_fault_without_an_argument_before_it_stays_one() -> None:
    assert split_faults("rate-limit,server-error") == ("rate-limit", "server-error")
