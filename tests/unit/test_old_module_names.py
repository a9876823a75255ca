"""The modules that the documentation showed under other names can still be imported under them."""

import etl.ledger.transaction
import etl.ledger.unit
import etl.notices
import etl.notifications


def test_the_old_names_lead_to_the_same_objects() -> None:
    assert etl.notices.after_run is etl.notifications.after_run
    assert etl.ledger.unit.Ledger is etl.ledger.transaction.Ledger
