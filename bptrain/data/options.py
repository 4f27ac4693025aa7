"""The sections `data`, `clean` and `split` of the config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.utils.section import Contradiction, Section

Paths = Annotated[tuple[str, ...], Field(strict=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
USUAL_VALIDATION = 0.2


class DataOptions(Section):
    """Which files hold the rows, and how they are written."""

    train: Paths = Field(
        min_length=1, description="Files or glob patterns; every row not given below is split from these."
    )
    validation: Paths = Field((), description="Files for validation; when given, `split.validation` is not used.")
    test: Paths = Field((), description="Files for the final judgement; when given, `split.test` is not used.")
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet"] = Field(
        "auto",
        description="File format; `auto` goes by the name: .csv, .tsv, .jsonl, .ndjson (also with .gz), .parquet.",
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="Field separator of CSV; by default `,` (a tab for TSV)."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of CSV numbers.")
    encoding: str = Field("utf-8", description="Text encoding of CSV, for instance `latin-1` or `utf-16`.")
    na_values: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        ("",), description="Cells that mean missing, compared exactly; only these are missing."
    )
    header: bool = Field(True, description="Whether the first row of CSV names the columns; otherwise give `names`.")
    names: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        None, description="Column names of a CSV without header."
    )

    residence: Literal["auto", "memory", "stream"] = Field(
        "auto",
        description="Where prepared rows lie in training: in `memory`, or in a file that is read once per epoch "
        "(`stream`). `auto`: in memory up to `memory_limit`, and with `batch_size: all`, which needs all rows at once.",
    )
    memory_limit: Annotated[int, Field(ge=1)] = Field(
        2048, description="MiB of prepared rows, those of all folds included, that `residence: auto` keeps in memory."
    )

    @model_validator(mode="after")
    def _names_without_header(self) -> DataOptions:
        if self.header and self.names is not None:
            raise Contradiction("`names` is for files without a header", "set `header: false` or remove `names`")
        if not self.header and self.names is None:
            raise ValueError("a file without header needs `names`, the list of its column names")
        return self


class CleanOptions(Section):
    """What happens to rows and cells before anything is learned; each step is counted in the cleaning report."""

    missing_target: Literal["error", "drop"] = Field(
        "error", description="Rows without a target value: refuse the table or drop the rows."
    )
    duplicates: Literal["keep", "drop"] = Field(
        "keep",
        description="Rows of the training files that repeat an earlier one in every column: `drop` them where they are "
        "copies made by mistake, which would otherwise fall on both sides of the split. Given validation and test "
        "files stay as they are.",
    )
    rare_class: Literal["error", "drop", "group"] = Field(
        "error",
        description="Labels of a target that too few rows have for the split: refuse the table, `drop` their rows, or "
        "(multiclass) `group` them as one label `other`.",
    )
    rare_class_rows: Annotated[int, Field(ge=2)] = Field(
        10, description="With `rare_class` drop or group: labels with fewer rows than this are rare."
    )
    strip: bool = Field(
        False,
        description="White space around cells does not count, in columns and targets: where labels were typed by hand.",
    )
    case: Literal["keep", "ignore"] = Field(
        "keep",
        description="`ignore`: labels that differ only in upper and lower case are one, spelled as in most cells.",
    )
    constants: Literal["ignore", "keep"] = Field(
        "ignore", description="Undeclared columns with one value only: leave them out, or `keep` them."
    )
    identifiers: Literal["ignore", "keep"] = Field(
        "ignore",
        description="Undeclared columns that look like identifiers or free text: leave them out, or `keep` them.",
    )


class SplitOptions(Section):
    """How rows are divided when no validation or test files are given."""

    kind: Literal["auto", "random", "stratified", "group", "time", "column", "hash"] = Field(
        "auto",
        description="`stratified` keeps the share of each class. `random` and `stratified` equal scikit-learn's "
        "train_test_split with random_state = seed for test, then seed + 1 for validation. `group` keeps rows with "
        "equal cells of a column together, so that the model is judged on groups it has not seen. `time` judges on the "
        "latest rows, as in use. `column` goes by cells that say train, validation or test. `hash` decides by a key "
        "alone, so that a row keeps its part for ever as the table grows. `auto`: by the column with the role `group` "
        "or `time`, else stratified for one classification target, else random.",
    )
    column: str | None = Field(
        None,
        description="The column that `group`, `time`, `column` or `hash` looks at; for group and time by default the "
        "one with that role.",
    )
    test: Fraction = Field(0.2, description="Share of all rows kept for the final judgement (0: no test rows).")
    validation: Fraction | Literal["auto"] = Field(
        "auto",
        description="Share of the remaining rows that chooses the epoch. 0: none, but each of several `model.networks` "
        "takes a fold of the training rows for that. `auto`: 0 for several networks, but 0.2 by time; else 0.2.",
    )
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="Also train and judge once per fold of the rows that are not for the test: for small tables, whose "
        "few test rows say little. 5 or 10 are usual.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = Field(
        None, description="Seed of the split; by default the run's `seed`."
    )

    def share(self, part: str) -> float:
        """The share of `test` or `validation` rows, the usual one while it is left open."""
        share: float | str = getattr(self, part)
        return USUAL_VALIDATION if isinstance(share, str) else share
