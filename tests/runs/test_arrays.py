"""Named arrays in .npz files: same arrays, same bytes; nothing unexpected comes out."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bptrain.errors import RunError
from bptrain.runs import arrays

DTYPES = [np.dtype(name) for name in ("f4", "f8", ">f4", "i8", "u1", "?", "c8", "U3", "S2", "M8[ns]", "m8[s]", "f2")]
NAMES = st.text("abé_0", min_size=1, max_size=5) | st.sampled_from(["dense/kernel", "dense/bias", "a.npy"])


def sample() -> dict[str, np.ndarray[Any, Any]]:
    return {"dense/kernel": np.arange(6, dtype="f4").reshape(2, 3), "dense/bias": np.array([1.5, -0.0], dtype="f8")}


def equal(left: dict[str, Any], right: dict[str, Any]) -> bool:
    same = (left[name].dtype == right[name].dtype for name in left.keys() & right.keys())
    return left.keys() == right.keys() and all(same) and arrays.arrays_digest(left) == arrays.arrays_digest(right)


def read(path: Path, expected: arrays.Expected | None = None) -> dict[str, Any]:
    return arrays.parse_arrays(path.read_bytes(), expected, source=str(path))


def npz(path: Path, members: list[tuple[str, bytes]], *, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def npy_with_header(text: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_write_then_read_gives_equal_arrays(tmp_path: Path, data: st.DataObject) -> None:
    dtype = st.sampled_from(DTYPES)
    array = dtype.flatmap(lambda one: hnp.arrays(one, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)))
    written = data.draw(st.dictionaries(NAMES, array, max_size=4))
    arrays.write_arrays(tmp_path / "a.npz", written)
    expected = {name: (one.dtype.str, one.shape) for name, one in written.items()}
    found = read(tmp_path / "a.npz", expected)
    assert list(found) == sorted(written)
    for name, one in written.items():
        assert found[name].shape == one.shape
        assert found[name].dtype == one.dtype.newbyteorder("<")
        assert found[name].tobytes() == one.astype(found[name].dtype).tobytes()
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous
    assert arrays.arrays_digest(found) == arrays.arrays_digest(written)


def test_write_arrays_gives_the_same_bytes_whatever_the_order_and_layout(tmp_path: Path) -> None:
    first = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b": np.array(2, dtype="<i8")}
    second = {"b": np.array(2, dtype=">i8"), "a": np.asfortranarray(first["a"]).astype(">f4")}
    arrays.write_arrays(tmp_path / "1.npz", first)
    arrays.write_arrays(tmp_path / "2.npz", second)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()


def test_write_arrays_bytes_are_pinned(tmp_path: Path) -> None:
    arrays.write_arrays(tmp_path / "a.npz", {"a/b": np.array([1, 2], dtype="<f4")})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        (info,) = archive.infolist()
        assert (info.filename, info.date_time, info.compress_type) == ("a/b.npy", (1980, 1, 1, 0, 0, 0), 0)
        member = archive.read(info)
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(117) + "\n"
    assert member == npy_with_header(header, struct.pack("<2f", 1, 2))


def test_numpy_can_open_the_file(tmp_path: Path) -> None:
    arrays.write_arrays(tmp_path / "a.npz", sample())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert equal(dict(loaded), sample())


@pytest.mark.parametrize("name", ["", "/a", "a/", "../a", "a/../b", "a//b", ".", "a\0b", "a\\b", "\udcff"])
def test_write_arrays_refuses_names_that_are_no_plain_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="an array's name must be a relative path"):
        arrays.write_arrays(tmp_path / "a.npz", {name: np.zeros(1)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, None]),
        np.zeros(2, dtype=[("a", "f4")]),
        np.zeros(2, dtype="V4"),
        np.zeros(2, dtype=np.longdouble),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        [1.0],
        np.float32(1),
    ],
    ids=["object", "structured", "void", "longdouble", "masked", "list", "scalar"],
)
def test_write_arrays_refuses_what_is_not_a_plain_array(tmp_path: Path, array: Any) -> None:
    with pytest.raises(TypeError, match="array 'bad' must"):
        arrays.write_arrays(tmp_path / "a.npz", {"bad": array})
    assert list(tmp_path.iterdir()) == []


def test_parse_arrays_names_every_array_that_does_not_fit(tmp_path: Path) -> None:
    arrays.write_arrays(tmp_path / "a.npz", sample())
    with pytest.raises(RunError, match="BP509") as caught:
        read(tmp_path / "a.npz", {"dense/bias": ("f4", (2,)), "dense/kernel": ("f4", (3, 2))})
    messages = [problem.message for problem in caught.value.problems]
    assert "dtype float64 and shape (2,), expected float32 and (2,)" in messages[0]
    assert "shape (2, 3), expected float32 and (3, 2)" in messages[1]
    assert caught.value.exit_code == 5


def test_parse_arrays_names_every_missing_and_extra_array(tmp_path: Path) -> None:
    arrays.write_arrays(tmp_path / "a.npz", sample())
    with pytest.raises(RunError, match="lacks the array `new`.*unexpected array `dense/bias`"):
        read(tmp_path / "a.npz", {"new": ("f4", ()), "dense/kernel": ("f4", (2, 3))})


def test_parse_arrays_refuses_a_shape_beyond_the_bytes_before_allocating(tmp_path: Path) -> None:
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
    npz(tmp_path / "a.npz", [("a.npy", npy_with_header(text, bytes(8)))])
    with pytest.raises(RunError, match="BP508.*array `a`.*8 bytes"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy(np.zeros((2, 3), order="F")), "C-order"),
        (npy(np.zeros(2, dtype=">f4")), "little-endian"),
        (npy(np.array([None]), allow_pickle=True), "plain"),
        (npy(np.zeros(2), version=(2, 0)), r"version is \(2, 0\)"),
        (npy(np.zeros(2)) + b"x", "17 bytes"),
        (npy_with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -2), }\n", bytes(8)), "8 bytes"),
        (npy_with_header("__import__('os')\n"), "damaged header"),
        (npy_with_header("{'descr': '<f4'}\n"), "damaged header"),
        (b"", "damaged header"),
        (b"not an array", "damaged header"),
    ],
)
def test_parse_arrays_refuses_members_that_bptrain_never_writes(tmp_path: Path, member: bytes, message: str) -> None:
    npz(tmp_path / "a.npz", [("a.npy", member)])
    with pytest.raises(RunError, match=f"BP508: array `a` in .*{message}"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["../a.npy", "/a.npy", "a.txt", "a//b.npy", "x\\y.npy"])
def test_parse_arrays_refuses_members_with_unsafe_names(tmp_path: Path, name: str) -> None:
    npz(tmp_path / "a.npz", [(name, npy(np.zeros(2)))])
    with pytest.raises(RunError, match="BP508.*which is no array"):
        read(tmp_path / "a.npz")


def test_parse_arrays_refuses_compressed_members(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", [("a.npy", npy(np.zeros(100_000)))], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(RunError, match="array `a` .*is compressed"):
        read(tmp_path / "a.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_parse_arrays_refuses_an_array_that_is_there_twice(tmp_path: Path) -> None:
    npz(tmp_path / "a.npz", [("a.npy", npy(np.zeros(2))), ("a.npy", npy(np.ones(2)))])
    with pytest.raises(RunError, match="array `a` .*twice"):
        read(tmp_path / "a.npz")


def test_every_flipped_bit_is_detected_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    written = {"a/b": np.array([1.5, -2], dtype="f4"), "c": np.array(7, dtype="i8")}
    arrays.write_arrays(path, written)
    data = path.read_bytes()
    detected = 0
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = arrays.parse_arrays(bytes(damaged), source="a.npz")
        except RunError:
            detected += 1
        else:
            assert equal(found, written), f"bit {bit} changed the arrays unnoticed"
    assert detected > 4 * len(data)


def test_every_truncation_is_detected(tmp_path: Path) -> None:
    arrays.write_arrays(tmp_path / "a.npz", sample())
    data = (tmp_path / "a.npz").read_bytes()
    for length in range(len(data)):
        with pytest.raises(RunError, match=r"BP508: .*a\.npz"):
            arrays.parse_arrays(data[:length], source="a.npz")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_parse_arrays_refuses_any_other_bytes(data: bytes) -> None:
    with pytest.raises(RunError, match="BP508"):
        arrays.parse_arrays(data, source="a.npz")


def test_arrays_digest_is_pinned_and_ignores_order_and_byte_order() -> None:
    left = {"a": np.array([1, 2], dtype="<f4"), "b": np.zeros((0, 3), dtype="?")}
    right = {"b": np.zeros((0, 3), dtype="?"), "a": np.array([1, 2], dtype=">f4")}
    assert arrays.arrays_digest(left) == arrays.arrays_digest(right)
    assert arrays.arrays_digest({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "other",
    [
        {"b": np.zeros(4, dtype="f4")},
        {"a": np.zeros(4, dtype="i4")},
        {"a": np.zeros((2, 2), dtype="f4")},
        {"a": np.zeros((4, 1), dtype="f4")},
        {"a": np.array([0, 0, 0, -0.0], dtype="f4")},
        {"a": np.zeros(4, dtype="f4"), "b": np.zeros(0, dtype="f4")},
    ],
)
def test_arrays_digest_tells_values_shapes_dtypes_and_names_apart(other: dict[str, Any]) -> None:
    assert arrays.arrays_digest({"a": np.zeros(4, dtype="f4")}) != arrays.arrays_digest(other)


def test_parse_arrays_refuses_a_hidden_member_and_bytes_before_the_first(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", [("a.npy", npy(np.zeros(2)))])
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    with pytest.raises(RunError, match="BP508.*gaps or overlaps"):
        read(path)
