"""Help of every command: description, examples, and options that exist."""

import re
import shlex
import subprocess
import sys
import time

import pytest
import typer.main
from typer.testing import CliRunner

from etl.cli.main import COMMANDS, HELP, build_command_line

SUBCOMMANDS = ("upgrade", "check", "backup", "restore", "move", "stop", "remove", "url")
EVERY = [[name] for name in COMMANDS] + [["db", name] for name in SUBCOMMANDS]
#: Commands with results in JSON.
WITH_JSON = ("sync", "extract", "transform", "load", "retry", "status", "runs", "findings", "resources", "simulate")


def help_of(words: list[str]) -> str:
    """Return the help text of a command."""
    group = build_command_line()
    context = group.make_context("qqetl", [], resilient_parsing=True)
    command = group
    for word in words:
        command = command.get_command(context, word)
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
    return str(command.get_help(context))


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_help_text_has_an_example(words: list[str]) -> None:
    text = help_of(words)
    assert "Examples:" in text, "add format_examples(...) as the epilog of the command"
    lines = [line.strip() for line in text.split("Examples:")[1].splitlines()]
    assert any(line.startswith(f"qqetl {words[0]}") or f"qqetl {words[0]}" in line for line in lines)
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_options_of_every_example_exist(words: list[str]) -> None:
    text = help_of(words)
    options = set(re.findall(r"--[a-z-]+", text.split("Examples:")[0]))
    for line in text.split("Examples:")[1].splitlines():
        if line.strip().startswith("qqetl " + " ".join(words)):
            call = re.split(r"\s{2,}|[>|]", line.strip())[0]
            assert {word for word in shlex.split(call) if word.startswith("--")} <= options, line


@pytest.mark.parametrize("name", WITH_JSON)
def test_commands_with_results_print_json(name: str) -> None:
    assert "--json" in help_of([name])


def test_the_list_of_commands_imports_no_command() -> None:
    began = time.perf_counter()
    code = "import sys; from etl.cli.main import main; main(['--help']); print([m for m in ('sqlalchemy', 'aiohttp', 'rich') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - began < 5  # tenths of a second on an idle machine; the imports are the better measure
    assert done.stdout.endswith("[]\n")
    assert HELP in " ".join(done.stdout.split())
    assert all(name in done.stdout for name in COMMANDS)


def test_a_mistyped_command_gets_a_suggestion() -> None:
    done = subprocess.run([sys.executable, "-m", "etl", "snyc"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean 'sync'?" in done.stderr


def test_every_listed_command_has_a_file() -> None:
    runner = CliRunner()
    for name, words in COMMANDS.items():
        assert words.endswith(".")
        module = __import__(f"etl.cli.commands.{name}", fromlist=["app"])
        assert isinstance(module.app, typer.Typer)
        assert runner.invoke(module.app, ["--help"]).exit_code == 0
