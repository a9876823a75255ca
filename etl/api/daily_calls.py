"""The daily budget of an account's calls: what is left of it for refreshes by age."""

from functools import partial

from etl.api.rate_limit.stores import account_key
from etl.api.traffic import Traffic
from etl.config.settings import Settings
from etl.ledger.account import account_calls
from etl.ledger.transaction import Ledger


def count_left(ledger: Ledger, settings: Settings) -> int:
    """Return how many calls are left of ETL_DAILY_CALLS, as far as calls are recorded."""
    used = ledger.read(partial(account_calls.count_calls_of_last_day, account=account_key(settings)))
    return max(0, settings.etl_daily_calls - used)


def record_calls(ledger: Ledger, settings: Settings, traffic: Traffic) -> None:
    """Record the calls that were made since the last time. A database that is not ready records nothing."""
    if calls := traffic.not_yet_counted():
        ledger.try_once(partial(account_calls.add_calls, account=account_key(settings), calls=calls))
