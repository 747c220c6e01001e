"""Opens columns that rxseal sealed: pandas, Polars and pyarrow in, Arrow out.

This module opens and cannot seal. What seals is in `rxseal.sealing`, which a program imports if it means to.
"""

from ._native import Event, KeyCounts, Opener, Plan, RxsealError, Schema, count_by_key
from ._observer import LoggingObserver, logging
from ._process import per_process

__all__ = [
    "Event",
    "KeyCounts",
    "LoggingObserver",
    "Opener",
    "Plan",
    "RxsealError",
    "Schema",
    "count_by_key",
    "logging",
    "per_process",
]
