"""A worker of a run in tasks: reads the chunk of each line of its input and answers `done`; it reports every commit."""

import json
import sys
from uuid import UUID

from etl.config.settings import Settings
from etl.database.connect import make_engine
from etl.events import Advanced, Event
from etl.pipeline import Watcher
from etl.pipeline.task_chunks import Chunk
from etl.pipeline.tasks import RunTask, read_chunk


def print_commit(event: Event) -> None:
    """Print the resource of each commit."""
    if isinstance(event, Advanced):
        sys.stdout.write(f"{event.resource}\n")
        sys.stdout.flush()


def main(run: str, batch_id: str) -> None:
    """Read chunks until there are no more."""
    settings = Settings.load()
    assert settings.database_url is not None
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=2)
    for line in sys.stdin:
        read_chunk(
            RunTask(engine, settings, run, Watcher(print_commit)), UUID(batch_id), Chunk.from_json(json.loads(line))
        )
        sys.stdout.write("done\n")
        sys.stdout.flush()
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
