"""Messages of `models`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP191": Code(
        "backend that cannot be used",
        "The variable KERAS_BACKEND asks for a backend of Keras that is not installed, or that bptrain does not know.",
        'Install it, as with `pip install "bptrain[jax]"`, or unset the variable: TensorFlow is always there.',
    ),
    "BP192": Code(
        "Keras has another backend",
        "Keras was loaded in this process before bptrain, with another backend than KERAS_BACKEND asks for.",
        "Set KERAS_BACKEND before anything imports keras; one process can use one backend.",
    ),
    "BP268": Code(
        "missing columns",
        "The table lacks columns that the model was trained with.",
        "Rename or add the columns; extra columns and order do not matter.",
    ),
    "BP269": Code(
        "no target to judge by",
        "A table to be evaluated must have the target.",
        "Use `bptrain predict` for rows without a target.",
    ),
}
