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

#: Text that is more than text to a terminal, to rich, to matplotlib, to a page, to a file system, or to an encoding.
NASTY = (
    "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\rb\n", "\ud800", "caf\udce9", "\u202eevil", "[/]",
    "[bold red]x[/bold red]",
    "[link=file:///etc]x[/link]", "$x^{$", "$5 to $10", "$", "\\$", "$$", "\\frac{1}{", "x_{y}^$z$", "</script>",
    "<script>alert(1)</script>", "&amp;\"'", "x" * 100_000, "$" * 999, "[" * 500, "", " ", "\0", "{0} %s {x}",
    "a\u0301" * 50, "=1+1",
)  # fmt: skip
#: Any of it, beside any other text.
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=30),
    st.lists(st.sampled_from([*"$\\[]{}<>/&'\"^_%#\n\r\t\x1b\x07", "\ud800", "\u202e", "a"]), max_size=20).map("".join),
)
