"""JSON: kept as it came, but for what jsonb cannot hold."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from etl.values import Json, Violation
from etl.values.jsonb import MAX_DEPTH

texts = st.text(st.characters(exclude_categories=()), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False, max_value=1e50)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def nested(levels: int) -> list[Any]:
    """Return a list of that many levels."""
    found: list[Any] = []
    for _ in range(levels - 1):
        found = [found]
    return found


def test_a_clean_value_is_not_copied() -> None:
    """What can be stored is handed on as it is."""
    raw = {"Limits": [1, 2.5, "a", None], "Named": {"\u00e9": True}}
    assert Json().clean(raw) is raw


def test_depth_is_bounded() -> None:
    """PostgreSQL has an end to nesting, and so has the stack of whoever writes the JSON out."""
    assert Json().clean(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    found = Json().clean(nested(MAX_DEPTH + 1))
    assert isinstance(found, Violation)
    assert found.rule == "json-too-deep"
    found = Json().clean(nested(100_000))
    assert isinstance(found, Violation)


@given(values)
def test_what_comes_out_can_be_stored(raw: Any) -> None:
    """No NUL and no half character is left in any text or key, however deep."""
    found = Json().clean(raw)
    if not isinstance(found, Violation):
        written = json.dumps(found, ensure_ascii=False, allow_nan=False)
        written.encode()
        assert "\\u0000" not in written.replace("\\\\", "")
