"""Sources of a value other than a plain path: the first of several paths, and how a path, a code or a mark is read."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.docstrings import docstring_of
from etl.values import Boolean, Code, Violation, source_id
from etl.values.boolean import WORDS

#: Fields of a raw record, each with the clean values that set a mark: codes, or True for a flag.
FlagValues = Iterable[tuple[str, tuple[Any, ...]]]

_FLAG = Boolean()
#: A vocabulary without meanings: every code is cleaned, and none is a violation.
_CODE = Code("code", {})


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path of keys and list positions, None if the path ends early."""
    value: Any = record
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def is_blank(value: Any) -> bool:
    """Return whether a raw value is blank: null, or text that is only white space."""
    return value is None or (value.__class__ is str and not value.strip())


def is_record_id(value: Any) -> bool:
    """Return whether a raw id refers to a record: neither blank nor 0 or -1, the codes for no record."""
    return value is not None and not is_blank(value) and str(value).strip() not in {"0", "-1"}


def id_text(value: Any) -> str | None:
    """Return a raw id as canonical text, part of an id made from it; None when blank or no id."""
    text = source_id(value)
    return text if isinstance(text, str) else None


def clean_code(raw: Any) -> str | None:
    """Return a raw code as its column holds it, None when absent or no code."""
    code = _CODE.clean(raw)
    return None if isinstance(code, Violation) else code


def is_flagged(record: Mapping[str, Any], marks: FlagValues) -> bool:
    """Return whether any of these fields of a raw record has one of its values, read as columns are cleaned."""
    return any(is_one_of(record.get(name), values) for name, values in marks)


def is_one_of(raw: Any, values: tuple[Any, ...]) -> bool:
    """Return whether a raw value is cleaned to one of these codes, or to True."""
    if raw is None or raw is False:
        return False
    if raw.__class__ is str:
        return _is_text_one_of(raw, values)
    cleaned = (_FLAG if True in values else _CODE).clean(raw)
    return not isinstance(cleaned, Violation) and cleaned in values


@lru_cache(maxsize=4096)
def _is_text_one_of(text: str, values: tuple[Any, ...]) -> bool:
    """Return whether a text is cleaned to one of these codes, or to True: few texts recur in all records."""
    cleaned = (_FLAG if True in values else _CODE).clean(text)
    return not isinstance(cleaned, Violation) and cleaned in values


def spellings(values: tuple[Any, ...]) -> list[str]:
    """Return the texts, without padding and in capitals, that are cleaned to one of these values."""
    return [word.upper() for word, meaning in WORDS.items() if meaning] if True in values else list(values)


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """Return the JSON objects with any field in a raw list, an empty list if the value is not a list."""
    return [item for item in value if isinstance(item, Mapping) and item] if isinstance(value, list) else []


def digest_of(values: tuple[Any, ...]) -> str:
    """Return a short digest of values: part of the id of a record that has none of its own."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The value at the first of several paths that has one: for calls that differ, or a value with a formatted copy."""

    paths: tuple[str, ...]

    def __call__(self, record: Mapping[str, Any]) -> Any:
        """Return the first value that is not blank, None when all are."""
        return next((value for path in self.paths if not is_blank(value := value_at(record, path))), None)

    def __str__(self) -> str:
        return " or ".join(self.paths)


@dataclass(frozen=True, slots=True)
class PartsOf:
    """The values of one key in all objects of a list."""

    path: str  #: of the list
    key: str

    @property
    def paths(self) -> tuple[str]:
        """The path of the key."""
        return (f"{self.path}.{self.key}",)

    def __call__(self, record: Mapping[str, Any]) -> list[Any]:
        """Return the values, None for an object without the key."""
        return [part.get(self.key) for part in objects_in(value_at(record, self.path))]

    def __str__(self) -> str:
        return f"{self.path}[].{self.key}"


def first_of(*paths: str) -> FirstOf:
    """Return the source that reads the first of these paths at which a record has a value."""
    return FirstOf(paths)


def describe_source(source: object) -> str:
    """Return where a value comes from: a path, several paths, or the summary of a function's docstring."""
    if isinstance(source, str | FirstOf | PartsOf):
        return str(source)
    sentence = docstring_of(source).split("\n")[0]
    return sentence.removeprefix("Return ").removeprefix("Tell ").rstrip(".")
