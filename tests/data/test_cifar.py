"""Real CIFAR where it is at hand, and a tiny stand-in of the same files for all that can go wrong with them."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import tarfile
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from rdr_core.data import DATASETS, LongTailedData, from_arrays, load_data
from rdr_core.data.arrays import channel_statistics
from rdr_core.data.sources import RawData, load_source
from rdr_core.errors import MissingData

TOTALS = {
    "cifar10": {10: 20431, 50: 13996, 100: 12406, 200: 11203},
    "cifar100": {10: 19573, 50: 12608, 100: 10847, 200: 9502},
}
FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


@pytest.fixture(scope="module")
def raw(cifar_root: Path) -> dict[str, RawData]:
    return {name: load_source(name, cifar_root) for name in TOTALS}


def long_tailed(raw: RawData, factor: float, seed: int = 0) -> LongTailedData:
    return from_arrays(
        raw.train_inputs,
        raw.train_labels,
        raw.test_inputs,
        raw.test_labels,
        imbalance_factor=factor,
        seed=seed,
        class_names=raw.class_names,
        mean=raw.mean,
        std=raw.std,
    )


def ldam_drw_subset(targets: list[int], largest: int, num_classes: int, factor: float) -> np.ndarray:
    """The subset of public code since LDAM-DRW (Cao et al. 2019), written as there, with the global generator."""
    img_num_per_cls = [int(largest * ((1 / factor) ** (c / (num_classes - 1.0)))) for c in range(num_classes)]
    state = np.random.get_state()
    np.random.seed(0)
    targets_np = np.array(targets, dtype=np.int64)
    selected = []
    for the_class, the_img_num in zip(np.unique(targets_np), img_num_per_cls, strict=True):
        idx = np.where(targets_np == the_class)[0]
        np.random.shuffle(idx)
        selected.extend(idx[:the_img_num])
    np.random.set_state(state)
    return np.array(selected)


@pytest.mark.parametrize("name", TOTALS)
def test_the_source_is_as_published(raw, name):
    source, data = DATASETS[name], raw[name]
    assert data.train_inputs.shape == (50000, *source.image_shape)
    assert data.test_inputs.shape == (10000, *source.image_shape)
    assert len(data.class_names) == source.num_classes
    assert set(np.bincount(data.train_labels)) == {source.n_max}
    mean, _ = channel_statistics(torch.from_numpy(data.train_inputs))
    np.testing.assert_allclose(data.mean, mean, atol=3e-4)


@pytest.mark.parametrize(("name", "factor"), [(name, factor) for name in TOTALS for factor in TOTALS[name]])
def test_totals_counts_and_subset_are_the_fields(raw, name, factor):
    data, source = long_tailed(raw[name], factor), DATASETS[name]
    assert len(data.train) == TOTALS[name][factor]
    assert data.class_counts[0] == source.n_max
    assert data.class_counts[-1] == source.n_max // factor
    reference = ldam_drw_subset(raw[name].train_labels.tolist(), source.n_max, source.num_classes, factor)
    assert np.array_equal(data.indices, reference)
    assert np.array_equal(data.train.inputs, raw[name].train_inputs[reference])
    assert np.array_equal(data.train.labels, raw[name].train_labels[reference])


def test_per_class_counts_at_100(raw):
    counts = long_tailed(raw["cifar10"], 100).class_counts
    assert counts.tolist() == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]


@pytest.mark.parametrize(("name", "pinned"), [("cifar10", "4bf45bff8878d278"), ("cifar100", "e0d58a4d2700c460")])
def test_the_subset_of_seed_0_is_pinned_and_another_seed_gives_another(raw, name, pinned):
    assert long_tailed(raw[name], 100).indices_hash == pinned
    assert long_tailed(raw[name], 100, seed=1).indices_hash != pinned


def test_load_data_reads_right_files_without_a_network(cifar_root, no_network, capfd):
    data = load_data("cifar100", root=cifar_root)
    assert data.class_names[:2] == ("apple", "aquarium_fish")
    assert data.indices_hash == "e0d58a4d2700c460"
    assert [len(classes) for _, classes in data.groups.items()] == [35, 34, 31]
    assert no_network == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "file"), [("cifar10", "test_batch"), ("cifar100", "test")])
def test_one_flipped_byte_of_the_real_files_is_told(cifar_root, tmp_path, no_network, name, file):
    folder = tmp_path / FOLDERS[name]
    folder.mkdir()
    for real in (cifar_root / FOLDERS[name]).iterdir():
        if real.name != file:
            (folder / real.name).symlink_to(real)
    damaged = bytearray((cifar_root / FOLDERS[name] / file).read_bytes())
    damaged[1_000_000] ^= 1
    (folder / file).write_bytes(damaged)
    with pytest.raises(MissingData, match=rf"is damaged in {tmp_path} \({file}\).*delete {folder} if it is there"):
        load_data(name, root=tmp_path)


# --- a stand-in with the same files, for what must not depend on real data


@pytest.fixture(scope="module")
def small_archive() -> tuple[bytes, dict[str, bytes]]:
    """An archive like cifar-10-python.tar.gz of 100 training and 20 test images, and the files in it."""
    draw = np.random.RandomState(0)

    def batch(size: int) -> bytes:
        pixels = draw.randint(0, 256, size=(size, 3072), dtype=np.uint8)
        return pickle.dumps({"data": pixels, "labels": [c % 10 for c in range(size)]})

    files = {f"data_batch_{k}": batch(20) for k in range(1, 6)} | {"test_batch": batch(20)}
    files["batches.meta"] = pickle.dumps({"label_names": [f"class {c}" for c in range(10)]})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue(), files


@pytest.fixture
def small_cifar(small_archive, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """torchvision takes the stand-in for CIFAR-10: its checksums are the official ones. Gives the archive."""
    archive, files = small_archive

    def md5(content: bytes) -> str:
        return hashlib.md5(content).hexdigest()

    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
    monkeypatch.setattr(
        CIFAR10, "train_list", [[f"data_batch_{k}", md5(files[f"data_batch_{k}"])] for k in range(1, 6)]
    )
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(files["test_batch"])]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5(files["batches.meta"])})
    return archive


class Response(io.BytesIO):
    """What ``urlopen`` answers, so far as torchvision uses it."""

    def __init__(self, url: str, content: bytes) -> None:
        super().__init__(content)
        self.url, self.length = url, len(content)


class Server:
    """A network on which every address answers with ``content``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
        self.content, self.asked = content, 0
        monkeypatch.setattr(urllib.request, "urlopen", self.answer)

    def answer(self, request: urllib.request.Request, *args: object, **kwargs: object) -> Response:
        self.asked += 1
        return Response(request.full_url, self.content)


def unpack(archive: bytes, root: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(root, filter="data")
    return root / "cifar-10-batches-py"


def test_the_archive_is_fetched_once_with_one_line(small_cifar, tmp_path, monkeypatch, capfd):
    server = Server(monkeypatch, small_cifar)
    first = load_data("cifar10", imbalance_factor=5, root=tmp_path / "new")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == f"Fetching CIFAR-10 (170 MB) into {tmp_path / 'new'} ...\n"
    asked = server.asked
    second = load_data("cifar10", imbalance_factor=5, root=tmp_path / "new")
    assert server.asked == asked > 0
    assert capfd.readouterr().err == ""
    assert first.content_hash == second.content_hash
    assert first.class_counts[0] == 10


def test_a_broken_download_does_not_break_the_next_try(small_cifar, tmp_path, monkeypatch):
    server = Server(monkeypatch, small_cifar[: len(small_cifar) // 2])
    with pytest.raises(MissingData, match=r"^CIFAR-10 is not complete .* read or fetched \(RuntimeError"):
        load_source("cifar10", tmp_path)
    server.content = small_cifar
    assert load_source("cifar10", tmp_path).class_names[3] == "class 3"


def test_without_a_network_it_says_what_to_fetch_and_where_to_put_it(small_cifar, tmp_path, no_network):
    with pytest.raises(MissingData) as caught:
        load_data("cifar10", root=tmp_path)
    assert str(caught.value) == (
        f"CIFAR-10 is not complete in {tmp_path} and could not be read or fetched "
        f"(URLError: <urlopen error no network>): delete {tmp_path / 'cifar-10-batches-py'} if it is there "
        "and try again, or fetch cifar-10-python.tar.gz from "
        f"https://www.cs.toronto.edu/~kriz/cifar.html into {tmp_path}, to be unpacked by the next try."
    )
    assert no_network[0] == CIFAR10.url


def test_cifar100_names_its_own_archive(tmp_path, no_network):
    with pytest.raises(MissingData, match=r"^CIFAR-100 is not .* fetch cifar-100-python\.tar\.gz from"):
        load_data("cifar100", root=tmp_path)


def test_what_the_message_asks_for_works(small_cifar, tmp_path, no_network):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(small_cifar)
    assert len(load_source("cifar10", tmp_path).train_labels) == 100
    assert no_network == []


def test_files_that_are_right_are_read_from_a_folder_that_cannot_be_written(small_cifar, tmp_path, no_network):
    unpack(small_cifar, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert len(load_source("cifar10", tmp_path).train_labels) == 100
    assert sorted(tmp_path.rglob("*")) == before
    assert no_network == []


@pytest.mark.parametrize("file", ["data_batch_3", "test_batch", "batches.meta"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "gone"])
def test_a_damaged_file_is_told_and_the_advice_helps(small_cifar, tmp_path, no_network, file, damage):
    folder = unpack(small_cifar, tmp_path)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content if damage == "flipped" else content[:-5])
    if damage == "gone":
        (folder / file).unlink()
    state = "is not complete in .*" if damage == "gone" else rf"is damaged in {tmp_path} \({file}\)"
    with pytest.raises(MissingData, match=rf"^CIFAR-10 {state} and could not be read or fetched.*delete {folder}"):
        load_source("cifar10", tmp_path)
    shutil.rmtree(folder)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(small_cifar)
    assert len(load_source("cifar10", tmp_path).train_labels) == 100


class Exploit:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("file", ["data_batch_1", "test_batch", "batches.meta"])
def test_no_pickle_but_the_official_one_is_ever_run(small_cifar, tmp_path, no_network, file):
    marker = tmp_path / "exploited"
    pickle.loads(pickle.dumps(Exploit(marker)))
    marker.rmdir()
    folder = unpack(small_cifar, tmp_path)
    (folder / file).write_bytes(pickle.dumps(Exploit(marker)))
    with pytest.raises(MissingData, match=file):
        load_source("cifar10", tmp_path)
    assert not marker.exists()


def test_a_root_that_is_a_file_is_told(tmp_path, no_network):
    (tmp_path / "root").write_text("not a folder")
    with pytest.raises(MissingData, match=r"could not be read or fetched \((FileExists|NotADirectory)Error"):
        load_source("cifar10", tmp_path / "root")
