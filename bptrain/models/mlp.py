"""Hidden layers, each affine, optionally normalised, then its activation and dropout; the last layers of targets."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from bptrain.features.encoding import Features
from bptrain.models.layers.batch_ensemble import Adapted
from bptrain.models.layers.dense import Dense
from bptrain.models.layers.dropout import Dropout, new_step
from bptrain.models.layers.normalization import BatchNormalization, LayerNormalization
from bptrain.models.options import ResolvedModel
from bptrain.utils import seeds

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


def hidden_layers(features: Features, options: ResolvedModel, seed: int) -> Any:
    """The last hidden layer's activations (batch, hidden[-1]); of several members (batch, members, hidden[-1])."""
    hidden, step = joined(features.hidden, "features"), new_step()
    for number, units in enumerate(options.hidden, start=1):
        name = f"hidden_{number}"
        if number == 1 and options.members > 1:
            first = _first_weights(options, options.activation, name, hidden.shape[-1], seed)
            hidden = Adapted(
                units, options.members, features.chunks, **first, penalty=_penalty(options), seed=seed, name=name
            )(hidden)
        else:
            hidden = dense(hidden, units, options, name=name, activation=options.activation, seed=seed)
        if options.normalization != "none":
            hidden = NORMALIZATIONS[options.normalization](name=f"{name}_normalization")(hidden)
        hidden = keras.layers.Activation(options.activation, name=f"{name}_activation")(hidden)
        if options.dropout:
            last = number == len(options.hidden)
            hidden = Dropout(options.dropout, seed=seed, name=f"{name}_dropout", step=step, counts=last)(hidden)
    return hidden


def head(hidden: Any, n_outputs: int, options: ResolvedModel, *, name: str, seed: int) -> Any:
    """The outputs (batch, n_outputs) of a target; of several members (batch, members, n_outputs), a layer for each."""
    if options.members == 1:
        return dense(hidden, n_outputs, options, name=name, activation="linear", seed=seed)
    first = _first_weights(options, "linear", name, hidden.shape[-1], seed)
    equation = "bmh,mho->bmo" if len(hidden.shape) == 3 else "bh,hmo->bmo"
    return keras.layers.EinsumDense(
        equation,
        (options.members, n_outputs),
        bias_axes="mo",
        name=name,
        kernel_initializer=first["kernel"],
        bias_initializer=first["bias"],
        kernel_regularizer=_penalty(options),
    )(hidden)


def skip(features: Features, n_outputs: int, options: ResolvedModel, name: str) -> Any:
    """What a linear model of the features says (batch, n_outputs); nothing at first."""
    first = {"kernel_initializer": "zeros", "kernel_regularizer": _penalty(options)}
    says = keras.layers.Dense(n_outputs, name=name, **first)(joined(features.linear, f"{name}_sees"))
    for number, tensor in enumerate(features.by_column):
        layer = keras.layers.EinsumDense("cbm,cmo->cbo", (None, n_outputs), name=f"{name}_{number}", **first)
        says = says + keras.ops.sum(layer(tensor), axis=0)
    return says


def skip_of_members(says: Any, options: ResolvedModel, name: str) -> Any:
    """What is added to each member's output: (batch, n_outputs) → (batch, members or 1, n_outputs).

    It is what the linear model says, or zeros to members without it, by a mask that is not trained.
    """
    if options.n_linear == options.members:
        return says[:, None, :]
    mask = keras.layers.EinsumDense(
        "bo,m->bmo", (options.members, says.shape[-1]), name=f"{name}_skip_mask", trainable=False
    )
    masked = mask(says)
    mask.kernel.assign(np.arange(options.members) < options.n_linear)
    return masked


def dense(inputs: Any, units: int, options: ResolvedModel, *, name: str, activation: str, seed: int) -> Any:
    """An affine layer (batch, …, units) whose first weights depend on the seed and its name alone."""
    first = _first_weights(options, activation, name, inputs.shape[-1], seed)
    return Dense(
        units,
        name=name,
        kernel_initializer=first["kernel"],
        bias_initializer=first["bias"],
        kernel_regularizer=_penalty(options),
    )(inputs)


def joined(tensors: list[Any], name: str) -> Any:
    """Tensors (batch, width) beside each other; a single one as it is."""
    return keras.layers.Concatenate(name=name)(tensors) if len(tensors) > 1 else tensors[0]


def _penalty(options: ResolvedModel) -> Any:
    return keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None


def _first_weights(options: ResolvedModel, activation: str, name: str, n_inputs: int, seed: int) -> dict[str, Any]:
    """The initializers of `kernel` and `bias`, by the activation where the options leave it open."""
    chosen = (
        BY_ACTIVATION.get(activation, "glorot_uniform")
        if options.initializer == "by_activation"
        else options.initializer
    )
    if chosen != "uniform":
        return {"kernel": INITIALIZERS[chosen](seed=seeds.integer(seed, "init", name)), "bias": "zeros"}
    bound = n_inputs**-0.5
    return {
        part: keras.initializers.RandomUniform(-bound, bound, seed=seeds.integer(seed, "init", name, *rest))
        for part, rest in (("kernel", ()), ("bias", ("bias",)))
    }
