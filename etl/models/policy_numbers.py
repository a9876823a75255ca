"""The key of a policy number: one text for all of its spellings."""

import re

_CALL = re.compile(r"policy_number_key\(([a-z_.]+)\)")


def key_of(column: str) -> str:
    """Return the SQL expression of a number in capitals without signs, blanks and zeros in front of other digits.

    PA 0042-1789, PA00421789 and PA-42-1789 are one number. The text itself stays as it came.
    """
    plain = f"regexp_replace(upper({column}), '[^A-Z0-9]', '', 'g')"
    return f"regexp_replace({plain}, '(?<![0-9])0+(?=[0-9])', '', 'g')"


def expand_keys(sql: str) -> str:
    """Return a query with the expression in place of each `policy_number_key(column)`."""
    return _CALL.sub(lambda call: key_of(call[1]), sql)
