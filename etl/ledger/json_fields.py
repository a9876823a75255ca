"""SQL that reads a field of a raw record, in any case: the counterpart of `etl.spelling` for statements."""


def field_json(record: str, name: str) -> str:
    """Return the SQL of a field's JSON value, NULL if it is absent; `record` is a jsonb, `name` a text.

    The declared spelling counts first, then the first by code points. The search for it costs only records that lack
    the declared one. The collation makes `I` and `i` one letter in every locale.
    """
    return f"""coalesce({record} -> CAST({name} AS text), (
        SELECT pair.value FROM jsonb_each({record}) AS pair
        WHERE lower(pair.key COLLATE "C") = lower(CAST({name} AS text) COLLATE "C")
        ORDER BY pair.key COLLATE "C" LIMIT 1
    ))"""


def field_text(record: str, name: str) -> str:
    """Return the SQL of a field's value as text, NULL if it is absent or null."""
    return f"({field_json(record, name)} #>> '{{}}')"
