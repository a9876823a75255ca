"""Docstrings that are shown to people, also if Python drops them (`-OO`, PYTHONOPTIMIZE=2)."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

#: The level of optimization from which on docstrings are dropped.
_WITHOUT_DOCSTRINGS = 2


def docstring_of(thing: type | FunctionType | ModuleType | Any) -> str:
    """Return the docstring of a class, a function or a module, without indentation, empty if it has none."""
    if sys.flags.optimize < _WITHOUT_DOCSTRINGS:
        text = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    else:  # a dataclass has its signature instead
        text = _docstrings_of_module(_module_name(thing)).get(_path(thing))
    return inspect.cleandoc(text) if text else ""


def restore_docstrings(module: ModuleType) -> None:
    """Set the dropped docstrings of a module's functions, which a library shows as help."""
    for thing in vars(module).values():
        if isinstance(thing, FunctionType) and thing.__module__ == module.__name__ and thing.__doc__ is None:
            thing.__doc__ = docstring_of(thing) or None


def _module_name(thing: Any) -> str:
    """Return the name of the module in which a thing is defined."""
    return str(thing.__name__ if isinstance(thing, ModuleType) else thing.__module__)


def _path(thing: Any) -> str:
    """Return the qualified name of a thing in its module, empty for the module."""
    return "" if isinstance(thing, ModuleType) else str(thing.__qualname__)


@lru_cache(maxsize=256)
def _docstrings_of_module(name: str) -> dict[str, str]:
    """Return the docstrings in a module's source by qualified name, none if there is no source."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not file or not Path(file).is_file():
        return {}
    tree = ast.parse(Path(file).read_bytes())
    return {path: text for path, node in _walk(tree, "") if (text := ast.get_docstring(node, clean=False))}


_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _walk(node: _Documented, path: str) -> Iterator[tuple[str, _Documented]]:
    """Yield a node and the classes and functions in it, each with its qualified name."""
    yield path, node
    for part in node.body:
        if isinstance(part, _Documented):
            yield from _walk(part, f"{path}.{part.name}" if path else part.name)
