"""The Singer target for PostgreSQL, which reports when its imports are done, so that they are not measured."""

import sys

from target_postgres.target import TargetPostgres


def main() -> None:
    """Run the target."""
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    TargetPostgres.cli()


if __name__ == "__main__":
    main()
