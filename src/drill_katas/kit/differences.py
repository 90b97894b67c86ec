"""The first difference between two values of plain data, in words."""

from __future__ import annotations

import json
from typing import Final

from drill_katas.text import plural, truncate

SHOWN: Final = 60  # most characters of a value


def difference(seen: object, right: object, where: str = "") -> str:
    """Return the first difference between `seen` and `right` in words, "" if they are equal.

    `where` is the path to the values, such as "lines, item 1".

    >>> difference({"id": 7, "lines": [{"price": "1.50"}]}, {"id": 7, "lines": [{"price": "1.75"}]})
    'lines, item 1, price is "1.50"; it should be "1.75"'
    """
    at = f"{where}, " if where else ""
    if isinstance(seen, dict) and isinstance(right, dict):
        missing = [name for name in right if name not in seen]
        if missing:
            return f"{at}{missing[0]} is missing; it should be {_shown(right[missing[0]])}"
        found = (difference(seen[name], value, f"{at}{name}") for name, value in right.items())
        extra = (f"{at}{name} is {_shown(seen[name])}; it should not be there" for name in seen if name not in right)
        return next(filter(None, found), "") or next(extra, "")
    if isinstance(seen, list | tuple) and isinstance(right, list | tuple):
        pairs = enumerate(zip(seen, right, strict=False), 1)
        found = (difference(one, other, f"{at}item {number}") for number, (one, other) in pairs)
        return next(filter(None, found), "") or _length(len(seen), len(right), where)
    if type(seen) is type(right) and seen == right:
        return ""
    return f"{where or 'it'} is {_shown(seen)}; it should be {_shown(right)}"


def _length(seen: int, right: int, where: str) -> str:
    items = plural(seen, "item")
    return "" if seen == right else f"{where or 'it'} has {items}; it should have {right}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return truncate(text, SHOWN)
