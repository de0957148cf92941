"""Ctrl-C and SIGTERM as a request to stop at the next safe place."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """Training was stopped by a signal after its state was saved."""

    def __init__(self, signal_number: int, message: str) -> None:
        """
        Args:
            signal_number: the signal that was received.
            message: what was saved and how to go on.
        """
        super().__init__(message)
        self.signal_number = signal_number


class StopRequest:
    """Holds the first signal received; a second one acts as it would have without us."""

    signal_number: int | None = None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turns SIGINT and SIGTERM into a request while the block runs.

    Only the main thread of a process can receive signals; in any other thread nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def receive(number: int, frame: FrameType | None) -> None:
        request.signal_number = number
        restore()

    for number in before:
        signal.signal(number, receive)
    try:
        yield request
    finally:
        restore()
