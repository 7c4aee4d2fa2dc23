"""What strangers may write into a file: names that lead elsewhere, and text that is more than text somewhere."""

from __future__ import annotations

from hypothesis import strategies as st

#: Names that lead out of any folder, each by another way.
_OUT = ("..", "../x", "a/../../x", "/etc/x", "//x", "a\\..\\x", "..\\x", "a\0b", "\0", "", "../" * 50 + "tmp/x")
_PARTS = st.sampled_from(
    ["a", "b c", "..", ".", "é", "x" * 300, "\u202e", "\x1b[2J", "~", "-rf", "C:", "'", '"; evil("']
)

#: Names that lead out, or can't be a name.
escaping_names = st.one_of(
    st.sampled_from(_OUT),
    st.lists(_PARTS, max_size=5).map(lambda parts: "/".join([*parts, *[".."] * (len(parts) + 1), "x"])),
    st.lists(_PARTS, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    st.tuples(st.text(max_size=10), st.sampled_from("\\\0"), st.text(max_size=10)).map("".join),
)
