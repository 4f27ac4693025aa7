"""The config as a whole: sections, each defined beside the code that uses it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bptrain.data.options import CleanOptions, DataOptions, SplitOptions
from bptrain.evaluation.options import EvaluationOptions
from bptrain.features.kinds import DeclaredColumn
from bptrain.models.options import ModelOptions
from bptrain.targets.target_options import TargetOptions
from bptrain.training.options import TrainingOptions
from bptrain.utils.section import Contradiction, Section


class Config(Section):
    """One training job."""

    data: DataOptions = Field(description="The table: a path, a list of paths, or files for each part.")
    targets: dict[str, TargetOptions] = Field(
        min_length=1, description="The columns to predict; `target: NAME` is the short form for one."
    )
    columns: dict[str, DeclaredColumn] = Field(
        default_factory=dict,
        description="Kind and options of columns by name or pattern (`'*_id': ignore`); unnamed columns are inferred. "
        "`'<numeric>': {scaling: robust}` gives defaults for all columns of a kind, also inferred ones.",
    )
    clean: CleanOptions = Field(CleanOptions(), description="Rows removed before anything is learned.")
    split: SplitOptions = Field(SplitOptions(), description="Training, validation and test rows.")
    model: ModelOptions = Field(ModelOptions(), description="The network: the name of a preset, or its options.")
    training: TrainingOptions = Field(TrainingOptions(), description="Optimizer, batches, stopping.")
    evaluation: EvaluationOptions = Field(EvaluationOptions(), description="Metrics and gates.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Every random number follows from this.")

    @model_validator(mode="after")
    def _batches_of_files(self) -> Config:
        if self.data.residence == "stream" and self.training.batch_size == "all":
            raise Contradiction(
                "`stream` as `data.residence` reads rows part by part, but `all` as `training.batch_size` needs them "
                "together",
                "remove one of the two",
            )
        return self
