import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn, TypeAlias, final, overload

_Path: TypeAlias = str | os.PathLike[str]

class RxsealError(Exception):
    """Why rxseal refused something. Its text holds no value and no key."""

    code: str
    """Stable, such as `open-failed`."""
    row: int | None
    """The row of the table, counted from 0."""
    column: str | None
    field: str | None
    """The id of the field."""

@final
class Event:
    """Something that an observer is told. It holds ids and counts, and never a value."""

    kind: str
    """`opening` before a page is opened, `opened` after it, or `key`."""
    keyspace: str
    actor: str | None
    purpose: str | None
    request_id: str | None
    record_type: str | None
    record_ids: list[str]
    """Ids often identify a patient: protect a log of them as you protect the records."""
    fields: int
    """How many fields were opened."""
    classes: list[str]
    keys: list[str]
    outcome: str | None
    """`opened`, `panicked` or the code of an error."""
    text: str | None
    """Of an event of keys: what happened."""

@final
class Schema:
    """What a program says of its record types, from its `rxseal-schema.json`."""

    @classmethod
    def read(cls, path: _Path) -> Schema: ...
    @classmethod
    def parse(cls, text: str) -> Schema: ...
    def plan(
        self,
        record: str,
        fields: dict[str, str] | None = None,
        *,
        ids: Sequence[str] | None = None,
        subject: str | None = None,
        tokens: Literal["binary", "text"] = "binary",
        unverified: bool = False,
    ) -> Plan:
        """Which columns are which fields: `fields` maps columns to field ids, and None takes every field in the column of its name.

        `ids` are the columns with the record's id, by default those of the schema. `tokens` is what sealed columns become. `unverified` opens
        record types with a record tag, which is not verified.
        """

    @property
    def records(self) -> dict[str, list[str]]:
        """The record types, each with its field ids."""

@final
class Plan:
    """Which columns of a table are which fields of which record. `Schema.plan` makes it."""

    @property
    def record(self) -> str: ...
    @property
    def fields(self) -> dict[str, str]:
        """Columns to field ids."""

    def sealed_schema(self, schema: Any) -> Any:
        """The `pyarrow.Schema` that a table of this one has after it was sealed, for engines that ask before the first batch."""

    def opened_schema(self, schema: Any) -> Any:
        """The `pyarrow.Schema` that a table of this one has after it was opened."""

@final
class KeyCounts:
    """How many tokens are under which key."""

    keys: dict[str, int]
    nulls: int
    not_tokens: int

def count_by_key(table: Any, columns: Sequence[str]) -> KeyCounts:
    """Counts the tokens of columns by key. It needs no key, and opens nothing."""

@final
class Opener:
    """Opens columns, and cannot seal. It belongs to the process that unlocked it, and cannot be pickled."""

    @classmethod
    def unlock(
        cls,
        keyspace: str,
        *,
        roots: Sequence[str],
        schema: Schema | _Path,
        classes: Sequence[str],
        who: str,
        purpose: str,
        observer: Callable[[Event], object],
        stored: _Path | None = None,
        store: str | None = None,
        request_id: str | None = None,
        subjects: str | None = None,
        min_generation: int = 0,
    ) -> Opener:
        """Unlocks the keyring of `keyspace`, with one call of a root key.

        `roots` are tried in their order: `file:PATH` or `env:VARIABLE`. The keyring is the file `stored`, or in `store`, such as `file:FOLDER`.
        `schema` is the program's `rxseal-schema.json`. `classes` are those that are needed: no field of another opens. `who` is `user:`,
        `svc:` or `job:` and an id, and `purpose` a code of HL7 PurposeOfUse, such as `HOPERAT`. `observer` is called with each event: if it
        raises, nothing is handed out. If it has a method `before_open`, that is called before, and refuses by raising. `subjects` is the store of
        subject keys, for record types with a subject.
        """

    @property
    def schema(self) -> Schema: ...
    def open(self, values: Any, *, record: str, ids: Any, field: str) -> Any:
        """One column, as a `pyarrow.ChunkedArray`: `values` has the tokens of `field`, and `ids` the id of each record.

        A composite id is a tuple of columns.
        """

    @overload
    def open_batch(self, table: Any, plan: Plan, *, on_error: Literal["raise"] = "raise") -> Any: ...
    @overload
    def open_batch(self, table: Any, plan: Plan, *, on_error: Literal["report"]) -> tuple[Any, Any]: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Sealer:
    """Seals columns, and cannot open. It belongs to the process that unlocked it, and cannot be pickled."""

    @classmethod
    def unlock(
        cls,
        keyspace: str,
        *,
        roots: Sequence[str],
        schema: Schema | _Path,
        classes: Sequence[str],
        observer: Callable[[Event], object],
        stored: _Path | None = None,
        store: str | None = None,
        subjects: str | None = None,
        min_generation: int = 0,
    ) -> Sealer: ...
    @property
    def schema(self) -> Schema: ...
    def seal_batch(self, table: Any, plan: Plan) -> Any: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Resealer:
    """Moves tokens to the primary key, and hands out no value. It belongs to the process that unlocked it, and cannot be pickled."""

    @classmethod
    def unlock(
        cls,
        keyspace: str,
        *,
        roots: Sequence[str],
        schema: Schema | _Path,
        observer: Callable[[Event], object],
        stored: _Path | None = None,
        store: str | None = None,
        subjects: str | None = None,
        min_generation: int = 0,
    ) -> Resealer: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def primary_key(self) -> str:
        """The key that tokens are moved to."""

    @overload
    def reseal_batch(self, table: Any, plan: Plan, *, on_error: Literal["raise"] = "raise") -> Any: ...
    @overload
    def reseal_batch(self, table: Any, plan: Plan, *, on_error: Literal["report"]) -> tuple[Any, Any]: ...
    def __reduce__(self) -> NoReturn: ...
