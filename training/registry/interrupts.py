"""Interrupts: Ctrl-C waits until a step that must not be left half-done is complete."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class DeferredInterrupt:
    """
    A block in which Ctrl-C waits: from `begin` until the block ends; before `begin` it acts at once.

    Signals reach the main thread only; in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self._interrupted = False
        self._before: Any = None

    def __enter__(self) -> Self:
        """Enter the block; Ctrl-C still acts at once."""
        return self

    def begin(self) -> None:
        """Defer Ctrl-C from here on."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._remember)

    def __exit__(self, *_raised: object) -> None:
        """Leave the block, and raise the interrupt that was deferred."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._interrupted:
            raise KeyboardInterrupt

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
