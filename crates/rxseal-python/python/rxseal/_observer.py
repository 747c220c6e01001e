"""An observer that writes events to Python's logging."""

import logging as _logging

from ._native import Event


class LoggingObserver:
    """Writes each event to a logger: who opened how many fields of how many records, and why. Record ids go to its debug level alone."""

    def __init__(self, name: str = "rxseal") -> None:
        self._logger = _logging.getLogger(name)

    def __call__(self, event: Event) -> None:
        if event.kind == "key":
            self._logger.info("rxseal %s: %s", event.keyspace, event.text)
            return
        self._logger.info(
            "rxseal %s: %s opened %d fields of %d records of %s for %s: %s",
            event.keyspace,
            event.actor,
            event.fields,
            len(event.record_ids),
            event.record_type,
            event.purpose,
            event.outcome,
            extra={"rxseal_classes": event.classes, "rxseal_keys": event.keys, "rxseal_request_id": event.request_id},
        )
        self._logger.debug("rxseal %s: records %s", event.keyspace, event.record_ids)


logging = LoggingObserver()
"""The observer for those who collect logs: `observer=rxseal.logging`."""
