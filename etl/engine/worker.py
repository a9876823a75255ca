"""The process of a lane: `python -m etl.engine.worker` takes groups from its input until that ends."""

import gc
import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import IO

from etl.engine.page_writer import Taker
from etl.engine.workers import send


def main() -> None:
    """Serve one run: first its taker is read, then group after group, each answered by what it came to."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # the run that began it hears them, and ends the input
    with (
        suppress(BrokenPipeError),  # the run has ended without us; what was committed stays
        os.fdopen(os.dup(0), "rb") as given,
        os.fdopen(os.dup(1), "wb") as answers,
    ):
        os.dup2(2, 1)  # whatever is printed must not run into the answers
        taker = pickle.load(given)()  # noqa: S301 (our own process)
        gc.disable()  # a group is thousands of objects and no circle: looking for one costs as much as cleaning does
        serve(taker, given, answers)
        taker.ledger.engine.dispose()
    sys.stderr.flush()
    os._exit(0)  # taking an interpreter apart that has held thousands of records takes longer than the last group


def serve(taker: Taker, given: IO[bytes], answers: IO[bytes]) -> None:
    """Take groups until there are no more."""
    while True:
        try:
            group = pickle.load(given)  # noqa: S301 (our own process)
        except EOFError:
            return
        outcome: object
        try:
            outcome = taker.take_unknown(group)
        except Exception as error:  # noqa: BLE001 (handed to the run, which decides)
            outcome = error
        send(answers, outcome)
        gc.collect(0)  # what little did run in circles while the group was taken


if __name__ == "__main__":
    main()
