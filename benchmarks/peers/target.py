"""The Singer target for PostgreSQL, begun once it is told to, which leaves the imports out of what is measured."""

import sys

from target_postgres.target import TargetPostgres


def main() -> None:
    """Run the target."""
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    TargetPostgres.cli()


if __name__ == "__main__":
    main()
