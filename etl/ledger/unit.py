"""The old name of `etl.ledger.transaction`, kept for one release."""

from etl.ledger.transaction import Ledger

__all__ = ["Ledger"]
