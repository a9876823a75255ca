"""Drift detection: new, lost, retyped and suddenly empty fields, new codes, and differences that are no change."""

from collections.abc import Mapping

import pytest

from etl.drift.shapes import MAX_CODES, MIN_OBJECTS, KnownPath, Profile, Shape, compare_profile
from etl.models.states import DriftState

NUMBER = frozenset({"number"})


def declared(path: str, code: str | None = None) -> bool:
    """Return whether a path of these tests is declared: it begins with D, with the documented codes A to F."""
    return path.startswith("D") and (code is None or code in "ABCDEF")


def profile(objects: int = MIN_OBJECTS, inside: int = 0, **shapes: Shape) -> Profile:
    """Return the profile of some records; `__` in a name means the members of a list."""
    places = {"": objects} | ({"D[].": inside} if inside else {})
    return Profile({name.replace("__", "[]."): shape for name, shape in shapes.items()}, places)


def numbers(present: int = MIN_OBJECTS, empty: int = 0, *types: str, codes: set[str] | None = None) -> Shape:
    return Shape(present, empty, set(types or ("number",)), codes or set())


def after(known: Mapping[str, KnownPath], observed: Profile) -> dict[str, KnownPath]:
    return {known_path.path: known_path for known_path in compare_profile(known, observed, declared)}


def states(known: Mapping[str, KnownPath], observed: Profile) -> dict[str, DriftState]:
    return {path: known_path.state for path, known_path in after(known, observed).items()}


def remembered(*known: KnownPath) -> dict[str, KnownPath]:
    return {known_path.path: known_path for known_path in known}


def test_the_first_profile_reports_undeclared_fields() -> None:
    paths = after({}, profile(D=numbers(), Mood=numbers(2, 0, "text"), D__X=numbers(), inside=3))
    assert {path: known_path.state for path, known_path in paths.items()} == {
        "D": DriftState.KNOWN, "Mood": DriftState.NEW, "D[].X": DriftState.KNOWN,
    }  # fmt: skip
    assert paths["Mood"].change == "new field Mood (text)"


def test_a_late_declared_field_is_no_change_but_an_undeclared_one_is() -> None:
    assert states(remembered(KnownPath("D")), profile(D=numbers(), D2=numbers(), Mood=numbers())) == {
        "D": DriftState.KNOWN, "D2": DriftState.KNOWN, "Mood": DriftState.NEW,
    }  # fmt: skip


def test_a_field_added_to_known_list_members_is_a_change() -> None:
    known = remembered(KnownPath("D"), KnownPath("D[].X"))
    observed = profile(D=numbers(), D__X=numbers(), D__Y=numbers(), inside=5)
    assert states(known, observed)["D[].Y"] is DriftState.NEW
    assert states(remembered(KnownPath("D")), observed)["D[].Y"] is DriftState.KNOWN


def test_another_case_is_no_other_path() -> None:
    known = remembered(KnownPath("Mood"), KnownPath("M[].In"), KnownPath("M"))
    observed = Profile({"mood": numbers(), "m": numbers(), "m[].in": numbers()}, {"": MIN_OBJECTS, "m[].": MIN_OBJECTS})
    assert states(known, observed) == dict.fromkeys(known, DriftState.KNOWN)


def test_a_second_spelling_of_a_declared_field_is_reported() -> None:
    def is_declared(path: str, code: str | None = None) -> bool:
        return path == "D" and code is None

    known = remembered(KnownPath("D"))
    changes = {path.path: path for path in compare_profile(known, profile(d=numbers(), D=numbers()), is_declared)}
    assert changes["d"].change == "d is a second spelling of D, which is read"
    assert changes["D"].change is None
    alone = {path.path: path for path in compare_profile(changes, profile(D=numbers()), is_declared)}
    assert alone["D"].state is DriftState.KNOWN


def test_a_change_is_reported_once() -> None:
    first = after({}, profile(Mood=numbers()))
    second = after(first, profile(Mood=numbers()))
    assert second["Mood"].change == first["Mood"].change
    assert second["Mood"].state is DriftState.NEW


def test_a_new_field_becomes_known_when_it_is_declared() -> None:
    known = remembered(KnownPath("D", state=DriftState.NEW, change="new field D"))
    (known_path,) = compare_profile(known, profile(D=numbers()), declared)
    assert (known_path.state, known_path.change) == (DriftState.KNOWN, None)


@pytest.mark.parametrize(("objects", "presence", "is_lost"), [
    (MIN_OBJECTS, 1.0, True), (MIN_OBJECTS - 1, 1.0, False), (MIN_OBJECTS, 0.5, False), (2 * MIN_OBJECTS, 0.5, True),
])  # fmt: skip
def test_a_field_is_lost_when_enough_records_should_have_had_it(objects: int, presence: float, is_lost: bool) -> None:
    known = remembered(KnownPath("D"), KnownPath("D2", presence=presence, objects=100))
    paths = after(known, profile(objects, D=numbers(objects)))
    assert ("D2" in paths) is is_lost
    if is_lost:
        assert paths["D2"].state is DriftState.LOST
        again = after({**known, **paths}, profile(objects, D=numbers(objects)))
        assert "D2" not in again
        back = after(paths, profile(objects, D2=numbers(objects)))
        assert (back["D2"].state, back["D2"].change) == (DriftState.KNOWN, None)


def test_a_field_of_an_empty_list_is_not_lost() -> None:
    assert set(after(remembered(KnownPath("D"), KnownPath("D[].X")), profile(D=numbers(MIN_OBJECTS, MIN_OBJECTS)))) == {
        "D"
    }


def test_a_new_type_is_reported_once() -> None:
    known = remembered(KnownPath("D", NUMBER))
    paths = after(known, profile(D=numbers(MIN_OBJECTS, 0, "text")))
    assert (paths["D"].state, paths["D"].change) == (DriftState.RETYPED, "D was number and is now text")
    again = after(paths, profile(D=numbers(MIN_OBJECTS, 0, "text", "number")))
    assert again["D"].change == paths["D"].change
    assert states(remembered(KnownPath("D")), profile(D=numbers()))["D"] is DriftState.KNOWN, "it only had nulls so far"


@pytest.mark.parametrize(("objects", "null_rate", "is_told"), [
    (MIN_OBJECTS, 0.0, True), (MIN_OBJECTS - 1, 0.0, False), (MIN_OBJECTS, 0.9, False), (10 * MIN_OBJECTS, 0.8, True),
])  # fmt: skip
def test_a_suddenly_empty_field_is_reported(objects: int, null_rate: float, is_told: bool) -> None:
    known = remembered(KnownPath("D", NUMBER, objects=100, null_rate=null_rate))
    nothing = profile(objects, D=Shape(objects, objects))
    paths = after(known, nothing)
    assert (paths["D"].state is DriftState.EMPTIED) is is_told
    if is_told:
        assert after(paths, nothing)["D"].change == paths["D"].change
        back = after(paths, profile(objects, D=numbers(objects)))
        assert (back["D"].state, back["D"].change) == (DriftState.KNOWN, None)


def test_a_new_code_is_reported_once() -> None:
    known = remembered(KnownPath("D", frozenset({"text"}), frozenset({"A"})))
    paths = after(known, profile(D=numbers(MIN_OBJECTS, 0, "text", codes={"A", "Q", "R"})))
    assert (paths["D"].state, paths["D"].change) == (DriftState.NEW_CODE, "D has a new code: Q, R")
    assert paths["D"].codes == {"A", "Q", "R"}
    assert after(paths, profile(D=numbers(MIN_OBJECTS, 0, "text", codes={"Q"})))["D"].change == paths["D"].change


def test_a_documented_code_is_no_change_at_its_first_appearance() -> None:
    known = remembered(KnownPath("D", frozenset({"text"}), frozenset({"A"})))
    paths = after(known, profile(D=numbers(MIN_OBJECTS, 0, "text", codes={"C", "D"})))
    assert paths["D"].state is DriftState.KNOWN
    assert paths["D"].codes == {"A", "C", "D"}


def test_codes_beyond_the_stored_limit_are_not_reported() -> None:
    many = frozenset(f"A{number}" for number in range(MAX_CODES))
    known = remembered(KnownPath("D", frozenset({"text"}), many))
    assert states(known, profile(D=numbers(MIN_OBJECTS, 0, "text", codes={"Z9"}))) == {"D": DriftState.KNOWN}


def test_rates_are_running_averages() -> None:
    known = remembered(KnownPath("D", NUMBER, objects=60, presence=0.5, null_rate=0.5))
    known_path = after(known, profile(40, D=Shape(40, 5, {"number"})))["D"]
    assert (known_path.objects, known_path.presence, known_path.null_rate) == (100, 0.7, 20 / 70)
    few = after(
        remembered(KnownPath("D", NUMBER, objects=10**6, null_rate=0.25)), profile(2, D=Shape(2, 1, {"number"}))
    )
    assert few["D"].null_rate == pytest.approx(0.25, abs=0.001)
