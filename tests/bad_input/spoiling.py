"""Ways to spoil a valid file. All chance comes from the `Random` that is given: hypothesis' own, or a seeded one."""

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

Spoil = Callable[[bytes, Random], bytes]
NUMBERS = (b"\x00" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, struct.pack("<q", 1 << 40), struct.pack("<d", float("nan")))
MARKS = (b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n\n", b'"', b",", b"\xed\xa0\x80", b"1e999", b"9" * 5000)
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 10**400, 0.5, float("nan"), float("inf"), -1e308),
    *("", "x", "-1", "NaN", "\x00", "\ud800", "../../etc/passwd", "x" * 3000, "²", "images"),
    *([], {}, [None], [1, "a"], {"a": 1}, [[]], [0.0] * 3, {"": {}}),
)


def flip(data: bytes, chance: Random) -> bytes:
    """Some bytes become others."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def flip_head(data: bytes, chance: Random) -> bytes:
    """Likewise in the first bytes, where formats keep their sizes."""
    return flip(data[:200], chance) + data[200:]


def truncate(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def splice(data: bytes, chance: Random) -> bytes:
    """A piece stands in another place, twice or not at all."""
    start, end, to = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    return chance.choice((data[:start] + data[end:], data[:to] + data[start:end] + data[to:], data + data[start:]))


def overwrite(data: bytes, chance: Random) -> bytes:
    """Eight bytes become a number that is too large, negative or none."""
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(NUMBERS) + data[place + 8 :]


def insert(data: bytes, chance: Random) -> bytes:
    place = chance.choice((0, len(data), chance.randrange(len(data) + 1)))
    return data[:place] + chance.choice(MARKS) + data[place:]


def nothing_left(data: bytes, chance: Random) -> bytes:
    return chance.choice(
        (b"", b"\x00", b" ", b"\n", b"{}", b"[]", b"null", b"0", b"\x80\x04.", b"PK\x05\x06" + b"\0" * 18)
    )


BYTES: tuple[Spoil, ...] = (flip, flip, flip_head, truncate, splice, overwrite, insert, nothing_left)


def deep(data: bytes, chance: Random) -> bytes:
    """Far more brackets than any parser's stack."""
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    times = chance.choice((900, 5_000, 100_000))
    return opening * times + b"1" + closing * chance.choice((0, times))


def json_values(data: bytes, chance: Random) -> bytes:
    """Values of other types, missing and added keys, somewhere in a JSON document or in one of its lines."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    try:
        whole: Any = json.loads("\n".join(lines))
        return _written(_changed(whole, chance)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        place = chance.randrange(len(lines))
    try:
        lines[place] = _written(_changed(json.loads(lines[place]), chance))
    except (ValueError, RecursionError):
        lines.insert(place, lines[chance.randrange(len(lines))])
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def json_twice(data: bytes, chance: Random) -> bytes:
    """A key comes twice, with another value."""
    place = data.find(b"{", chance.randrange(len(data) + 1))
    keys = [part.split(b'"')[0] for part in data.split(b'"')[1::2]] or [b"x"]
    added = b'"' + chance.choice(keys) + b'": ' + json.dumps(chance.choice(VALUES)).encode() + b","
    return data[: place + 1] + added + data[place + 1 :] if place >= 0 else data + added


def cells(data: bytes, chance: Random) -> bytes:
    """Other words in a cell of a table, rows twice, in another place or of another length."""
    rows = [row.split(b",") for row in data.split(b"\n")]
    row = chance.choice(rows)
    what = chance.randrange(4)
    if what == 0:
        row[chance.randrange(len(row))] = str(chance.choice(VALUES)).encode("utf-8", "surrogatepass")
    elif what == 1:
        row.insert(chance.randrange(len(row) + 1), chance.choice(MARKS))
    elif what == 2:
        rows.insert(chance.randrange(len(rows) + 1), list(row))
    else:
        row.pop()
    return b"\n".join(b",".join(row) for row in rows)


JSON: tuple[Spoil, ...] = (*BYTES, deep, *([json_values] * 8), json_twice, json_twice)
TEXT: tuple[Spoil, ...] = (*BYTES, *([cells] * 8))


def _written(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _changed(content: Any, chance: Random) -> Any:
    """The content with one value, at any depth, changed."""
    if isinstance(content, dict) and content and chance.random() < 0.8:
        key = chance.choice(sorted(content, key=str))
        what = chance.random()
        if what < 0.15:
            return {name: value for name, value in content.items() if name != key}
        if what < 0.25:
            return {**content, chance.choice(("x", "", "__class__", "0", "\x00")): chance.choice(VALUES)}
        return {**content, key: _changed(content[key], chance)}
    if isinstance(content, list) and content and chance.random() < 0.8:
        place = chance.randrange(len(content))
        what = chance.random()
        if what < 0.15:
            return content[:place] + content[place + 1 :]
        if what < 0.3:
            return [*content, content[place]]
        return [*content[:place], _changed(content[place], chance), *content[place + 1 :]]
    return chance.choice(VALUES)
