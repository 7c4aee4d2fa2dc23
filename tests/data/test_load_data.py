from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rdr_core.data
from rdr_core.data import load_data
from rdr_core.data.load import data_root
from rdr_core.errors import RdrError


def test_the_public_names_are_just_these():
    assert set(rdr_core.data.__all__) == {
        "CsvColumns",
        "DATASETS",
        "Groups",
        "LongTailedData",
        "RawData",
        "Settings",
        "Split",
        "dataset",
        "from_arrays",
        "from_csv",
        "from_dataset",
        "from_folder",
        "from_frame",
        "from_series",
        "from_text",
        "groups_by_count",
        "groups_by_rank",
        "load_data",
    }


def test_the_fields_usual_is_the_default():
    data = load_data("digits")
    assert data.name == "digits"
    assert data.imbalance_factor == 100
    assert data.profile == "exponential"
    assert data.seed == 0
    assert data.class_counts.tolist() == [124, 74, 44, 26, 16, 9, 5, 3, 2, 1]
    assert [len(classes) for _, classes in data.groups.items()] == [3, 4, 3]


def test_the_test_set_depends_on_no_seed():
    first, second = load_data("digits", seed=0), load_data("digits", seed=1, noise_rate=0.05)
    assert np.array_equal(first.test.inputs, second.test.inputs)
    assert np.array_equal(first.test.labels, second.test.labels)
    assert first.indices_hash != second.indices_hash


def test_the_digits_subset_is_pinned():
    assert load_data("digits", imbalance_factor=10).indices_hash == "bd533122ec5dd7e0"


def test_the_whole_source_is_had_without_a_factor():
    assert len(load_data("digits", imbalance_factor=None).train) == 1297


def test_what_is_asked_for_is_recorded():
    data = load_data(
        "digits", imbalance_factor=5, profile="step", seed=3, noise_rate=0.1, noise="prior", groups="count"
    )
    assert (data.imbalance_factor, data.profile, data.seed) == (5, "step", 3)
    assert (data.noise_rate, data.noise) == (0.1, "prior")
    assert data.groups.of_class.tolist() == ["Many"] * 5 + ["Medium"] * 5


def test_a_factor_beyond_the_source_is_told():
    with pytest.raises(RdrError, match=r"200 leaves class 9 without an image.*the largest factor that works is 124\.$"):
        load_data("digits", imbalance_factor=200)


def test_the_root_is_the_argument_then_rdr_data_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("RDR_DATA", str(tmp_path / "from-environment"))
    assert data_root(tmp_path / "given") == tmp_path / "given"
    assert data_root() == tmp_path / "from-environment"
    monkeypatch.setenv("RDR_DATA", "")
    assert data_root() == Path.home() / ".cache" / "rdr"
    monkeypatch.delenv("RDR_DATA")
    assert data_root() == Path.home() / ".cache" / "rdr"
    assert data_root("~/sets") == Path.home() / "sets"


@pytest.mark.parametrize("name", ["digits", "folder:flowers"])
def test_a_word_that_is_no_imbalance_factor_is_refused_in_a_sentence(name):
    with pytest.raises(RdrError, match="imbalance_factor is '50'; it must be 'usual', a number"):
        load_data(name, imbalance_factor="50")
