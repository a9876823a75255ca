"""JSON: kept as received, except for characters that jsonb cannot store."""

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
    cleaned: list[Any] = []
    for _ in range(levels - 1):
        cleaned = [cleaned]
    return cleaned


def test_a_clean_value_is_not_copied() -> None:
    """A value that can be stored is returned unchanged."""
    raw = {"Limits": [1, 2.5, "a", None], "Named": {"\u00e9": True}}
    assert Json().clean(raw) is raw


def test_depth_is_bounded() -> None:
    """PostgreSQL limits nesting, and so does the stack of the JSON writer."""
    assert Json().clean(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    cleaned = Json().clean(nested(MAX_DEPTH + 1))
    assert isinstance(cleaned, Violation)
    assert cleaned.rule == "json-too-deep"
    cleaned = Json().clean(nested(100_000))
    assert isinstance(cleaned, Violation)


@given(values)
def test_a_clean_value_can_be_stored(raw: Any) -> None:
    """No NUL and no lone surrogate is left in any text or key at any depth."""
    cleaned = Json().clean(raw)
    if not isinstance(cleaned, Violation):
        text = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
        text.encode()
        assert "\\u0000" not in text.replace("\\\\", "")
