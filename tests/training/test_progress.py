"""Progress as plain lines, where tqdm is not installed."""

from __future__ import annotations

from rdr_core.training.bar import Lines


def test_lines_say_where_it_is_now_and_then(capsys):
    with Lines("digits rdr", total=30, done=10, shown=True, every=3600) as lines:
        for _ in range(5):
            lines.update()
        lines.set_postfix({"epoch": 2, "accuracy": "81.2"}, refresh=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("digits rdr: step 15 of 30, ")
    assert line.endswith(" a second, epoch 2, accuracy 81.2")


def test_lines_come_at_the_pace_that_is_asked_for(capsys):
    with Lines("digits rdr", total=4, done=0, shown=True, every=0) as lines:
        lines.update()
        lines.update()
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "digits rdr: step 1 of 4", "digits rdr: step 2 of 4", "digits rdr: step 2 of 4",
    ]  # fmt: skip


def test_lines_that_are_not_wanted_are_not_written(capsys):
    with Lines("digits rdr", total=4, done=0, shown=False, every=0) as lines:
        lines.update()
    assert capsys.readouterr().err == ""
