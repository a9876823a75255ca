"""One question to every command: its help says what it does, with an example that it would take."""

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
#: Commands whose results a program may want to read.
FOR_PROGRAMS = ("sync", "extract", "transform", "load", "retry", "status", "runs", "findings", "resources", "simulate")


def help_of(words: list[str]) -> str:
    """Return the help text of a command, rendered in this process."""
    group = build_command_line()
    context = group.make_context("qqetl", [], resilient_parsing=True)
    command = group
    for word in words:
        command = command.get_command(context, word)
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
    return str(command.get_help(context))


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_says_what_it_does_with_an_example(words: list[str]) -> None:
    said = help_of(words)
    assert "Examples:" in said, "add examples(...) as the epilog of the command"
    lines = [line.strip() for line in said.split("Examples:")[1].splitlines()]
    assert any(line.startswith(f"qqetl {words[0]}") or f"qqetl {words[0]}" in line for line in lines)
    assert max(len(line) for line in said.splitlines()) <= 80


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_options_of_every_example_exist(words: list[str]) -> None:
    said = help_of(words)
    known = set(re.findall(r"--[a-z-]+", said.split("Examples:")[0]))
    for line in said.split("Examples:")[1].splitlines():
        if line.strip().startswith("qqetl " + " ".join(words)):
            call = re.split(r"\s{2,}|[>|]", line.strip())[0]
            assert {word for word in shlex.split(call) if word.startswith("--")} <= known, line


@pytest.mark.parametrize("name", FOR_PROGRAMS)
def test_what_a_program_may_read_comes_as_json(name: str) -> None:
    assert "--json" in help_of([name])


def test_the_list_of_commands_is_quick_and_imports_none() -> None:
    began = time.perf_counter()
    asked = "import sys; from etl.cli.main import main; main(['--help']); print([m for m in ('sqlalchemy', 'aiohttp', 'rich') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert time.perf_counter() - began < 5  # a few tenths on an idle machine; what it imports is the better measure
    assert done.stdout.endswith("[]\n")
    assert HELP in " ".join(done.stdout.split())
    assert all(name in done.stdout for name in COMMANDS)


def test_a_mistyped_command_gets_a_suggestion() -> None:
    done = subprocess.run([sys.executable, "-m", "etl", "snyc"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean 'sync'?" in done.stderr


def test_the_list_and_the_files_agree() -> None:
    runner = CliRunner()
    for name, words in COMMANDS.items():
        assert words.endswith(".")
        module = __import__(f"etl.cli.commands.{name}", fromlist=["app"])
        assert isinstance(module.app, typer.Typer)
        assert runner.invoke(module.app, ["--help"]).exit_code == 0
