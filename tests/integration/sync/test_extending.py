"""Extending the code takes few changes: a field is one line, a resource is a class and an entry."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sites import Site, environment_of
from snapshots import pairs, value, values

import etl
from etl.simulator import Simulator

#: Writes the migration, upgrades, and continues, all with the code of the changed copy.
PROGRAM = """
import sys
from alembic import command
from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.database.migrate import alembic_config, upgrade
from etl.pipeline import sync
from etl.pipeline.replay import replay
import etl

assert etl.__file__.startswith(sys.argv[1])
settings = Settings.load()
url = settings.database_url.get_secret_value()
engine = make_engine(url)
with engine.begin() as connection:
    command.revision(alembic_config(connection), "grown", autogenerate=True)
upgrade(url)
if sys.argv[2] == "replay":
    replay(engine, settings, "contacts", apply=True)
else:
    assert sync(engine, settings).exit_status == 0
"""

ADDRESS = '''

class Address(Model):
    """An address of a contact."""

    __tablename__ = "addresses"

    contact_id: Mapped[UUID | None] = field("_parent.EntityID", Reference("contacts"), REQUIRED)
    line1: Mapped[str | None] = field("Line1", Text(), personal=True)
'''
ENTRY = """    Resource(
        "addresses", core.Address, "AddressID", (Endpoint("Contacts/{parent}/Addresses", Envelope.PAGE),),
        parent=of_customer("EntityID"), facts=ALL_INTEGRATOR,
    ),
)
# fmt: on"""


def grown(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """Return the folder of a copy of the code with replaced texts in some files."""
    copy = folder / "etl"
    shutil.copytree(Path(etl.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in changes:
        content = (copy / name).read_text()
        assert content.count(old) == 1, f"{name}: {old}"
        (copy / name).write_text(content.replace(old, new))
    return folder


def run(site: Site, folder: Path, what: str) -> None:
    """Migrate the site's database with the changed code and bring it up to date."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), what],
        env={**environment_of(site), "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def migration(folder: Path) -> str:
    (written,) = (path for path in (folder / "etl/alembic/versions").glob("*.py") if "grown" in path.name)
    return written.read_text()


@pytest.mark.timeout(120)
def test_a_new_field_is_one_line_and_is_filled_without_an_api_call(
    site: Site, simulator: Simulator, tmp_path: Path
) -> None:
    key = next(iter(simulator.world.contacts))
    simulator.world.contacts.change(key, None, NickName="  Bo  ")
    assert site.sync_once().exit_status == 0
    line = '    __tablename__ = "contacts"\n'
    folder = grown(
        tmp_path, ("models/core.py", line, f'{line}    nick_name: Mapped[str | None] = field("NickName", Text())\n')
    )
    site.take_calls()
    run(site, folder, "replay")
    assert site.take_calls() == []
    operations = re.findall(r"op\.(\w+)\(", migration(folder).partition("def downgrade")[0])
    assert operations == ["add_column"] * 2  # to the table and to its history
    query = "SELECT source_id, nick_name FROM contacts WHERE nick_name IS NOT NULL"
    assert pairs(site.engine, query) == [(str(key), "Bo")]


@pytest.mark.timeout(120)
def test_a_new_resource_is_a_class_and_an_entry(site: Site, simulator: Simulator, tmp_path: Path) -> None:
    assert site.sync_once().exit_status == 0
    carrier = "\n\nclass Carrier(Model):\n"
    folder = grown(
        tmp_path,
        ("models/core.py", carrier, ADDRESS + carrier),
        ("resources.py", ")\n# fmt: on", ENTRY),
    )
    run(site, folder, "sync")
    world = simulator.world
    customers = values(site.engine, "SELECT source_id FROM raw.raw_account_info WHERE superseded_at IS NULL")
    wanted = sum(len(world.detail("addresses", int(key))) for key in customers)
    assert value(site.engine, "SELECT count(*) FROM addresses WHERE NOT is_placeholder") == wanted > 0
    assert value(site.engine, "SELECT count(*) FROM raw.raw_addresses") == wanted
    operations = set(re.findall(r"op\.(\w+)\(", migration(folder).partition("def downgrade")[0]))
    assert operations <= {"create_table", "create_index", "f"}
