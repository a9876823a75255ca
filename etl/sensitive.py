"""Names and texts that hold secrets or personal numbers, recognized by their meaning and not by one spelling."""

import re
from functools import lru_cache
from itertools import pairwise

#: Replaces a secret.
MASK = "***"

#: How the name of a number may end. Names are compared without blanks and signs, in lower case.
_ENDING = r"(?:no|num|nbr|number|id|code|value|val|text|txt|hash|salt|hint|confirm|confirmation|[0-9])*$"
_NUMBER = r"(?:no|num|nbr|number)"
_NEVER_STAGED = re.compile(
    r"soc(?:ial)?sec"
    rf"|tax(?:payer)?(?:id|identification|identifier|{_NUMBER}){_ENDING}"
    rf"|(?:passw(?:or)?d|passwrd|pwd|passcode|passphrase|(?:login|user|portal|web|client|customer)pass){_ENDING}"
    rf"|cv[vc]{_ENDING}|card(?:security|verification){_ENDING}"
)
#: Also: names of birth dates, accounts, cards and licenses, and of what opens something.
_NEVER_LOGGED = re.compile(
    r"passw(?:or)?d|pwd|pswd|secret|token|apikey|authorization|credential|cookie|passphrase"
    rf"|taxid|taxpayer|^i?tin{_ENDING}|^cid$|^(?:business|federal|employer|company|agency)*f?ein{_ENDING}|employeridentification"
    rf"|routing|^aba{_ENDING}|(?:account|acct|card){_NUMBER}|creditcard|debitcard|iban{_ENDING}"
    rf"|licen[cs]e{_NUMBER}|drivers?licen[cs]e|^(?:drivers?)?(?:dl|lic){_NUMBER}"
    r"|dateofbirth|birthda(?:te|y)|dateborn|dob"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NUMBER_WORDS = frozenset({"no", "num", "nbr", "number"})

#: What parts the groups of a number.
SEPARATOR = r"[-. \u00a0\u2010-\u2015]"
_SEPARATOR = rf"{SEPARATOR}{{1,3}}"
#: A social security number in its groups of three, two and four digits.
SSN = re.compile(rf"(?<![\d])(?<!\d[-.])\d{{3}}{_SEPARATOR}\d{{2}}{_SEPARATOR}\d{{4}}(?![-.]?\d)")
_SSN_WORD = (
    r"\bs\.?s\.?n(?![a-z])|(?<![a-z])ss[\s_.-]{0,3}(?:#|n(?:o|um|br|umber)\b)|(?<![a-z])soc(?:ial)?[\s_.-]{0,3}sec"
)
_TAX_ID_WORD = r"(?<![a-z])tax(?:payer)?[\s_.'-]{0,3}(?:s[\s_]{1,3})?(?:id|n(?:o|um|br|umber)(?![a-z]))|\bi?tin\b"
#: Nine digits in any grouping after such a word, in free text or in JSON in a text.
_ANNOUNCED_NUMBER = re.compile(
    rf"((?:{_SSN_WORD}|{_TAX_ID_WORD})[^\d\n*]{{0,32}})\d(?:{SEPARATOR}{{0,3}}\d){{8}}(?!\d)",
    re.IGNORECASE,
)
#: An announced password, and not what a server says about one: that it is incorrect or expired.
_ANNOUNCED_PASSWORD = re.compile(
    r"(passw(?:or)?d\w{0,20}\\*[\"']?\s*(?:[:=]|\bis\b(?!\s(?:incorrect|invalid|wrong|expired)[\"'.,;:!]*(?:\s|$)))\s*\\*[\"']?)"
    r"(?!\*\*\*|\[redacted\])[^\s\"',;\\]+",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def is_never_staged(name: str) -> bool:
    """Return whether a field of this name holds a secret that is not even staged: SSN, tax id, password, card code."""
    return _has_ssn(name) or _NEVER_STAGED.search(_squash(name)) is not None


@lru_cache(maxsize=8192)
def is_never_logged(name: str) -> bool:
    """Return whether a value of this name is hidden in logs: also birth dates and numbers of licenses and accounts."""
    squashed = _squash(name)
    return _has_ssn(name) or any(names.search(squashed) for names in (_NEVER_STAGED, _NEVER_LOGGED))


def mask_secrets(text: str, mask: str = MASK) -> str:
    """Return a free text without the social security numbers, tax ids and passwords that its words announce."""
    return _ANNOUNCED_PASSWORD.sub(rf"\1{mask}", _ANNOUNCED_NUMBER.sub(rf"\1{mask}", text))


def _squash(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _has_ssn(name: str) -> bool:
    """Return whether SSN is a word of a name, or its beginning or end; in BusinessName it is not."""
    squashed = _squash(name)
    words = [word.lower() for word in _WORDS.findall(name)]
    pairs = pairwise(words)
    return (
        squashed.startswith("ssn")
        or squashed.endswith("ssn")
        or squashed in {"ssno", "ssnum", "ssnbr", "ssnumber"}
        or "ssn" in words
        or (words[-1:] == ["ss"] and name.rstrip().endswith("#"))
        or any(first == "ss" and second in _NUMBER_WORDS for first, second in pairs)
    )
