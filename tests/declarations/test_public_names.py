"""No public name changes unnoticed: settings, commands, kinds, rules, checks, states, log keys, DAGs, Python calls."""

import ast
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import sqlalchemy
from airflow_home import AirflowHome
from public_names import FOLDER, assert_kept, stored
from typer.core import TyperGroup

import etl.errors
import etl.models
from etl import values
from etl.checks import CHECKS
from etl.config.settings import Settings
from etl.load import UNIQUE_CONSTRAINTS

ETL = Path(etl.errors.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "msg", "log"}
#: What binds keys to all log lines of a block or a process: ours, and after them structlog's own.
BINDERS = {"log_context", "add_log_fields", "bound_contextvars", "bind_contextvars"}

PACKAGES = ("etl.extract", "etl.load", "etl.models", "etl.pipeline", "etl.transform")

#: Each has a file of the columns of its tables and views.
SCHEMAS = ("public", "raw", "etl", "history", "masked")

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
found = []
for dag in bag.dags.values():
    found += [f"{dag.dag_id}", *(f"{dag.dag_id} tag {one}" for one in dag.tags)]
    found += [f"{dag.dag_id} param {one}" for one in dag.params]
    for task in dag.tasks:
        found.append(f"{dag.dag_id} task {task.task_id}")
        found += [f"{dag.dag_id} task {task.task_id} outlet {type(one).__name__} {one.name}" for one in task.outlets]
print()
print(json.dumps(found))
"""


def test_settings_keep_their_names() -> None:
    assert_kept({"settings": settings()})


def settings() -> Iterator[str]:
    """Yield the variables of the environment, those that name a secret's file, and the words that may be chosen."""
    for name, field in Settings.model_fields.items():
        yield name.upper()
        if "SecretStr" in str(field.annotation):
            yield f"{name.upper()}_FILE"
        if get_origin(field.annotation) is Literal:
            yield from (f"{name.upper()} = {word}" for word in get_args(field.annotation))


def test_commands_and_their_options_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_kept({"commands": commands(whole_command_line(monkeypatch), "qqetl")})


def whole_command_line(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what the installed program `qqetl` carries out."""
    caught: list[Any] = []
    monkeypatch.setattr(TyperGroup, "main", lambda self, *_, **__: caught.append(self))
    (program,) = entry_points(group="console_scripts", name="qqetl")
    program.load()([])
    monkeypatch.undo()
    return caught[0]


def commands(command: Any, words: str) -> Iterator[str]:
    """Yield a command, its options and arguments, and all commands below it."""
    yield words
    for parameter in command.params:
        is_option = parameter.param_type_name == "option"
        spelled = (
            " ".join([*parameter.opts, *parameter.secondary_opts])
            if is_option
            else parameter.metavar or parameter.name.upper()
        )
        yield f"{words} {spelled}" + (" VALUE" if is_option and not parameter.is_flag else "")
        yield from (f"{words} {spelled} = {choice}" for choice in choices(parameter.type_descriptor.annotation))
    if hasattr(command, "list_commands"):
        context = command.make_context(words, [], resilient_parsing=True)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), f"{words} {name}")


def choices(annotation: Any) -> Iterator[str]:
    """Yield the words that an option takes, none where it takes any."""
    for alternative in (annotation, *get_args(annotation)):
        if inspect.isclass(alternative) and issubclass(alternative, Enum):
            yield from (str(member.value) for member in alternative)


def test_errors_stay_importable_with_their_exit_statuses() -> None:
    assert_kept({"errors": errors()})


def errors() -> Iterator[str]:
    """Yield every error with its exit status, what it is made from, and what it can be caught as."""
    names = {*etl.errors.__all__, *(re.split(r"[ (]", line)[0] for line in stored("errors"))}
    members = {name: getattr(etl.errors, name, None) for name in names}
    classes = {
        name: member for name, member in members.items() if inspect.isclass(member) and issubclass(member, Exception)
    }
    for name, error in classes.items():
        yield f"{name} exit status {getattr(error, 'exit_status', None)}"
        yield f"{name}{parameters(error)}"
        yield from (
            f"{name} is caught as {base}" for base in classes if base != name and issubclass(error, classes[base])
        )


def test_the_exit_statuses_of_commands_are_kept_and_documented() -> None:
    assert_kept({"exit_statuses": (f"{status.value} {status.name}" for status in etl.errors.ExitStatus)})
    page = (ETL.parent / "docs/reference/exit-statuses.md").read_text().partition("\n## ")[0]
    assert {int(number) for number in re.findall(r"^\| (\d) \|", page, re.MULTILINE)} == set(etl.errors.ExitStatus)


def parameters(call: Callable[..., Any]) -> str:
    """Return the parameters of a call as they are written, without types and defaults."""
    shown = [
        inspect.Parameter(
            parameter.name, parameter.kind, default=parameter.empty if parameter.default is parameter.empty else ...
        )
        for parameter in inspect.signature(call).parameters.values()
        if parameter.name != "self"
    ]
    return str(inspect.Signature(shown)).replace("Ellipsis", "...")


def test_the_python_calls_keep_their_names() -> None:
    """What is stored is looked up, so that it may move as long as the old name leads there; add such a line by hand."""
    assert_kept({"python_calls": [*still_there("python_calls"), *exported()]})


def test_the_python_calls_that_only_the_documentation_shows_keep_their_names() -> None:
    assert_kept({"python_calls_in_docs": still_there("python_calls_in_docs")})


def still_there(category: str) -> Iterator[str]:
    """Yield the stored names that still lead somewhere, with the parameters of today, and the fields of classes."""
    for line in stored(category):
        name, is_call = line.partition("(")[0], "(" in line
        target = imported(name)
        if target is not None:
            yield name + (parameters(target) if is_call else "")
        if inspect.isclass(target) and dataclasses.is_dataclass(target) and not is_call:
            yield from (f"{name}.{field.name}" for field in dataclasses.fields(target))
            yield from (f"{name}.{attribute}" for attribute, what in vars(target).items() if isinstance(what, property))


def exported() -> Iterator[str]:
    """Yield what packages export, and what is unique in each table."""
    for package in PACKAGES:
        yield from (f"{package}.{name}" for name in import_module(package).__all__ if imported(f"{package}.{name}"))
    for model, columns in UNIQUE_CONSTRAINTS.items():
        yield f"etl.load.UNIQUE_CONSTRAINTS: {model.__tablename__} = {', '.join(columns)}"


def imported(name: str) -> Any:
    """Return the object of a dotted name, None if there is none."""
    parts = name.split(".")
    for number in range(len(parts) - 1, 0, -1):
        try:
            target: Any = import_module(".".join(parts[:number]))
        except ModuleNotFoundError:
            continue
        for part in parts[number:]:
            target = getattr(target, "__dataclass_fields__", {}).get(part) or getattr(target, part, None)
        return target
    return None


def test_the_models_keep_their_tables_and_attributes() -> None:
    assert_kept({"python_models": python_models()})


def python_models() -> Iterator[str]:
    """Yield each production class with its table and the attributes of its rows."""
    for name, model in vars(etl.models).items():
        if inspect.isclass(model) and hasattr(model, "__tablename__"):
            yield f"{name} is {model.__tablename__}"
            yield from (f"{name}.{attribute.key}" for attribute in sqlalchemy.inspect(model).attrs)


def test_kinds_and_finding_rules_and_checks_keep_their_names() -> None:
    assert_kept({"kinds": [kind.name for kind in kinds()], "finding_rules": finding_rules(), "checks": checks()})


def kinds() -> list[type[values.Kind]]:
    """Return the kinds of value."""
    candidates = [getattr(values, name) for name in values.__all__]
    return [
        candidate
        for candidate in candidates
        if inspect.isclass(candidate) and issubclass(candidate, values.Kind) and candidate is not values.Kind
    ]


def finding_rules() -> Iterator[str]:
    """Yield the rules that kinds report: for what they and all others show as accepted and rejected."""
    shown = [raw for kind in kinds() for raw, _ in (*kind.accepts, *kind.rejects)]
    odd: list[Any] = [[], {}, True, float("nan"), json.loads("[" * 400 + "]" * 400)]
    configured = [values.Text(max_length=5), values.Word(status=True), values.Code("term", {}), values.Integer(0, 9)]
    yield from (rule for kind in kinds() for _, rule in kind.rejects)
    for kind, raw in product([*(plain.example() for plain in kinds()), *configured], [*shown, *odd]):
        if (rule := getattr(kind.clean(raw), "rule", None)) is not None:
            yield str(rule)


def checks() -> Iterator[str]:
    """Yield each check with what it speaks of and its view."""
    for check in CHECKS:
        yield f"{check.name}: {check.resource}.{check.field}, {check.severity.value}, view {check.view}"


def test_the_words_of_every_enumeration_are_kept() -> None:
    assert_kept({"enumerations": enumerations()})


def enumerations() -> Iterator[str]:
    """Yield the values of each enumeration of texts on a line, without its name in the code."""
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("StrEnum") for base in node.bases):
                words = [
                    ast.literal_eval(statement.value)
                    for statement in node.body
                    if isinstance(statement, ast.Assign) and is_text(statement.value)
                ]
                if words:
                    yield " | ".join(words)


def trees() -> Iterator[ast.Module]:
    """Yield every file of the product, parsed."""
    return (ast.parse(path.read_text()) for path in sorted(ETL.rglob("*.py")))


def is_text(node: ast.AST) -> bool:
    """Return whether a node is a text as it stands."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_the_log_keeps_its_keys() -> None:
    assert_kept({"log_keys": log_keys()})


def log_keys() -> Iterator[str]:
    """Yield the keys of each log call, after the event where that is one word; sentences are prose and may change."""
    for node in (node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        keys = ", ".join(sorted(keyword.arg or "**" for keyword in node.keywords))
        if called in BINDERS and keys and keys != "**":
            yield f"bound: {keys}"
        texts = [
            ast.literal_eval(argument) for argument in node.args[:2] if is_text(argument)
        ]  # the level may be first
        if called in LEVELS and keys and texts:
            event = texts[0]
            yield f"{event if event.isidentifier() else '(a sentence)'}: {keys}"


@pytest.mark.timeout(300)
def test_the_dags_keep_the_names_of_tasks_and_assets(tmp_path: Path) -> None:
    assert_kept({"dags": [*dags(tmp_path), *asset_addresses()]})


def dags(folder: Path) -> set[str]:
    """Return what Airflow sees with one agency and with several: DAGs, tasks, parameters, tags, outlets."""
    (folder / "agencies/north").mkdir(parents=True)
    (folder / "agencies/north/.env").write_text("QQCATALYST_USERNAME=somebody\n")
    names: set[str] = set()
    for number, settings in enumerate(({}, {"ETL_AGENCIES": str(folder / "agencies")})):
        home = AirflowHome(folder / f"airflow-{number}", "sqlite://", settings)
        home.folder.mkdir()
        names |= set(json.loads(home.run(sys.executable, "-c", PARSE, str(home.dags)).stdout.splitlines()[-1]))
    return names


def asset_addresses() -> Iterator[str]:
    """Yield the forms of the addresses of assets, as the DAGs write them; the parts put in are left out."""
    for path in sorted((ETL / "dags").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr) and is_text(node.values[0]) and "://" in ast.unparse(node.values[0]):
                yield "asset " + "".join(ast.literal_eval(part) if is_text(part) else "*" for part in node.values)


def test_every_file_of_the_list_is_asked_for() -> None:
    sources = (
        Path(__file__).read_text() + (Path(__file__).parents[1] / "acceptance/test_public_names_written.py").read_text()
    )
    names = {file.stem for file in FOLDER.iterdir()}
    assert {name for name in names if f'"{name}"' not in sources} <= {f"columns_{schema}" for schema in SCHEMAS}
