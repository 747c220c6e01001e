"""One handle for each process, for engines that call a function once for each partition."""

import os
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

Handle = TypeVar("Handle")

_LONGEST = 300.0
_lock = Lock()
_held: dict[tuple[Any, ...], tuple[float, Any]] = {}


def per_process(unlock: Callable[..., Handle], /, *args: Any, seconds: float = _LONGEST, **kwargs: Any) -> Handle:
    """`unlock(*args, **kwargs)`, once for each process and these arguments, and again after `seconds`, at most 300.

    Spark calls a function once for each partition, in workers that it forks. With this, each worker asks a root key once.

        opener = rxseal.per_process(rxseal.Opener.unlock, "pharmacy-17", roots=["file:/etc/root.key"], ...)
    """
    seconds = min(seconds, _LONGEST)
    key = (os.getpid(), unlock.__qualname__, *(repr(value) for value in (args, sorted(kwargs.items()))))
    with _lock:
        # What a parent process unlocked is not this process's.
        for other in [other for other in _held if other[0] != os.getpid() or _held[other][0] < time.monotonic()]:
            del _held[other]
        if key not in _held:
            _held[key] = (time.monotonic() + seconds, unlock(*args, **kwargs))
        handle: Handle = _held[key][1]
        return handle


def _after_fork() -> None:
    global _lock
    _lock = Lock()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
