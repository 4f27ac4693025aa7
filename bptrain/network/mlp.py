"""The multilayer perceptron: hidden layers, each affine, optionally normalised, then its activation and dropout."""

from __future__ import annotations

from typing import Any

import keras

from bptrain import seeds
from bptrain.network.options import MlpOptions

# He et al. 2015 for activations near zero on one side, LeCun 1998 for SELU (Klambauer et al. 2017), else Glorot 2010.
INITIALIZERS: dict[str, Any] = {
    "relu": keras.initializers.HeNormal,
    "leaky_relu": keras.initializers.HeNormal,
    "elu": keras.initializers.HeNormal,
    "gelu": keras.initializers.HeNormal,
    "silu": keras.initializers.HeNormal,
    "mish": keras.initializers.HeNormal,
    "selu": keras.initializers.LecunNormal,
}


def mlp(features: Any, options: MlpOptions, seed: int) -> Any:
    """The last hidden layer's activations (batch, hidden[-1]) for features (batch, width)."""
    hidden = features
    for number, units in enumerate(options.hidden, start=1):
        name = f"hidden_{number}"
        hidden = dense(hidden, units, name=name, activation=options.activation, l2=options.l2, seed=seed)
        if options.batch_normalization:
            hidden = keras.layers.BatchNormalization(name=f"{name}_normalization")(hidden)
        hidden = keras.layers.Activation(options.activation, name=f"{name}_activation")(hidden)
        if options.dropout:
            dropout_seed = seeds.integer(seed, "dropout", name)
            hidden = keras.layers.Dropout(options.dropout, seed=dropout_seed, name=f"{name}_dropout")(hidden)
    return hidden


def dense(inputs: Any, units: int, *, name: str, activation: str, l2: float, seed: int) -> Any:
    """An affine layer (batch, units) whose first weights depend on the seed and its name alone."""
    initializer = INITIALIZERS.get(activation, keras.initializers.GlorotUniform)
    return keras.layers.Dense(
        units,
        name=name,
        kernel_initializer=initializer(seed=seeds.integer(seed, "init", name)),
        kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
    )(inputs)
