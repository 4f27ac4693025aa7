"""Messages of `models`."""

from __future__ import annotations

from bptrain.messages.message import Message

UNKNOWN_BACKEND = Message(
    "BP191",
    "KERAS_BACKEND is `{backend}`, but bptrain trains with {known}",
    hints=("unset it to train with TensorFlow",),
    title="backend that cannot be used",
    meaning="The variable KERAS_BACKEND asks for a backend of Keras that is not installed, or that bptrain does not "
    "know. TensorFlow is always there.",
)
MISSING_BACKEND = Message(
    "BP191",
    "KERAS_BACKEND is jax, but JAX is not installed",
    hints=('install it with pip install "bptrain[jax]"', "unset KERAS_BACKEND to train with TensorFlow"),
)
OTHER_BACKEND = Message(
    "BP192",
    "Keras was loaded with {loaded}, but KERAS_BACKEND asks for {asked}",
    hints=("set KERAS_BACKEND before anything imports keras",),
    title="Keras has another backend",
    meaning="Keras was loaded in this process before bptrain, with another backend than KERAS_BACKEND asks for. One "
    "process can use one backend.",
)
MISSING_COLUMNS = Message(
    "BP268",
    "the table lacks {n_missing} column(s) of the model: {names}",
    hints=("columns are found by name; their order does not matter",),
    title="missing columns",
    meaning="The table lacks columns that the model was trained with. Rename or add them; extra columns do not matter.",
)
MISSING_TARGET = Message(
    "BP269",
    "the table lacks the target {names}, so its rows cannot be judged",
    hints=("use `bptrain predict` for rows without a target",),
    title="no target to judge by",
    meaning="A table to be evaluated must have the target.",
)
