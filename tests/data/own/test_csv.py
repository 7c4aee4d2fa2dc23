"""CSV files as programs write them give the same samples, or one sentence that names the line."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rdr_core import CsvColumns, RdrError, from_csv
from rdr_core.data.own.csv_table import read_table

ROWS = [["size", "colour", "class"], *([f"{n}.5", "red" if n % 3 else "blue", "cat" if n % 2 else "dog"]
                                       for n in range(20))]  # fmt: skip


def text(separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in ROWS)


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "plain.csv").write_text(text())
    return from_csv(tmp_path / "plain.csv")


@pytest.mark.parametrize(
    "content",
    [
        text(end="\r\n"), text(end="\r"), text("\t"), text(";"), text("; "), text(" , "), "\ufeff" + text(),
        text().rstrip("\n"), text(end="\n\n"), text().replace("red", '"red"'),
        text(";").replace(".5", ",5"), text().replace(".5", ".50"),
        "".join(f"{n},{line}\n" for n, line in zip(["", *range(20)], text().splitlines(), strict=True)),
    ],
    ids=["CRLF", "CR", "tabs", "semicolons", "spaces after", "spaces around", "a mark", "no last end", "empty lines",
         "quotes", "decimal commas", "more digits", "an index without a name"],
)  # fmt: skip
def test_the_same_rows_written_in_other_ways_are_the_same(tmp_path, plain, content):
    (tmp_path / "other.csv").write_bytes(content.encode())
    other = from_csv(tmp_path / "other.csv")
    assert other.content_hash == plain.content_hash
    assert other.class_names == plain.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; give a table with a header"),
        (b"\n\r\n", "is empty; give a table with a header"),
        (b"size,class\n", "has a header .size, class., but no rows"),
        (b"1.5,2\n2,3\n", "has no header: its first line is '1.5,2'"),
        (b"a.png,cat\nb.png,dog\n", r"has no column named label, .*--label.: a.png, cat"),
        (b"size,class\n1,cat\n2\n", "Line 3 of .* has 1 cells, where the header has 2"),
        (b"size,class\n\n1,cat\n2,dog,x\n", "Line 4 of .* has 3 cells, where the header has 2"),
        ("size,class\n1,caf\u00e9\n".encode("latin-1"), "is not in UTF-8; save it as UTF-8"),
        ("size,class\n1,cat\n".encode("utf-16"), "is not in UTF-8|is no text"),
        (b"PK\x03\x04\0\0", "is no text, so no CSV file"),
        (b"size,size,class\n1,2,cat\n", "has two columns named 'size'"),
        (b'size,class\n1,"cat\n', "can't be read as a table: .* in line 2"),
        (b"size,class\n1,cat\n,cat\n2,dog\nNA,dog\n3,cat\n4,dog\n",
         r"2 of 6 rows of own.csv can't be used: 2 have no finite number in column 'size' \(3, 5\)"),
        (b"size,class\n1,cat\n2,\n3,cat\n4,dog\n5,dog\n", r"1 have no label \(3\)"),
        (b"size,class\n1,0.5\n2,1\n3,1\n", r"holds '0.5' \(sample 0\), a number that is not whole"),
        (b"size,class\n1,cat\n2,cat\n", r"own.csv has one class only \(cat\)"),
        (b"class\ncat\ndog\n", "has no column but the label's"),
        (b"size,class\n1,cat\n1,cat\n1,dog\n1,dog\n", "has two different values to learn from"),
        (b"size,class,split\n1,cat,train\n2,dog,test\n3,dog,maybe\n", "must say 'train' or 'test' in each row"),
        (b"size,class,split\n1,cat,train\n2,dog,train\n", "must say 'train' or 'test' in each row"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_samples_is_one_sentence(tmp_path, content, sentence):
    (tmp_path / "own.csv").write_bytes(content)
    with pytest.raises(RdrError, match=sentence) as refused:
        from_csv(tmp_path / "own.csv")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RdrError, match=r"There is no file .*own\.csv"):
        from_csv(tmp_path / "own.csv")


def test_rows_with_missing_cells_are_left_out_on_request(tmp_path, capsys):
    (tmp_path / "own.csv").write_text("size,class\n1,cat\n,cat\n2,dog\n3,\n3,cat\n4,dog\n5,cow\n")
    data = from_csv(tmp_path / "own.csv", leave_out=True)
    assert data.class_names == ("cat", "dog")
    assert sorted([*data.train.inputs[:, 0].tolist(), *data.test.inputs[:, 0].tolist()]) == [1, 2, 3, 4]
    said = capsys.readouterr().err
    assert "3 of 7 rows of own.csv can't be used and are left out: 1 have no finite number in column 'size' (3)" in said
    assert "1 have no label (5); 1 are the only one of their class (8)" in said


def test_named_columns_and_parts(tmp_path):
    (tmp_path / "own.csv").write_text(
        "kind,w,set\n" + "".join(f"{'a' if n % 2 else 'b'},{n},{'Val' if n < 4 else 'train'}\n" for n in range(12))
    )
    data = from_csv(tmp_path / "own.csv", columns=CsvColumns(label="kind", split="set"))
    assert data.test.inputs[:, 0].tolist() == [0, 1, 2, 3]
    with pytest.raises(RdrError, match=r"no column in own.csv named 'sort'.*Known: kind"):
        from_csv(tmp_path / "own.csv", columns=CsvColumns(label="sort"))


word = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.tuples(word, word), min_size=1, max_size=8),
    separator=st.sampled_from(",\t"), end=st.sampled_from(["\n", "\r\n"]), marked=st.booleans(),
)  # fmt: skip
def test_any_words_written_by_a_csv_writer_are_read_back(tmp_path, cells, separator, end, marked):
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "other"), *cells])
    path = tmp_path / "any.csv"
    path.write_bytes(("\ufeff" * marked + written.getvalue()).encode())
    table = read_table(path)
    assert list(zip(table["one"], table["other"], strict=True)) == [(a.strip(), b.strip()) for a, b in cells]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.lists(st.sampled_from(["1", "2.5", "", "cat", '"', "é", "-3", "nan", "label"]), max_size=4),
                 max_size=9).map(lambda rows: "\n".join(",".join(row) for row in [["label", "x"], *rows]).encode()),
    )
)  # fmt: skip
def test_any_bytes_are_samples_or_one_sentence(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    for leave_out in (False, True):
        try:
            data = from_csv(path, leave_out=leave_out)
        except RdrError as error:
            assert str(error).endswith((".", ")"))  # noqa: PT017 - either is right
        else:
            assert np.isfinite(data.train.inputs.numpy()).all()
            assert len(data.class_names) >= 2


@pytest.fixture
def listed(tmp_path):
    """Images of two classes and the CSV file that lists them, by a function that adds rows."""

    def make(*more: str) -> str:
        folder = tmp_path / "my photos"
        folder.mkdir(exist_ok=True)
        rows = []
        for n in range(12):
            Image.new("RGB", (9, 7), (n, 0, 0)).save(folder / f"Bild {n} ü.png")
            rows.append(f"my photos/Bild {n} ü.png,{'猫' if n % 3 else 'dog'}")
        (tmp_path / "own.csv").write_text("\n".join(["path,label", *rows, *more]), encoding="utf-8")
        return tmp_path / "own.csv"

    return make


def test_images_are_listed(listed):
    data = from_csv(listed(), size=8)
    assert data.class_names == ("dog", "猫")
    red = sorted(int(image[0, 0, 0]) for part in (data.train, data.test) for image in part.inputs)
    assert red == list(range(12))


def test_windows_paths_are_understood(listed):
    own = listed()
    before = from_csv(own, size=8).content_hash
    own.write_text(own.read_text(encoding="utf-8").replace("photos/", "photos\\"), encoding="utf-8")
    assert from_csv(own, size=8).content_hash == before


def test_images_that_cannot_be_read_are_counted_by_reason(listed, tmp_path, capsys):
    (tmp_path / "empty.png").write_bytes(b"")
    own = listed("nowhere.png,dog", "empty.png,dog", ",dog", "../secret.png,dog", "/etc/passwd,dog")
    with pytest.raises(RdrError) as refused:
        from_csv(own, size=8)
    words = str(refused.value)
    assert words.startswith("5 of 17 rows of own.csv can't be used: 1 have no path (16)")
    assert "2 have a path that leads out of" in words
    assert "1 have no file (14)" in words
    assert "1 can't be read (15)" in words
    assert len(from_csv(own, size=8, leave_out=True).train) == len(from_csv(listed(), size=8).train)
    assert "are left out" in capsys.readouterr().err


def test_the_command_trains_on_a_csv_file(rdr, tmp_path):
    (tmp_path / "own.csv").write_text(text().replace("class", "species"))
    status, _, err = rdr("train", "own.csv", "-m", "rdr", "--epochs", "1")
    assert status == 2
    assert "has no column named" in err
    assert "Traceback" not in err
    assert rdr("train", "own.csv", "-m", "rdr", "--epochs", "1", "--label", "species")[0] == 0
    (tmp_path / "own.csv").write_text(text().replace("class", "species") + ",red,cat\n")
    status, _, err = rdr("train", "own.csv", "-m", "rdr", "--epochs", "1", "--label", "species")
    assert status == 2
    assert err.count("\n") <= 3
    assert "1 of 21 rows of own.csv can't be used: 1 have no finite number in column 'size' (22)" in err
    asked = ("train", "own.csv", "-m", "rdr", "--epochs", "1", "--label", "species", "--leave-out")
    status, _, err = rdr(*asked)
    assert status == 0
    assert "are left out" in err
    status, _, err = rdr("train", "digits", "--leave-out")
    assert status == 2
    assert "are for CSV files" in err
