"""FlagValues of raw records, such as deleted or canceled: read as the columns with the same values are cleaned."""

from decimal import Decimal
from typing import Any

import pytest

from etl.catalogue.endpoints import CUSTOMERS
from etl.models.adjustments import adjustment_id, cancellations_among
from etl.models.codes import ADJUSTMENT_TYPE, CONTACT_STATUS, CONTACT_TYPE
from etl.models.core import Contact, carriers_among, employees_among
from etl.models.products import Policy, Quote, is_deleted
from etl.models.sources import is_flagged
from etl.values import Boolean

#: One code in every spelling that its column takes for it.
SPELLINGS = ["{}", "{} ", " {}", "{}\t", "{}\u200b", "\u00a0{}", "{}\r\n", "\ufeff{}"]


@pytest.mark.parametrize("letter", [str.upper, str.lower])
@pytest.mark.parametrize("form", SPELLINGS)
def test_a_code_is_read_as_its_column_cleans_it(form: str, letter: Any) -> None:
    """Status "D " or "d" is a deletion, ContactSubType "e" an employee, AdjustmentType "c" a cancellation."""

    def spelled(code: str) -> str:
        return form.format(letter(code))

    assert CONTACT_STATUS.clean(spelled("D")) == "D"
    assert is_flagged({"Status": spelled("D")}, Contact.deletion_mark)
    assert is_deleted({"Status": spelled("D")})
    assert not is_flagged({"Status": spelled("A")}, Contact.deletion_mark)

    assert CONTACT_TYPE.clean(spelled("E")) == "E"
    employee = {"ContactType": "C", "ContactSubType": spelled("E")}
    assert list(employees_among(employee)) == [employee]
    assert not CUSTOMERS.is_met(employee)
    assert next(carriers_among({"ContactType": spelled("M")}))["IsMGA"] is True

    assert ADJUSTMENT_TYPE.clean(spelled("C")) == "C"
    cancellation = {"PolicyId": 7, "AdjustmentDate": "2026-03-01", "AdjustmentType": spelled("C")}
    assert len(list(cancellations_among(cancellation))) == 1
    assert adjustment_id(cancellation) == "7:2026-03-01:C:1"


@pytest.mark.parametrize("raw", [True, "true", "True", "TRUE", " true ", "Y", "yes", "T", 1, 1.0, Decimal("1.0"), "1"])
@pytest.mark.fact("deleted")
def test_a_flag_is_read_as_its_column_cleans_it(raw: Any) -> None:
    assert Boolean().clean(raw) is True
    for model in (Policy, Quote):
        assert is_flagged({"Status": "A", "IsDeleted": raw}, model.deletion_mark)


@pytest.mark.parametrize(
    "raw", [False, "false", "FALSE", "N", 0, "0", None, "", " ", "maybe", 2, "2", [], [True], {}, {"D": 1}, "D", "1.0"]
)
def test_anything_else_marks_nothing(raw: Any) -> None:
    """A mark that cannot be read deletes nothing; the column's own finding reports it."""
    assert not is_flagged({"Status": "A", "IsDeleted": raw}, Policy.deletion_mark)
    assert raw == "D" or not is_flagged({"Status": raw}, Contact.deletion_mark)


@pytest.mark.parametrize("raw", ["DD", "D D", "Deleted", "\u0110", "D\u0301", "D.", True, ["D"], "D\x00"])
def test_a_code_that_the_column_reads_otherwise_is_no_mark(raw: Any) -> None:
    assert CONTACT_STATUS.clean(raw) != "D"
    assert not is_flagged({"Status": raw}, Contact.deletion_mark)


def test_adjustments_of_types_that_are_no_codes_keep_ids_of_their_own() -> None:
    base = {"PolicyId": 7, "AdjustmentDate": "2026-03-01"}
    ids = {adjustment_id({**base, "AdjustmentType": raw}) for raw in ("not a code", "neither is this", "C", "E")}
    assert len(ids) == 4
