"""What a kind of column is: an object with typed methods, one in each folder beside this file.

The kind `geo` is a folder `features/geo/` and a line in `kinds.py`:

- `options.py`, pydantic only: `GeoOptions`, what a config may say of such a column;
- `kind.py`, numpy only: `GeoState`, what training rows taught, and `GEO = GeoKind()`, which learns it and applies it;
- `encode.py`, keras, imported by `GeoKind.encode` when it is called, where the network does more with the arrays than
  to look at their numbers. Neither keras nor pyarrow may be imported at the top of the other two files, as the schema
  of the config needs them: pyarrow is imported in the methods that use it.

What a kind may need next fits in these methods:

- Arrays of any rank and type: `FeatureState.inputs` names dtype and shape of a row, and nothing asks for one axis.
- Files that cells refer to (pictures, recordings): `learn` and `transform` open them through `paths`, the files that
  the user allows. What identifies them for lock.json will be another method with a default.
- Seeded augmentation: layers that `encode` adds, which act in training only and draw from `seed`.
- Inputs made of several columns or of earlier rows: `learn` and `transform` see all columns of the kind and all rows
  of the frame; a state may use fewer or more columns than arrays.
- A part of the network of its own: what `encode` builds between `inputs` and the tensors of its `Features`.
- No share in the linear model: `Features.linear` may be empty.
- Export with the preparation inside: all learned arithmetic is in `to_json` and `arrays`, and the docstring of the kind
  says how arrays follow from them, so that a third reader, besides `transform` and `encode`, can walk it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np
from pydantic_core import to_jsonable_python

from bptrain.errors import Problem
from bptrain.features.options import ColumnOptions, EmbeddingOptions
from bptrain.messages import features as messages
from bptrain.runs.storage import Json
from bptrain.utils.text import yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame
    from bptrain.models.compat import Tensor
    from bptrain.models.presets import Preset

Inputs = dict[str, tuple[str, tuple[int, ...]]]  # arrays by name: dtype, and the shape of one row

Options = TypeVar("Options", bound=ColumnOptions)
Column = TypeVar("Column", bound="LearnedColumn", covariant=True)
State = TypeVar("State", bound="FeatureState[LearnedColumn]")


@dataclass(frozen=True)
class Transformed:
    """Arrays for the network, each with n_rows rows.

    `bad` holds per column a mask (n_rows,) of cells that could not be used, `unknown` the number of cells whose label
    training rows never showed, `outside` that of numbers and dates beyond those of the training rows; columns without
    such cells are left out. `changed` counts the cells that were cleaned, by what was done and column:
    {("out of range", "age"): 5}. `problems` says in words what is wrong with bad cells of a column, where it is not
    what `ColumnKind.bad_cells` says.
    """

    arrays: dict[str, np.ndarray]
    bad: dict[str, np.ndarray] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    changed: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True)
class Inferred(Generic[Options]):
    """The options with which a kind would read a column that the config does not declare, and why it fits."""

    options: Options
    reason: str


@dataclass(frozen=True)
class Features:
    """Tensors of Keras that a kind gives to the network.

    Hidden layers see those of `hidden` (batch, width); `group_widths` are the widths of neighbours in them that come
    from one column, one tensor after the other. A linear model beside the hidden layers sees those of `linear`
    (batch, width) and of `linear_by_column` (columns, batch, width); both may be empty.
    """

    hidden: list[Tensor]
    group_widths: list[int]
    linear: list[Tensor]
    linear_by_column: list[Tensor] = field(default_factory=list)

    @classmethod
    def of_numbers(cls, tensors: Iterable[Tensor]) -> Features:
        """Tensors (batch, width) whose numbers each stand for themselves, seen by hidden layers and linear model."""
        hidden = list(tensors)
        return cls(hidden, [1] * sum(int(tensor.shape[-1]) for tensor in hidden), hidden)

    @classmethod
    def concat(cls, parts: Iterable[Features]) -> Features:
        """The features of several parts, one after the other."""
        parts = list(parts)
        return cls(
            [tensor for part in parts for tensor in part.hidden],
            [width for part in parts for width in part.group_widths],
            [tensor for part in parts for tensor in part.linear],
            [tensor for part in parts for tensor in part.linear_by_column],
        )


@dataclass(frozen=True)
class LearnedColumn:
    """What training rows taught about one column: JSON can hold the fields that a subclass adds."""

    name: str

    @property
    def width(self) -> int:
        """How many numbers of the kind's array are the column's."""
        return 1


@dataclass(frozen=True)
class FeatureState(Generic[Column]):
    """What training rows taught about all columns of a kind: values and arrays, no code.

    Arrays are fields of a subclass whose names end in `_`; they are saved beside the JSON, without that mark.

    Attributes:
        kind: the name of the kind, and of its array for the network.
        column: the class of its columns.
        dtype: of the array.
        learned: what was learned of each column.
        indicators: the columns with missing training cells, of which the network is told which cells lack; None for a
            kind that has no such.
    """

    kind: ClassVar[str]
    column: ClassVar[type[LearnedColumn]] = LearnedColumn
    dtype: ClassVar[str] = "float32"

    learned: tuple[Column, ...]
    indicators: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.learned)

    @property
    def inputs(self) -> Inputs:
        """The arrays that `ColumnKind.transform` makes and the network receives.

        Here one of numbers (n_rows, width), and with indicators one that says which of their cells lack.
        """
        inputs: Inputs = {self.kind: (self.dtype, (sum(column.width for column in self.learned),))}
        if self.indicators:
            inputs[f"{self.kind}_missing"] = ("float32", (len(self.indicators),))
        return inputs

    @property
    def n_features(self) -> int:
        """How many numbers a row is to the network, each label that has an input of its own counted."""
        return sum(math.prod(shape) for _, shape in self.inputs.values())

    def to_json(self) -> Json:
        """All that is no array."""
        columns: Json = {"columns": to_jsonable_python(self.learned)}
        return columns if self.indicators is None else columns | {"indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that are kept beside the JSON."""
        return {name.removesuffix("_"): array for name, array in vars(self).items() if name.endswith("_")}


AnyState = FeatureState[LearnedColumn]


class ColumnKind(ABC, Generic[Options, State]):
    """A kind of column. The docstring of a subclass says how its arrays follow from the cells; runs publish it.

    Attributes:
        name: how a config names the kind, and the name of its folder.
        options: the section of the config.
        state: what is learned.
        unusable: what a cell is that the kind cannot use; `predict` writes it into the column `status`.
        cells_are_numbers: whether `1.50` and `1.5` are the same cell, for the digests in lock.json.
        takes_any_text: whether every cell can be of the kind; it is asked last.
        tells_time: whether cells say when something happened.
        marks: options that name a mark within numbers, which cannot be the decimal mark of the table.
    """

    name: ClassVar[str]
    options: type[Options]
    state: type[State]
    unusable: ClassVar[str] = "no finite number"
    cells_are_numbers: ClassVar[bool] = False
    takes_any_text: ClassVar[bool] = False
    tells_time: ClassVar[bool] = False
    marks: ClassVar[tuple[str, ...]] = ()

    # Columns that are not declared

    @abstractmethod
    def infer(self, frame: Frame, name: str) -> Inferred[Options] | None:
        """Whether a column of training rows holds this kind, and with which options.

        Raises DataError where nearly all cells are of this kind, so that the others are rather mistakes.
        """

    def suspect(self, frame: Frame, name: str) -> Problem | None:
        """A warning where cells that were taken for labels look like this kind, were it declared with options."""
        return None

    # Options and cells

    def resolve_options(self, options: Mapping[str, Options], preset: Preset) -> Mapping[str, Options]:
        """The options of all columns of the kind, with what the preset puts where they say `auto`."""
        return options

    def check(self, frame: Frame, options: Mapping[str, Options], *, training: bool) -> list[Problem]:
        """Cells of any rows that cannot be used; loads no scikit-learn.

        With `training`, instead what only training rows must not have: other odd cells, columns without any value.
        """
        return []

    def warn(self, frame: Frame, name: str, options: Options) -> list[Problem]:
        """What is odd about the training cells of a column."""
        return []

    def warn_of_options(self, frame: Frame, name: str, options: Options) -> list[Problem]:
        """Options that the training cells of a column make doubtful."""
        return []

    def bad_cells(self, frame: Frame, name: str, mask: np.ndarray) -> Problem:
        """The problem of the cells under `mask` (n_rows,), which `transform` found to be bad."""
        return frame.not_a_number(name, mask)

    # Learning and applying

    def rows_to_drop(self, frame: Frame, options: Mapping[str, Options]) -> dict[tuple[str, str], np.ndarray]:
        """Masks (n_rows,) of training rows that options leave out of training, by (what is wrong, column)."""
        return {}

    @abstractmethod
    def learn(self, frame: Frame, options: Mapping[str, Options], paths: AllowedPaths) -> State:
        """What the training rows in `frame` teach about the columns in `options`, at least one.

        Raises DataError with all that `check` would find, with and without `training`.
        """

    @abstractmethod
    def transform(self, state: State, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The arrays of any rows; cells that cannot be used are `bad` and count as missing.

        Files that cells name are opened through `paths`: `open_data(DataFile(paths.resolve(cell), cell))`.
        """

    def load(self, saved: Json, arrays: Mapping[str, np.ndarray]) -> State:
        """The state that `to_json` and `arrays` wrote."""
        columns: list[Json] = [
            {key: tuple(value) if isinstance(value, list) else value for key, value in column.items()}
            for column in saved["columns"]
        ]
        fields: Json = {"learned": tuple(self.state.column(**column) for column in columns)}
        fields |= {name: tuple(saved[name]) for name in ("indicators",) if name in saved}
        fields |= {f"{name}_": array for name, array in arrays.items()}
        return self.state(**fields)

    def array_shapes(self, saved: Json) -> Inputs:
        """Dtype and shape of all `arrays` that belong to `saved`, to check them before they are loaded."""
        return {}

    # The network

    def encode(self, state: State, inputs: dict[str, Tensor], *, seed: int, embedding: EmbeddingOptions) -> Features:
        """What the network sees; here the numbers of all arrays, which must be (batch, width).

        Args:
            state: what was learned.
            inputs: tensors (batch, …) of at least the arrays of `state`.
            seed: what first weights follow from, by `seeds.stream(seed, "init", …)`.
            embedding: `model.embedding`, for kinds that give vectors of numbers.
        """
        return Features.of_numbers(inputs[name] for name in state.inputs)


def unreadable_cells(frame: Frame, name: str, mask: np.ndarray, said: str, *hints: str) -> Problem:
    """The problem of cells under `mask` (n_rows,) that their column's kind cannot read.

    `said` goes on after "column `x`", with {} for how many they are: "is a date, but {} are no date of its format".
    """
    return messages.UNREADABLE_CELLS(
        name=name,
        said=said.format(f"{int(mask.sum())} of {frame.n_rows} cells"),
        examples=frame.examples(name, mask),
        column=yaml_name(name),
        where=frame.where(int(np.flatnonzero(mask)[0])),
        hints=hints,
    )


def empty_columns(frame: Frame, names: Iterable[str], kind: str) -> list[Problem]:
    """The problems of columns that are declared, but have no value in the training rows."""
    return [
        messages.NO_VALUE(name=name, kind=kind, column=yaml_name(name)) for name in names if not frame.n_present(name)
    ]
