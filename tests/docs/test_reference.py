"""The reference pages agree with the code: commands, settings, exit statuses, states, resources."""

import re
import shlex
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from pages import PAGES, ROOT, Example, examples, first_cells, name_of, sections

from etl import errors
from etl.cli.main import COMMANDS, build_command_line
from etl.config.settings import Settings
from etl.errors import EtlError
from etl.models.states import BatchState, DriftState, FindingState, Outcome, RawState, ResourceState, SliceState
from etl.resources import CATALOGUE
from etl.values import Severity

REFERENCE = ROOT / "docs/reference"

#: What the bootstrap script runs itself instead of passing it to our program.
OF_SCRIPT = set(re.findall(r"^    ([a-z]+)\) ", (ROOT / "run").read_text(), re.MULTILINE))
SETTINGS = sorted(name.upper() for name in Settings.model_fields)
#: A name in the form of a setting.
SETTING = re.compile(r"\b(?:ETL|QQCATALYST|LOG|DATABASE)_[A-Z]+(?:_[A-Z]+)*\b")


def tree(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a command and its subcommands, by name."""
    if name:
        yield name, command
    for child in getattr(command, "commands", {}):
        subcommand = command.get_command(None, child)
        yield from tree(subcommand, f"{name} {child}".strip())


TREE = dict(tree(build_command_line(), ""))


def options(command: Any) -> set[str]:
    """Return the options of a command, without --help."""
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")} - {"--help"}


DOCUMENTED = sections(REFERENCE / "commands.md")
#: The section with the options that mean the same in several commands.
SHARED = "Shared options"


def listed_options(heading: str) -> set[str]:
    """Return the options that a section of the page lists."""
    return {cell.split()[0] for cell in first_cells(DOCUMENTED[heading]) if cell != "option"}


def test_every_command_is_documented() -> None:
    assert set(COMMANDS) <= set(TREE)
    assert set(DOCUMENTED) == {SHARED, *TREE}


@pytest.mark.parametrize("name", TREE)
def test_every_option_of_a_command_is_documented_once(name: str) -> None:
    assert listed_options(name) == options(TREE[name]) - listed_options(SHARED)


@pytest.mark.parametrize("option", sorted(listed_options(SHARED)))
def test_a_shared_option_belongs_to_several_commands(option: str) -> None:
    assert len([name for name, command in TREE.items() if option in options(command)]) > 1


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (REFERENCE / "settings.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_named_setting_exists(page: Any) -> None:
    names = {name if name in SETTINGS else name.removesuffix("_FILE") for name in SETTING.findall(page.read_text())}
    assert names - set(SETTINGS) - {"QQCATALYST"} == set()


def split_calls(example: Example) -> Iterator[list[str]]:
    """Yield the words of each call of our program in an example."""
    for line in example.text.replace("\\\n", " ").splitlines():
        code = line.partition(" #")[0].replace("$(", " ").replace(")", " ").replace('"', " ")
        for part in re.split(r"&&|\|\||;|\||>", code):
            words = shlex.split(part, comments=True)
            if words and words[0] in {"qqetl", "./run"}:
                yield words[1:]


@pytest.mark.parametrize("example", examples("bash"), ids=str)
def test_the_commands_of_an_example_exist(example: Example) -> None:
    for words in split_calls(example):
        if words[0] in {*OF_SCRIPT, "--version"}:
            continue  # the bootstrap script has its own tests; the version is not a command
        name = " ".join(words[:2]) if " ".join(words[:2]) in TREE else words[0]
        assert name in TREE, f"{example}: {' '.join(words)}"
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options(TREE[name]), f"{example}: {' '.join(words)}"


#: A call of the program in backticks.
CALL = re.compile(r"`(?:qqetl|\./run) ([a-z]+)[^`\n]*`")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_named_command_exists(page: Any) -> None:
    assert set(CALL.findall(page.read_text())) - set(COMMANDS) - OF_SCRIPT == set()


def leaf_errors(root: type[EtlError]) -> Iterator[type[EtlError]]:
    """Yield the most specific subclasses of an error that users may rely on."""
    subclasses = [error for error in root.__subclasses__() if error.__name__ in errors.__all__]
    for error in subclasses:
        yield from leaf_errors(error)
    if root.__name__ in errors.__all__ and (not subclasses or root is errors.UsageError):
        yield root


def test_every_error_has_its_exit_status() -> None:
    table = sections(REFERENCE / "exit-statuses.md")["Errors and their statuses"]
    documented = dict(re.findall(r"^\| `(\w+)` \| (\d) \|", table, re.MULTILINE))
    assert documented == {error.__name__: str(error.exit_status) for error in leaf_errors(EtlError)}


def test_the_help_and_the_page_list_the_same_exit_statuses() -> None:
    listed = re.findall(r"^\| (\d) \|", (REFERENCE / "exit-statuses.md").read_text(), re.MULTILINE)
    in_help = re.findall(r"(?:^|[:;] ?|\n)(\d) [a-z]", build_command_line().epilog)
    assert listed == in_help == list("0123456")


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("Batch", BatchState),
        ("Resource of a batch", ResourceState),
        ("Slice", SliceState),
        ("Raw row", RawState),
        ("Finding", FindingState),
        ("Outcome", Outcome),
    ],
)
def test_every_state_is_documented(heading: str, states: type[StrEnum]) -> None:
    cells = first_cells(sections(REFERENCE / "states.md")[heading])
    assert cells == ["state", *(state.value for state in states)]


@pytest.mark.parametrize(
    ("page", "heading", "states"),
    [("drift.md", "What is reported", DriftState), ("validation.md", "Four severities", Severity)],
)
def test_every_state_with_a_page_of_its_own_is_documented_there(page: str, heading: str, states: type[StrEnum]) -> None:
    _, *cells = first_cells(sections(ROOT / "docs/explanation" / page)[heading])
    assert cells == [state.value for state in states]


def test_the_balance_names_every_outcome() -> None:
    page = (ROOT / "docs/explanation/balance.md").read_text()
    assert "fetched = " + " + ".join(Outcome) in page


@pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)
def test_a_resource_is_listed_in_the_api_facts(resource: Any) -> None:
    lines = sections(REFERENCE / "api-facts.md")["Resources"].splitlines()
    (line,) = (line for line in lines if line.startswith(f"| {resource.name} |"))
    assert line.endswith("| yes |" if resource.is_documented else "| no |")
    assert [call.path for call in resource.endpoints if f"`{call.method} {call.path}`" not in line] == []
    assert [derivation.resource for derivation in resource.derived if derivation.resource not in line] == []
