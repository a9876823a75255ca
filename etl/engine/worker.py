"""The worker process: `python -m etl.engine.worker` writes page groups from its input until the input ends."""

import gc
import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import IO

from etl.engine.page_writer import PageWriter
from etl.engine.workers import send_pickled


def main() -> None:
    """Serve one run: read the page writer, then page group after page group, and answer each with its result."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # the parent process handles them, and closes the input
    with (
        suppress(BrokenPipeError),  # the parent process has ended; what was committed is kept
        os.fdopen(os.dup(0), "rb") as input_stream,
        os.fdopen(os.dup(1), "wb") as output_stream,
    ):
        os.dup2(2, 1)  # printed text must not mix with the results
        writer = pickle.load(input_stream)()  # noqa: S301 (our own process)
        gc.disable()  # thousands of objects per group, but no cycles: collecting costs as much as cleaning
        write_groups(writer, input_stream, output_stream)
        writer.ledger.engine.dispose()
    sys.stderr.flush()
    os._exit(0)  # a regular shutdown frees thousands of objects, which takes longer than writing the last group


def write_groups(writer: PageWriter, input_stream: IO[bytes], output_stream: IO[bytes]) -> None:
    """Write page groups until the input ends."""
    while True:
        try:
            group = pickle.load(input_stream)  # noqa: S301 (our own process)
        except EOFError:
            return
        result: object
        try:
            result = writer.write(group)
        except Exception as error:  # noqa: BLE001 (sent to the parent process, which decides)
            result = error
        send_pickled(output_stream, result)
        gc.collect(0)  # the few reference cycles of this group


if __name__ == "__main__":
    main()
