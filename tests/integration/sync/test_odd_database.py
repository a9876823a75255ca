"""A sync under a role named like a schema, in a database with odd defaults, ends in the same tables."""

import pytest
from odd_defaults import ODD_DEFAULTS, administer, as_role
from sites import Site, open_site
from snapshots import differences, digest

from etl.database.migrate import upgrade
from etl.simulator import Simulator

RIGHTS = ("GRANT CREATE, TEMPORARY ON DATABASE {database} TO {role}", "GRANT CREATE ON SCHEMA public TO {role}")


@pytest.mark.parametrize("role", ["etl"])
def test_a_sync_depends_on_no_default_of_the_database(
    as_synced: Site, simulator: Simulator, empty_database_url: str, role: str
) -> None:
    database = empty_database_url.rpartition("/")[2]
    odd = [f"ALTER DATABASE {database} SET {name} = {value}" for name, value in ODD_DEFAULTS.items()]
    administer(empty_database_url, "CREATE SCHEMA odd", *odd)
    with as_role(empty_database_url, role, *RIGHTS) as url:
        upgrade(url)
        with open_site(simulator, url) as site:
            assert site.sync_once().exit_status == 0
            assert differences(digest(site.engine), digest(as_synced.engine)) == []
            assert site.sync_once().exit_status == 0
