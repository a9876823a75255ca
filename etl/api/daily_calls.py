"""The daily budget of an account's calls: what is left of it for refreshes by age."""

from functools import partial

from etl.api.traffic import Traffic
from etl.ledger.account import account_calls
from etl.ledger.transaction import Ledger


def count_left(ledger: Ledger, account: str, daily_calls: int) -> int:
    """Return how many of the daily calls of an account are left, as far as calls are recorded."""
    used = ledger.read(partial(account_calls.count_calls_of_last_day, account=account))
    return max(0, daily_calls - used)


def record_calls(ledger: Ledger, account: str, traffic: Traffic) -> None:
    """Record the calls that were made since the last time. A database that is not ready records nothing."""
    if calls := traffic.not_yet_counted():
        ledger.try_once(partial(account_calls.add_calls, account=account, calls=calls))
