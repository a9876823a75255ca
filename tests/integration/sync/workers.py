"""Worker processes on this machine, as a scheduler has them on many: chunks are assigned, and again when one dies."""

import json
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sites import Site, environment_of

from etl.pipeline.task_chunks import Chunk
from etl.pipeline.tasks import RunTask

PROGRAM = Path(__file__).with_name("chunk_worker.py")


@dataclass
class Crew:
    """A number of workers, each with a thread that assigns it one chunk after the other."""

    site: Site
    size: int
    die_after: int | None = None  #: number of commits after which the worker that made the last one is killed, once
    commits: list[str] = field(default_factory=list)
    deaths: int = 0
    readers: set[int] = field(default_factory=set)  #: processes that have finished a chunk

    def read(self, task: RunTask, batch_id: UUID, pieces: list[Chunk]) -> None:
        """Read chunks in parallel; a chunk whose worker died is assigned again."""
        waiting: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
        for piece in pieces:
            waiting.put(piece)
        hands = [threading.Thread(target=self.run_worker, args=(task.run, batch_id, waiting)) for _ in range(self.size)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        assert waiting.empty()

    def run_worker(self, run: str, batch_id: UUID, waiting: "queue.SimpleQueue[Chunk]") -> None:
        """Keep one worker busy; start another when it dies."""
        while not waiting.empty():
            command = [sys.executable, str(PROGRAM), run, str(batch_id)]
            with subprocess.Popen(
                command, env=environment_of(self.site), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as worker:
                self.feed_worker(worker, waiting)

    def feed_worker(self, worker: "subprocess.Popen[str]", waiting: "queue.SimpleQueue[Chunk]") -> None:
        """Assign chunks to a worker until there are no more or it dies."""
        assert worker.stdin is not None
        while True:
            try:
                piece = waiting.get_nowait()
            except queue.Empty:
                worker.stdin.close()
                return
            worker.stdin.write(json.dumps(piece.to_json()) + "\n")
            worker.stdin.flush()
            if not self.wait_for_chunk(worker):
                self.deaths += 1
                waiting.put(piece)
                return
            self.readers.add(worker.pid)

    def wait_for_chunk(self, worker: "subprocess.Popen[str]") -> bool:
        """Follow a worker through a chunk; return whether it finished."""
        assert worker.stdout is not None
        for line in worker.stdout:
            if line == "done\n":
                return True
            self.commits.append(line.strip())
            if self.die_after is not None and len(self.commits) >= self.die_after:
                self.die_after = None
                worker.kill()
        return False
