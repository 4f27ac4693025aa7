"""The words and names that random numbers follow from: renaming one would silently change every trained model."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Any

import keras
import networks
import numpy as np
import pytest
from gradients import subject_of

from bptrain.data.options import SplitOptions
from bptrain.data.splits import fold_numbers, hash_place
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import network_seed, weights_of
from bptrain.models.layers import STEP, Dropout
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training.dataset import permutation, shuffle_buffers
from bptrain.utils import seeds

SOURCE = Path(__file__).parents[2] / "bptrain"
SEED = 3
# Below is what the code at commit ad900fa gave, before folders, layers and functions were renamed.
FIRST_NUMBERS = {
    "order 1": 1061942723,
    "chunks 1": 274014127,
    "halves": 327599737,
    "threshold": 824638604,
    "dropout hidden_1_dropout": 194596499,
    "init hidden_1 adapter": 179805149,
    "init embedding town": 803221957,
    "init numeric line size": 1157911954,
    "integer": 1447187942,
    "network": 1639238599,
}
ORDER = [11, 0, 3, 2, 10, 1, 7, 8, 5, 4, 9, 6]
CHUNKED_ORDER = "36dace5c9415"
FOLDS = {
    "random": "411422224343010010332103",
    "stratified": "202434201343112020043131",
    "halved": "922844558796121030664307",
    "group": "333222444222111000111000",
}
PLACES = {"": 0.911485258114989, "a": 0.6668573237533936, "Ärger": 0.3459433977302201, "1.0": 0.6678802110075355}
MASKS = {0: "eeb316f64869", 1: "77751464c9c2", 2147483647: "40ababebfa88"}
WEIGHTS: dict[str, dict[str, str]] = {
    "mlp": {
        "numeric_bends/kernel": "86d50d63fe50",
        "numeric_line/kernel": "17f1f436a726",
        "numeric_line/bias": "1abe02d7c34a",
        "embedding_0/embeddings": "570177f04e54",
        "hidden_1/kernel": "aaa12c9f61d2",
        "hidden_1/bias": "1f2c3897c55e",
        "hidden_2/kernel": "a0483e7dbb37",
        "hidden_2/bias": "37bf7b2f3b98",
        "target_0/kernel": "3eafffda59ac",
        "target_0/bias": "019ad7c58718",
    },
    "ensemble": {
        "numeric_bends/kernel": "86d50d63fe50",
        "numeric_line/kernel": "17f1f436a726",
        "numeric_line/bias": "1abe02d7c34a",
        "embedding_0/embeddings": "570177f04e54",
        "target_0_skip_0/kernel": "946562bf3f1d",
        "target_0_skip/kernel": "e03331fcc5c2",
        "target_0_skip/bias": "019ad7c58718",
        "hidden_1/adapter": "9655db4d76f9",
        "hidden_1/kernel": "d6914adb60e8",
        "hidden_1/bias": "2785bc2fdb46",
        "target_0_skip_mask/kernel": "284691180600",
        "target_0/kernel": "56a7d6ddefc0",
        "target_0/bias": "03614f8f3393",
    },
}


def digest(array: Any) -> str:
    array = np.ascontiguousarray(array)
    return hashlib.sha256(str((array.dtype.str, array.shape)).encode() + array.tobytes()).hexdigest()[:12]


def first_numbers() -> dict[str, int]:
    """A number of each stream and seed that the table of purposes names."""
    numbers = {" ".join(names): int(seeds.stream(SEED, *names).integers(2**31)) for names in EXAMPLES}
    return numbers | {"integer": seeds.integer(SEED, "init", "hidden_1"), "network": network_seed(SEED, 2)}


EXAMPLES: list[tuple[str, ...]] = [
    ("order", "1"),
    ("chunks", "1"),
    ("halves",),
    ("threshold",),
    ("dropout", "hidden_1_dropout"),
    ("init", "hidden_1", "adapter"),
    ("init", "embedding", "town"),
    ("init", "numeric", "line", "size"),
]


def test_streams_and_seeds_are_those_recorded() -> None:
    assert first_numbers() == FIRST_NUMBERS


def test_order_of_rows_is_the_recorded_one() -> None:
    assert permutation(SEED, 1, 12).tolist() == ORDER
    rows = np.concatenate(list(shuffle_buffers(SEED, 1, 40_000, 2**14)))
    assert digest(rows.astype(np.int64)) == CHUNKED_ORDER


def test_folds_are_those_recorded() -> None:
    rows, classes, no_keys = np.arange(24), np.arange(24) % 3, np.zeros(24, np.int64)
    folds = {
        "random": fold_numbers(rows, no_keys, SplitOptions(kind="random"), 5, seed=SEED),
        "stratified": fold_numbers(rows, classes, SplitOptions(kind="stratified"), 5, seed=SEED),
        "halved": fold_numbers(rows, no_keys, SplitOptions(kind="random"), 10, seed=SEED),
        "group": fold_numbers(rows, np.arange(24) // 3, SplitOptions(kind="group"), 5, seed=SEED),
    }
    assert {name: "".join(map(str, numbers)) for name, numbers in folds.items()} == FOLDS


def test_places_of_a_split_by_hash_are_those_recorded() -> None:
    assert {key: hash_place(key, SEED) for key in ("", "a", "Ärger", "1.0")} == PLACES


@pytest.mark.usefixtures("backend")
def test_masks_are_those_recorded() -> None:
    layer = Dropout(
        0.25,
        seed=SEED,
        name="hidden_1_dropout",
        step=keras.Variable(0, trainable=False, dtype="int32", name=STEP),
        counts=True,
    )
    for step, recorded in MASKS.items():
        layer.step.assign(step)
        assert digest(layer.mask((33, 65))) == recorded


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", ["mlp", "ensemble"])
def test_first_weights_are_those_recorded(name: str) -> None:
    model = {
        "mlp": networks.mlp(hidden=(5, 4), dropout=0.1),
        "ensemble": networks.mlp(hidden=(5,), members=3, initializer="uniform", linear="half"),
    }[name]
    cells: dict[str, list[Any]] = {
        "size": np.linspace(-2, 2, 40).tolist(),
        "height": np.linspace(3, 1, 40).tolist(),
        "town": [("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")[number % 10] for number in range(40)],
        "y": np.linspace(0, 1, 40).tolist(),
    }
    columns = {
        "size": NumericOptions(bins=4),
        "height": NumericOptions(periodic=True),
        "town": CategoricalOptions(min_count=1, encoding="embedding"),
    }
    subject = subject_of(cells, model, columns, {"y": RegressionOptions()}, seed=SEED)
    assert {key: digest(weight) for key, weight in weights_of(subject.network).items()} == WEIGHTS[name]


def test_every_purpose_stands_in_the_table() -> None:
    """What a call of `stream` or `integer` names first is a purpose, written where it is used."""
    purposes = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("seeds.stream", "seeds.integer"):
                word = node.args[1]
                assert isinstance(word, ast.Constant), f"{path}:{node.lineno}: write the purpose there"
                purposes.add(word.value)
    assert purposes == set(seeds.PURPOSES)
