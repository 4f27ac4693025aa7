"""The multilayer perceptron: hidden layers, each affine, optionally normalised, then its activation and dropout."""

from __future__ import annotations

from typing import Any

import keras

from bptrain import seeds
from bptrain.network.dropout import Dropout, new_step
from bptrain.network.normalization import BatchNormalization, LayerNormalization
from bptrain.network.options import MlpOptions

# Glorot & Bengio 2010; He et al. 2015; LeCun et al. 1998; Saxe et al. 2014.
INITIALIZERS: dict[str, Any] = {
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
    "orthogonal": keras.initializers.Orthogonal,
}
# He for activations near zero on one side, LeCun for SELU (Klambauer et al. 2017), else Glorot.
BY_ACTIVATION = dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "mish"), "he_normal") | {
    "selu": "lecun_normal"
}
NORMALIZATIONS: dict[str, Any] = {
    "batch": BatchNormalization,
    "layer": LayerNormalization,
}


def mlp(features: Any, options: MlpOptions, seed: int) -> Any:
    """The last hidden layer's activations (batch, hidden[-1]) for features (batch, width)."""
    hidden, step = features, new_step()
    for number, units in enumerate(options.hidden, start=1):
        name = f"hidden_{number}"
        hidden = dense(hidden, units, options, name=name, activation=options.activation, seed=seed)
        if options.normalization != "none":
            hidden = NORMALIZATIONS[options.normalization](name=f"{name}_normalization")(hidden)
        hidden = keras.layers.Activation(options.activation, name=f"{name}_activation")(hidden)
        if options.dropout:
            last = number == len(options.hidden)
            hidden = Dropout(options.dropout, seed=seed, name=f"{name}_dropout", step=step, counts=last)(hidden)
    return hidden


def dense(inputs: Any, units: int, options: MlpOptions, *, name: str, activation: str, seed: int) -> Any:
    """An affine layer (batch, units) whose first weights depend on the seed and its name alone."""
    return keras.layers.Dense(
        units,
        name=name,
        kernel_initializer=_initializer(options, activation)(seed=seeds.integer(seed, "init", name)),
        kernel_regularizer=keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None,
    )(inputs)


def _initializer(options: MlpOptions, activation: str) -> Any:
    by_activation = BY_ACTIVATION.get(activation, "glorot_uniform")
    return INITIALIZERS[by_activation if options.initializer == "auto" else options.initializer]
