"""Numeric columns: each option does what it says, by hand or as scikit-learn does it, in training rows and others."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import preprocessing
from sklearn.impute import SimpleImputer

from bptrain.data.frame import Frame
from bptrain.errors import DataError
from bptrain.features import preparer as prepare
from bptrain.features.kind import Transformed
from bptrain.features.numeric.kind import NumericState
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.numeric.scaling import learn_bounds, n_quantiles

RANDOM = np.random.default_rng(7)
SKEW = RANDOM.lognormal(0.0, 1.5, 400) * RANDOM.choice([-1, 1], 400)


def learn(cells: Any, **options: Any) -> NumericState:
    state = prepare.learn(frame_of(x=cells), {"x": NumericOptions(**options)})["numeric"]
    assert isinstance(state, NumericState)
    return state


def transform(state: NumericState, cells: Any) -> Transformed:
    return prepare.transform({"numeric": state}, frame_of(x=cells))


def made(state: NumericState, cells: Any) -> np.ndarray:
    """The prepared column (n_rows,) float64."""
    return transform(state, cells).arrays["numeric"][:, 0].astype(np.float64)


def float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(("missing", "fill", "expected"), [("median", 9, 2.0), ("mean", 9, 4.0), ("constant", 9, 9.0)])
def test_missing_cells_take_the_value_that_is_asked_for(missing: str, fill: float, expected: float) -> None:
    cells = [1.0, 2.0, 9.0, None]
    state = learn(cells, missing=missing, fill=fill, scaling="none")
    assert made(state, [None, 5.0]).tolist() == [expected, 5.0]
    imputer = SimpleImputer(strategy=missing, fill_value=float(fill))
    assert state.fill_.tolist() == imputer.fit(np.array([[1.0], [2.0], [9.0], [np.nan]])).statistics_.tolist()


def test_median_is_that_of_scikit_learn_to_the_bit() -> None:
    """It is computed without scikit-learn, whose masked arrays are slow."""
    random = np.random.default_rng(0)
    for n_rows in range(1, 80):
        cells = random.normal(size=n_rows) * 10.0 ** random.integers(-100, 30)
        cells[1:][random.random(n_rows - 1) < 0.2] = np.nan
        expected = SimpleImputer(strategy="median").fit(cells[:, None]).statistics_.tolist()
        assert learn([None if np.isnan(c) else c for c in cells], scaling="none").fill_.tolist() == expected


def test_constant_is_zero_unless_it_is_given() -> None:
    assert made(learn([1.0, None], missing="constant", scaling="none"), [None]).tolist() == [0.0]


@pytest.mark.parametrize(("indicator", "width"), [(True, 1), (False, 0)])
def test_indicator_says_which_cells_were_missing(indicator: bool, width: int) -> None:
    arrays = transform(learn([1.0, None], indicator=indicator), [3.0, None]).arrays
    assert [array[:, 0].tolist() for name, array in arrays.items() if name == "numeric_missing"] == [[0.0, 1.0]] * width


SCALERS: dict[str, Any] = {
    "standard": preprocessing.StandardScaler(),
    "minmax": preprocessing.MinMaxScaler(),
    "robust": preprocessing.RobustScaler(),
    "quantile": preprocessing.QuantileTransformer(
        n_quantiles=n_quantiles(400), output_distribution="normal", subsample=None
    ),
    "log1p": preprocessing.StandardScaler(),
    "none": preprocessing.FunctionTransformer(),
}


@pytest.mark.parametrize("scaling", SCALERS)
def test_scaling_is_that_of_scikit_learn_on_training_and_other_rows(scaling: str) -> None:
    def bent(x: np.ndarray) -> np.ndarray:
        x = x[:, None]
        return np.sign(x) * np.log1p(np.abs(x)) if scaling == "log1p" else x

    state = learn(SKEW, scaling=scaling)
    scaler = SCALERS[scaling].fit(bent(SKEW))
    others = np.array([-1e6, -3.5, 0.0, 1e-9, 0.7, 2e5])
    for cells in (SKEW, others):
        np.testing.assert_allclose(made(state, cells), float32(scaler.transform(bent(cells))[:, 0]), rtol=1e-6)


def test_scalings_differ() -> None:
    columns = {scaling: tuple(made(learn(SKEW, scaling=scaling), SKEW).tolist()) for scaling in SCALERS}
    assert len(set(columns.values())) == len(SCALERS)


def test_columns_of_one_table_are_scaled_each_in_its_own_way() -> None:
    table = pa.table({scaling: SKEW + position for position, scaling in enumerate(SCALERS)})
    frame = Frame(table, np.arange(400))
    together = prepare.learn(frame, {name: NumericOptions(scaling=name) for name in SCALERS})
    arrays = prepare.transform(together, frame).arrays["numeric"]
    for position, name in enumerate(SCALERS):
        alone = made(learn(table[name].combine_chunks(), scaling=name), table[name].combine_chunks())
        np.testing.assert_allclose(arrays[:, position], alone, rtol=1e-6)


def test_minmax_puts_training_rows_between_0_and_1() -> None:
    values = made(learn([10.0, 15.0, 30.0], scaling="minmax"), [10.0, 15.0, 30.0, 50.0])
    assert values.tolist() == [0.0, 0.25, 1.0, 2.0]


def test_robust_takes_half_the_width_without_interquartile_range_and_0_for_a_constant() -> None:
    assert made(learn([0.0] * 9 + [8.0], scaling="robust"), [0.0, 8.0]).tolist() == [0.0, 2.0]
    assert made(learn([5.0] * 10, scaling="robust"), [5.0, 1e30]).tolist() == [0.0, 0.0]


def test_quantiles_beside_the_smallest_numbers_are_finite() -> None:
    cells = [*[0.0] * 10, *[-1.0] * 7, -1.1125369292536007e-308, -2.225073858507e-311, *[None] * 5, 1.0]
    assert np.isfinite(made(learn(cells, scaling="quantile"), [*cells, 5e-324])).all()


@pytest.mark.parametrize(("n_rows", "n"), [(4, 4), (100, 10), (3000, 100), (10**6, 1000)])
def test_quantiles_grow_with_the_table(n_rows: int, n: int) -> None:
    assert n_quantiles(n_rows) == n


def test_quantiles_of_several_columns_load_each_to_its_own() -> None:
    frame = frame_of({"a": SKEW, "b": SKEW, "c": SKEW**2})
    chosen = {name: NumericOptions(scaling="none" if name == "b" else "quantile") for name in "abc"}
    learned = prepare.learn(frame, chosen)
    saved, arrays = prepare.save(learned)
    assert arrays["numeric/quantiles"].shape == (2 * n_quantiles(400),)
    assert {name: ("<f8", array.shape) for name, array in arrays.items()} == prepare.array_shapes(saved)
    loaded = prepare.load(saved, arrays)
    before, after = (prepare.transform(each, frame).arrays["numeric"] for each in (learned, loaded))
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"clip": "none"}, [-10.0, 0.5, 10.0]),
        ({"clip": "hard"}, [-3.0, 0.5, 3.0]),
        ({"clip": "hard", "clip_limit": 0.25}, [-0.25, 0.25, 0.25]),
        ({"clip": "smooth"}, [-10 / np.sqrt(1 + 100 / 9), 0.5 / np.sqrt(1 + 0.25 / 9), 10 / np.sqrt(1 + 100 / 9)]),
        ({"clip": "smooth", "clip_limit": 1.0}, [-10 / np.sqrt(101), 0.5 / np.sqrt(1.25), 10 / np.sqrt(101)]),
    ],
)
def test_clip_bounds_scaled_values(options: dict[str, Any], expected: list[float]) -> None:
    state = learn([-1.0, 1.0], **options)  # mean 0, standard deviation 1
    np.testing.assert_allclose(made(state, [-10.0, 0.5, 10.0]), expected, rtol=1e-6)


def test_hard_clip_keeps_minmax_between_0_and_1() -> None:
    assert made(learn([0.0, 2.0], scaling="minmax", clip="hard"), [-9.0, 1.0, 9.0]).tolist() == [0.0, 0.5, 1.0]


def test_smooth_clip_has_a_value_for_every_number() -> None:
    assert made(learn([-1e-30, 1e-30], clip="smooth", scaling="none"), [3e38, -3e38]).tolist() == [3.0, -3.0]


AGES = [20.0, 30.0, -1.0, 40.0, 999.0]


@pytest.mark.parametrize(
    ("bounds", "missing"), [([0, 120], [2, 4]), ([None, 120], [4]), ([0, None], [2]), ([-1, 999], []), (None, [])]
)
def test_cells_outside_the_range_are_missing(bounds: list[float | None] | None, missing: list[int]) -> None:
    state = learn(AGES, range=bounds, missing="constant", fill=7, scaling="none")
    done = transform(state, AGES)
    expected = [7.0 if position in missing else age for position, age in enumerate(AGES)]
    assert done.arrays["numeric"][:, 0].tolist() == expected
    assert done.changed == ({("out of range", "x"): len(missing)} if missing else {})
    assert state.indicators == (("x",) if missing else ())
    assert not done.bad


def test_cells_outside_the_range_teach_nothing() -> None:
    assert learn(AGES, range=[0, 120]).fill_.tolist() == [30.0]
    assert learn(AGES, range=[0, 120]).center_.tolist() == [30.0]


def test_cells_outside_the_range_can_be_an_error() -> None:
    options = {"x": NumericOptions(range=(0, 120), out_of_range="error")}
    for refuse in (partial(prepare.check, training=False), prepare.learn):
        with pytest.raises(DataError, match=r"BP254: .* ranges from 0 to 120, but 2 of 5 .*'-1.0' \(row 3\)") as caught:
            refuse(frame_of(x=AGES), options)
        assert caught.value.problems[0].where == "row 3"
    learned = prepare.learn(frame_of(x=[20.0, 30.0]), options)
    done = prepare.transform(learned, frame_of(x=AGES))
    assert done.bad["x"].tolist() == [False, False, True, False, True]
    assert not done.changed
    with pytest.raises(DataError, match="BP254"):
        prepare.transform_or_raise(learned, frame_of(x=AGES))


def test_a_column_with_impossible_values_alone_is_refused() -> None:
    with pytest.raises(DataError, match="BP241: .*: all its 5 numbers lie outside `range`"):
        learn(AGES, range=[5000, None])


def test_training_rows_with_impossible_values_can_be_left_out() -> None:
    options = {"x": NumericOptions(range=(0, 120), out_of_range="drop", scaling="none")}
    kept, reasons = prepare.rows_to_train(frame_of(x=AGES), options)
    assert kept.tolist() == [True, True, False, True, False]
    assert reasons == [("out of range", "x", 2)]
    learned = prepare.learn(frame_of(x=AGES).take(np.flatnonzero(kept)), options)
    done = prepare.transform(learned, frame_of(x=AGES))  # other rows stay, and the cell is missing
    assert done.arrays["numeric"][:, 0].tolist() == [20.0, 30.0, 30.0, 40.0, 30.0]
    assert done.changed == {("out of range", "x"): 2}


@pytest.mark.parametrize("out_of_range", ["missing", "error"])
def test_rows_are_left_out_only_when_asked(out_of_range: str) -> None:
    kept, reasons = prepare.rows_to_train(
        frame_of(x=AGES), {"x": NumericOptions(range=(0, 120), out_of_range=out_of_range)}
    )
    assert (kept.all(), reasons) == (True, [])


def test_leaving_out_every_row_is_refused() -> None:
    with pytest.raises(DataError, match="BP254: every one of the 5 training rows would be left out: column `x` 5"):
        prepare.rows_to_train(frame_of(x=AGES), {"x": NumericOptions(range=(5000, None), out_of_range="drop")})


MANY = [*np.linspace(-1, 1, 998).tolist(), 50.0, -70.0]


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, np.quantile(MANY, 0.005), np.quantile(MANY, 0.995)),
        ({"outlier_limit": 0.1}, np.quantile(MANY, 0.1), np.quantile(MANY, 0.9)),
        ({"outlier_rule": "zscore"}, np.mean(MANY) - 4 * np.std(MANY), np.mean(MANY) + 4 * np.std(MANY)),
        ({"outlier_rule": "zscore", "outlier_limit": 10.0}, *(np.mean(MANY) + np.array([-10, 10]) * np.std(MANY))),
    ],
)
def test_outliers_are_clipped_to_what_training_rows_taught(options: dict[str, Any], low: float, high: float) -> None:
    state = learn(MANY, outliers="clip", scaling="none", **options)
    done = transform(state, [0.5, 1e9, -1e9, None])
    np.testing.assert_allclose(done.arrays["numeric"][:3, 0], float32(np.array([0.5, high, low])), rtol=1e-6)
    assert done.changed == {("outlier clipped", "x"): 2}
    assert not done.bad


def test_outliers_are_kept_by_default() -> None:
    done = transform(learn(MANY, scaling="none"), MANY)
    assert done.arrays["numeric"][-2:, 0].tolist() == [50.0, -70.0]
    assert not done.changed


def test_training_rows_with_outliers_can_be_left_out() -> None:
    options = {"x": NumericOptions(outliers="drop", outlier_rule="zscore", scaling="none")}
    kept, reasons = prepare.rows_to_train(frame_of(x=MANY), options)
    assert np.flatnonzero(~kept).tolist() == [998, 999]
    assert reasons == [("outlier", "x", 2)]
    learned = prepare.learn(frame_of(x=MANY).take(np.flatnonzero(kept)), options)
    assert prepare.transform(learned, frame_of(x=[1e9])).arrays["numeric"].tolist() == [[1e9]]


def test_outliers_are_judged_without_impossible_values() -> None:
    options = NumericOptions(outliers="drop", outlier_rule="zscore", range=(None, 1000), out_of_range="drop")
    kept, reasons = prepare.rows_to_train(frame_of(x=[*MANY, 1e30]), {"x": options})
    assert reasons == [("out of range", "x", 1), ("outlier", "x", 2)]
    assert np.flatnonzero(~kept).tolist() == [998, 999, 1000]


@pytest.mark.parametrize("rule", ["quantile", "zscore"])
def test_equal_numbers_are_no_outliers(rule: str) -> None:
    assert learn_bounds(np.full(1000, 0.1), NumericOptions(outlier_rule=rule)) == (0.1, 0.1)


PRICES = ["$1,200.50", "-$3", "5 $", "7", " $ 1,000 ", None]


def test_marked_numbers_are_read() -> None:
    state = learn(pa.array(PRICES), unit="$", thousands=",", scaling="none")
    done = transform(state, pa.array(PRICES))
    assert done.arrays["numeric"][:, 0].tolist() == [1200.5, -3.0, 5.0, 7.0, 1000.0, 7.0]
    assert done.changed == {("mark removed", "x"): 4}


@pytest.mark.parametrize("options", [{}, {"unit": "$"}, {"thousands": ","}, {"unit": "€", "thousands": ","}])
def test_marked_numbers_need_their_options(options: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="BP242") as caught:
        learn(pa.array(PRICES), **options)
    hint = 'write `columns: {x: {kind: numeric, unit: "$", thousands: ","}}`'
    assert caught.value.problems[0].hints[0] == hint


@pytest.mark.parametrize(
    ("thousands", "decimal", "cell", "value"),
    [
        (",", ".", "1,234,567.5", 1234567.5),
        (".", ",", "1.234.567,5", 1234567.5),
        (" ", ".", "12 345", 12345),
        (" ", ",", "12\u00a0345,5", 12345.5),
        (" ", ".", "12\u202f345", 12345),
        ("'", ".", "12'345", 12345),
        ("'", ".", "12’345", 12345),
        ("_", ".", "-12_345", -12345),
        (",", ".", "1,2,3", None),
        (",", ".", "1234,567", None),
        (",", ".", "1,23", None),
        (",", ".", "1,2345", None),
        (",", ".", ",123", None),
        (".", ",", "1.5", None),
        (" ", ".", "12,345", None),
    ],
)
def test_thousands_are_grouped_by_threes(thousands: str, decimal: str, cell: str, value: float | None) -> None:
    options = {"x": NumericOptions(thousands=thousands, scaling="none", missing="constant", fill=-1)}
    learned = prepare.learn(frame_of(x=["1", "2"], decimal=decimal), options)
    done = prepare.transform(learned, frame_of(x=["1", cell], decimal=decimal))
    assert ("x" in done.bad) == (value is None)
    assert done.arrays["numeric"][1, 0] == (-1 if value is None else value)


@pytest.mark.parametrize(
    ("unit", "cell", "value"),
    [
        ("%", "12.5 %", 12.5),
        ("kg", "kg12", 12),
        ("kg", "+12kg", 12),
        ("p.a.", "5 p.a.", 5),
        (" € ", "€-5", -5),
        ("€", "-€5", -5),
        ("$", "$5$", None),
        ("$", "$", None),
        ("kg", "5 KG", None),
        ("$", "--$5", None),
        (".*", "5x", None),
    ],
)
def test_unit_is_removed_once_at_either_end(unit: str, cell: str, value: float | None) -> None:
    done = transform(learn(["1", "2"], unit=unit, scaling="none", missing="constant", fill=-1), ["1", cell])
    assert ("x" in done.bad) == (value is None)
    assert done.arrays["numeric"][1, 0] == (-1 if value is None else value)


def test_numbers_need_no_marks() -> None:
    assert made(learn([1.0, 2.0], unit="$", thousands=",", scaling="none"), [1200.0]).tolist() == [1200.0]


@pytest.mark.parametrize(
    "options",
    [
        {"range": (None, None)},
        {"range": (2, 1)},
        {"range": (1,)},
        {"unit": ""},
        {"unit": "5"},
        {"unit": "-"},
        {"unit": "."},
        {"thousands": ";"},
        {"clip_limit": 0.0},
        {"outlier_limit": 0.0},
        {"outlier_limit": 0.5},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        NumericOptions(**options)


def numeric_options() -> st.SearchStrategy[NumericOptions]:
    def choice(name: str) -> st.SearchStrategy[Any]:
        return st.sampled_from(CHOICES[name])

    return st.builds(
        NumericOptions,
        fill=st.floats(-1e6, 1e6),
        indicator=st.booleans(),
        clip_limit=st.floats(0.1, 10),
        outlier_limit=st.none() | st.floats(0.01, 0.4),
        **{name: choice(name) for name in CHOICES},
    )


CHOICES: dict[str, list[Any]] = {
    "missing": ["median", "mean", "constant"],
    "scaling": list(SCALERS),
    "clip": ["none", "hard", "smooth"],
    "range": [None, (-5, None), (None, 5), (-5, 5)],
    "out_of_range": ["missing", "drop"],
    "outliers": ["keep", "clip", "drop"],
    "outlier_rule": ["quantile", "zscore"],
    "thousands": [None, ",", "_"],
    "unit": [None, "$"],
}
NUMBERS = st.floats(-8, 8) | st.floats(-1e30, 1e30) | st.integers(-3, 3).map(float) | st.none()


@settings(max_examples=200, deadline=None)
@given(st.lists(numeric_options(), min_size=1, max_size=3), st.data())
def test_transform_after_loading_equals_before(chosen: list[NumericOptions], data: st.DataObject) -> None:
    n_rows = data.draw(st.integers(1, 30))
    cells = st.lists(NUMBERS, min_size=n_rows, max_size=n_rows)
    table = pa.table({str(i): pa.array([1.0, *data.draw(cells)], pa.float64()) for i in range(len(chosen))})
    frame = Frame(table, np.arange(n_rows + 1))
    options = {str(i): each for i, each in enumerate(chosen)}
    try:
        kept, _ = prepare.rows_to_train(frame, options)
        learned = prepare.learn(frame.take(np.flatnonzero(kept)), options)
    except DataError:  # no number is left
        assume(False)
    saved, arrays = prepare.save(learned)
    loaded = prepare.load(saved, arrays)
    assert prepare.array_shapes(saved) == {name: ("<f8", array.shape) for name, array in arrays.items()}
    before, after = prepare.transform(learned, frame), prepare.transform(loaded, frame)
    assert before.changed == after.changed
    assert list(before.arrays) == list(after.arrays)
    for name, array in before.arrays.items():
        assert array.tobytes() == after.arrays[name].tobytes()
        assert np.isfinite(array).all()


def test_range_that_few_cells_keep_to_is_doubtful() -> None:
    frame = frame_of({"a": [*range(20), None], "b": [*range(20), None]})
    options = {"a": NumericOptions(range=(None, 14)), "b": NumericOptions(range=(None, 16))}
    (problem,) = prepare.doubts(frame, options)
    assert problem.code == "BP257"
    assert "column `a`: 5 of 20 cells" in problem.message


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("compiled", [False, True])
def test_cosine_and_its_gradient_are_right_everywhere(compiled: bool) -> None:
    import tensorflow as tf

    from bptrain.features.numeric.encode import Cosine

    turns = np.concatenate([np.linspace(-2, 2, 2**12 + 1), np.random.default_rng(0).normal(0, 30, 10_000)])
    turns, cosine = turns.astype(np.float32), Cosine()

    @tf.function(jit_compile=compiled)
    def both(turns: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(turns)
            value = cosine(turns)
        return value, tape.gradient(value, turns)

    value, slope = both(tf.constant(turns))
    angles = 2 * np.pi * turns.astype(np.float64)
    np.testing.assert_allclose(value, np.cos(angles), atol=1e-6)
    np.testing.assert_allclose(slope, -2 * np.pi * np.sin(angles), atol=1e-5)
    np.testing.assert_allclose(cosine.plain("")(tf.constant(turns)), np.cos(angles), atol=1e-4)
