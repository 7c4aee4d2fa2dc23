"""Content changed at random: bytes, and what a format is made of, with a checksum that fits where a file has one.

Bytes changed anywhere are what damage does, and a checksum finds them. What a stranger writes has the right checksum,
so most changes are also made with it, or the checks behind it would never be met.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import random
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from xxhash import xxh3_128

#: What stands in a text where something else is expected.
WORDS = (
    "NaN", "nan", "inf", "-Infinity", "1e999", "-1", "0", "1e-400", "9" * 400, "2147483648", "9223372036854775808",
    "0x10", "1_000", " 1", "\uff11", "true", "null", "", "[]", "{}", '"', "'", ",", "\n", "\r\n", "\0", "\ufeff",
    "\x1b[2J", "\x9b31m", "\u202e", "[/]", "$x^{$", "../../x", "/etc/passwd", "a\\..\\x", "CON", "~", "=1+1",
    "</script>", "file_checksum", "xxh3-", "x" * 5_000, "__proto__", "constructor", "1.0.0",
)  # fmt: skip
#: The same as bytes, and some that are no text.
TOKENS = (
    *(word.encode() for word in WORDS),
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"[" * 20_000,
    b'{"a":' * 20_000,
)
_SEAL = re.compile(rb"file_checksum\W{1,8}xxh3-([0-9a-f]{32})")


def resealed(content: bytes) -> bytes:
    """The content with the checksum that it should have, in the place where it has one."""
    found = _SEAL.search(content)
    if found is None:
        return content
    begins, ends = found.span(1)
    blank = content[:begins] + b"0" * 32 + content[ends:]
    return content[:begins] + xxh3_128(blank).hexdigest().encode() + content[ends:]


def changed(content: bytes, draw: random.Random) -> bytes:
    """The bytes with a bit or a byte changed, a piece zeroed, or the end or a piece cut off."""
    at = draw.randrange(len(content))
    kind = draw.choice(("bit", "bit", "byte", "zeroed", "cut", "piece"))
    if kind == "cut":
        return content[:at]
    if kind == "piece":
        return content[:at] + content[at + draw.randrange(1, 100) :]
    if kind == "zeroed":
        end = min(len(content), at + draw.randrange(1, 600))
        return content[:at] + bytes(end - at) + content[end:]
    value = content[at] ^ (1 << draw.randrange(8)) if kind == "bit" else draw.randrange(256)
    return content[:at] + bytes([value]) + content[at + 1 :]


def spliced(content: bytes, draw: random.Random) -> bytes:
    """As :func:`changed`, or with a piece of itself or of what is found in no such file put into it."""
    if not content or draw.random() < 0.4:
        return changed(content or b"\n", draw)
    at = draw.randrange(len(content) + 1)
    end = at + draw.choice((0, 0, 1, 5, 20))
    begins = draw.randrange(len(content))
    piece = draw.choice((draw.choice(TOKENS), content[begins : begins + draw.randrange(1, 200)]))
    return content[:at] + piece * draw.choice((1, 1, 1, 3)) + content[end:]


def anything(draw: random.Random, depth: int = 0) -> object:
    """A plain value of any kind."""
    kinds = [None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 0.5, 1e300, float("inf"), float("nan"), "word",
             "\ud800", [], {}, draw.choice(WORDS)]  # fmt: skip
    if depth < 3:
        kinds += [[anything(draw, depth + 1)], {"epochs": anything(draw, depth + 1)}]
    return draw.choice(kinds)


def mutated(node: object, draw: random.Random) -> object:
    """The plain value with one thing in it replaced, removed, added or taken twice."""
    if isinstance(node, dict) and node and draw.random() < 0.85:
        name = draw.choice(list(node))
        kind = draw.random()
        if kind < 0.15:
            return {key: value for key, value in node.items() if key != name}
        if kind < 0.25:
            return node | {draw.choice(("more", *WORDS)): anything(draw)}
        return node | {name: mutated(node[name], draw)}
    if isinstance(node, list) and node and draw.random() < 0.7:
        at = draw.randrange(len(node))
        middle = draw.choice(([], [node[at]] * 2, *[[mutated(node[at], draw)]] * 4))
        return [*node[:at], *middle, *node[at + 1 :]]
    if isinstance(node, str) and draw.random() < 0.5:
        at = draw.randrange(len(node) + 1)
        return node[:at] + draw.choice(WORDS) + node[at + draw.choice((0, 1, 5)) :]
    if isinstance(node, (int, float)) and abs(node) < 1e9 and draw.random() < 0.5:
        return draw.choice((-node, node + 1, node * 1000, node * 10**20, float(node), str(node)))
    return anything(draw)


def of_json(content: bytes, draw: random.Random) -> bytes:
    """An object with something else in it."""
    return json.dumps(mutated(json.loads(content), draw), indent=1).encode()


def of_table(content: bytes, draw: random.Random) -> bytes:
    """A table with another cell, or a row or a column that is gone, there twice, or elsewhere."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    at, kind = draw.randrange(len(rows)), draw.randrange(6)
    place = draw.randrange(len(rows[at]) or 1)
    if kind == 0:
        del rows[at]
    elif kind == 1:
        rows.insert(draw.randrange(len(rows) + 1), rows[at])
    elif kind == 2:
        rows = [row[:place] + row[place + 1 :] for row in rows]
    elif kind == 3 and rows[at]:
        rows[at] = [*rows[at][:place], *rows[at][place:], draw.choice(WORDS)][draw.randrange(2) :]
    elif rows[at]:
        rows[at][place] = draw.choice((*WORDS, rows[at][place] + draw.choice("0159-.e"), draw.choice(rows[at])))
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def of_tree(content: bytes, draw: random.Random) -> bytes:
    """A safetensors file with something else in its header, or in the tree of names that this holds, or other bytes."""
    size = int.from_bytes(content[:8], "little")
    head, rest = json.loads(content[8 : 8 + size]), content[8 + size :]
    kind = draw.random()
    if kind < 0.5:
        tree = json.loads(head["__metadata__"]["tree"])
        head["__metadata__"]["tree"] = json.dumps(mutated(tree, draw))
    elif kind < 0.8:
        head = mutated(head, draw)
    else:
        rest = spliced(rest, draw)
    packed = json.dumps(head).encode()
    return (len(packed) + draw.choice((*[0] * 30, 1, -1, 2**62))).to_bytes(8, "little", signed=True) + packed + rest


def of_lines(content: bytes, draw: random.Random) -> bytes:
    """A text with a line that is gone, there twice, or has another word in it; of TOML also another value."""
    lines = content.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    name, equals, _ = lines[at].partition(b"=")
    kind = draw.randrange(5)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(draw.randrange(len(lines) + 1), lines[at])
    elif kind == 2 and equals:
        values = ("5", "-1", "1e300", "nan", "inf", "true", '""', '"x"', "[]", "[5]", '["x"]', "{}", "{ a = 1 }",
                  "[[5]]", '"../../x"', '"\\u001b[2J"', "2026-11-30", '"[/]"', '["/etc/passwd"]')  # fmt: skip
        lines[at] = name + b"= " + draw.choice(values).encode() + b"\n"
    else:
        words = lines[at].split(b" ")
        words[draw.randrange(len(words))] = draw.choice(TOKENS)
        lines[at] = b" ".join(words)
    return b"".join(lines)


def of_archive(content: bytes, draw: random.Random) -> bytes:
    """An archive whose tar has other bytes, in a header mostly, with that header's checksum made to fit."""
    packed = bytearray(lzma.decompress(content))
    with tarfile.open(fileobj=io.BytesIO(bytes(packed))) as tar:
        places = [member.offset for member in tar]
    header = draw.choice(places)
    for _ in range(draw.choice((1, 1, 3))):
        at = header + draw.choice((0, 100, 124, 136, 148, 156, 157, 257, 329, 345, draw.randrange(512)))
        token = draw.choice((*TOKENS[:-2], bytes([draw.randrange(256)])))[:100]
        packed[at : at + len(token)] = token
    if draw.random() < 0.1:
        packed = bytearray(spliced(bytes(packed), draw))
    block = packed[header : header + 512].ljust(512, b"\0")
    total = 256 + sum(block[:148]) + sum(block[156:])
    packed[header + 148 : header + 156] = f"{total:06o}\0 ".encode()
    return lzma.compress(bytes(packed), preset=0)


def of_query(content: bytes, draw: random.Random) -> bytes:
    """The parameters of a link with one that is gone, there twice, or has another name or value."""
    pairs = parse_qsl(content.decode(), keep_blank_values=True) or [("view", "")]
    at, kind = draw.randrange(len(pairs)), draw.randrange(6)
    name, value = pairs[at]
    if kind == 0:
        del pairs[at]
    elif kind == 1:
        pairs += [pairs[at]] * draw.choice((1, 2, 500))
    elif kind == 2:
        pairs[at] = draw.choice(WORDS), value
    elif kind == 3 and value:
        begins = draw.randrange(len(value))
        pairs[at] = name, value[:begins] + draw.choice(WORDS) + value[begins + 1 :]
    else:
        pairs[at] = name, draw.choice((*WORDS, *(other for _, other in pairs)))
    return urlencode(pairs, quote_via=quote).encode()


#: What a format's own changes are made by.
KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "json": of_json, "table": of_table, "tree": of_tree, "lines": of_lines, "archive": of_archive, "query": of_query,
    "bytes": spliced,
}  # fmt: skip


def another(content: bytes, kind: str, draw: random.Random) -> tuple[bytes, bool]:
    """Other content than that, and whether it was given the checksum that fits.

    Args:
        content: that was written.
        kind: of :data:`KINDS`.
        draw: decides all.
    """
    if draw.random() < 0.3:
        return spliced(content, draw), False
    found = content
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        try:
            found = KINDS[kind if draw.random() < 0.8 else "bytes"](found, draw)
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
            ArithmeticError,
            csv.Error,
            lzma.LZMAError,
            EOFError,
            tarfile.TarError,
        ):  # fmt: skip - what was changed before is no such format any more
            found = spliced(found, draw)
    return resealed(found), True


def corpus(content: bytes, kind: str, folder: Path, count: int) -> None:
    """A folder of a file's content and of others made from it, from which a fuzzer starts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "whole").write_bytes(content)
    for number in range(count):
        (folder / str(number)).write_bytes(another(content, kind, random.Random(number))[0])
