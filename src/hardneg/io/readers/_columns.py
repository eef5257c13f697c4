"""Which column plays which role: by the user's word, else by the names that are common in the field."""

from __future__ import annotations

from collections.abc import Mapping

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._names import Roles, normal, numbered_stem
from hardneg.io.readers._rows import Record, Rows

__all__ = ["Columns", "check_chosen"]


class Columns:
    """The columns of each record by role; ``negative_1`` to ``negative_n`` make one role.

    Records of one file may differ in their columns (JSON), so each set of columns is looked at once.
    """

    def __init__(self, roles: Roles, rows: Rows, options: ReadOptions, seen: set[str]) -> None:
        self._roles, self._rows, self._options, self._seen = roles, rows, options, seen
        self._known: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}

    def __call__(self, record: Record) -> Mapping[str, tuple[str, ...]]:
        """Return role -> columns; a role without a column is left out."""
        key = tuple(record)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(key)
        return found

    def need(self, number: int, record: Record, *roles: str) -> None:
        """Raise InputError unless the record has a column for each of ``roles``."""
        for role in roles:
            if role not in self(record):
                number = 1 if self._rows.carrier in ("csv", "tsv", "table") else number  # the header
                names = "', '".join(self._roles[role][:4])
                raise self._rows.error(
                    number,
                    f"The field '{self._roles[role][0]}' is missing. Found: {', '.join(record) or 'nothing'}.",
                    f"Name it '{names}', or say which it is with --column {role}=NAME.",
                )

    def _find(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        if broken := next((one for one in names if not encodable(one)), None):
            raise InputError(f"The column name {broken!r} is not whole Unicode.", path=self._rows.path)
        taken = set(self._options.columns.values())
        by_normal = {normal(name): name for name in reversed(names) if name not in taken}
        found: dict[str, tuple[str, ...]] = {}
        for role, common in self._roles.items():
            chosen = self._options.columns.get(role)
            if chosen in names:
                self._seen.add(str(chosen))
                found[role] = (str(chosen),)
                continue
            hit = next((by_normal[one] for one in common if one in by_normal), None)
            numbered = [name for key, name in by_normal.items() if numbered_stem(key) in common]
            if hit is not None or numbered:
                found[role] = (*([hit] if hit is not None else []), *reversed(numbered))
        return found


def check_chosen(options: ReadOptions, seen: set[str]) -> None:
    """Raise InputError for a column that the user named and no file has in its role."""
    for role, chosen in options.columns.items():
        if chosen not in seen:
            raise InputError(
                f"No file has a column '{chosen}' (for {role}).", remedy=f"Check --column {role}={chosen}."
            )
