"""Single columns as a table of two."""

from typing import Any

import pyarrow as pa

VALUE = "value"


def table_of(values: Any, ids: Any) -> tuple[pa.Table, list[str]]:
    """The ids and the values beside each other, and the names of the columns with the ids."""
    parts = list(ids) if isinstance(ids, (tuple, list)) and ids and _is_column(ids[0]) else [ids]
    names = [f"id{at}" for at, _ in enumerate(parts)]
    columns = [_column(part) for part in parts]
    return pa.table([*columns, _column(values)], names=[*names, VALUE]), names


def _is_column(value: Any) -> bool:
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _column(values: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    return pa.array(values)
