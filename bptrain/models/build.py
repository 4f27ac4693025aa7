"""From learned columns and targets to a `keras.Model`: features, hidden layers, heads of targets, a linear part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np

from bptrain.features.kind import AnyState, Features
from bptrain.features.kinds import KINDS
from bptrain.models.compat import KerasModel, Layer, LayerArgument, Loss, Tensor, Variable
from bptrain.models.layers import (
    STEP,
    BatchNormalization,
    Dense,
    Dropout,
    LayerNormalization,
    LinearBatchEnsemble,
    start_dropout_at,
)
from bptrain.models.options import ResolvedModel
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import TASKS
from bptrain.utils import seeds

ops = keras.ops
Columns = Mapping[str, AnyState]
Targets = Mapping[str, TargetState]

# Glorot & Bengio 2010; He et al. 2015; LeCun et al. 1998; Saxe et al. 2014.
INITIALIZERS: dict[str, type[keras.Initializer]] = {
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
NORMALIZATIONS: dict[str, type[Layer]] = {"batch": BatchNormalization, "layer": LayerNormalization}


@dataclass(frozen=True)
class Network:
    """One network as two models that share its layers.

    Inputs of both are the prepared arrays by name, (batch, …) each; outputs one array per target, named
    `output_name(position)`: logits of classes, or the standardised number. Those of `model` are (batch, n_outputs);
    those of `members`, which is trained, hold each member's own: (batch, members, n_outputs), if there are several.
    Once some members are `selected`, `model` is of these alone, with a copy of their weights.
    """

    model: KerasModel
    members: KerasModel
    selected: tuple[int, ...] | None = None


def build_networks(columns: Columns, targets: Targets, options: ResolvedModel, *, seed: int) -> list[Network]:
    """All networks of a model, which differ in their first weights and in the step from which dropout counts.

    Keras numbers unnamed operations from one again, so that equal networks have equal names in a long process.
    """
    keras.utils.clear_session(free_memory=False)
    networks = []
    for number in range(options.networks):
        own_seed = network_seed(seed, number)
        networks.append(build(columns, targets, options, seed=own_seed, name=network_name(number)))
        start_dropout_at(networks[-1].model, seeds.integer(own_seed, "dropout") if number else 0)
    return networks


def network_seed(seed: int, number: int) -> int:
    """What the random numbers of one of several networks follow from; networks are counted from 0."""
    return seeds.integer(seed, "network", number) if number else seed


def build(columns: Columns, targets: Targets, options: ResolvedModel, *, seed: int, name: str = "network_1") -> Network:
    """The network, with first weights that are a function of the seed and of the layers' names."""
    inputs = {
        name: keras.Input(shape, dtype=dtype, name=name)
        for state in columns.values()
        for name, (dtype, shape) in state.inputs.items()
    }
    features = Features.concat(
        KINDS[kind].encode(state, inputs, seed=seed, embedding=options.embedding) for kind, state in columns.items()
    )
    hidden = hidden_layers(features, options, seed)
    outputs = {}
    for position, target in enumerate(targets.values()):
        target_name = output_name(position)
        outputs[target_name] = head(hidden, target.n_outputs, options, name=target_name, seed=seed)
        linear = linear_part(features, target.n_outputs, options, target_name)
        if linear is not None:
            # In this order: Keras on TensorFlow takes a second summand (batch, 1, 1) for the bias of as many members.
            outputs[target_name] = linear + outputs[target_name]
    members = keras.Model(inputs, outputs, name=name)
    if options.members == 1:  # there is no axis of members to take the mean over
        return Network(members, members)
    return Network(keras.Model(inputs, combined(outputs, targets), name=name), members)


def hidden_layers(features: Features, options: ResolvedModel, seed: int) -> Tensor:
    """The last hidden layer's activations (batch, hidden[-1]); of several members (batch, members, hidden[-1]).

    Each layer is affine, then normalised if asked to, then its activation and dropout.
    """
    hidden = _concatenated(features.hidden, "features")
    step = keras.Variable(0, trainable=False, dtype="int32", name=STEP)  # all dropout layers of the network count by it
    for number, units in enumerate(options.hidden, start=1):
        name = f"hidden_{number}"
        weights = first_weights(options, options.activation, name, hidden.shape[-1], seed)
        if number == 1 and options.members > 1:
            hidden = LinearBatchEnsemble(
                units,
                options.members,
                features.group_widths,
                kernel=weights["kernel_initializer"],
                bias=weights["bias_initializer"],
                penalty=weights["kernel_regularizer"],
                seed=seed,
                name=name,
            )(hidden)
        else:
            hidden = Dense(units, name=name, **weights)(hidden)
        if options.normalization != "none":
            hidden = NORMALIZATIONS[options.normalization](name=f"{name}_normalization")(hidden)
        hidden = keras.layers.Activation(options.activation, name=f"{name}_activation")(hidden)
        if options.dropout:
            counts = number == len(options.hidden)
            hidden = Dropout(options.dropout, seed=seed, name=f"{name}_dropout", step=step, counts=counts)(hidden)
    return hidden


def head(hidden: Tensor, n_outputs: int, options: ResolvedModel, *, name: str, seed: int) -> Tensor:
    """The outputs (batch, n_outputs) of a target; of several members (batch, members, n_outputs), a layer for each."""
    weights = first_weights(options, "linear", name, hidden.shape[-1], seed)
    if options.members == 1:
        return Dense(n_outputs, name=name, **weights)(hidden)
    equation = "bmh,mho->bmo" if len(hidden.shape) == 3 else "bh,hmo->bmo"
    return keras.layers.EinsumDense(equation, (options.members, n_outputs), bias_axes="mo", name=name, **weights)(
        hidden
    )


def linear_part(features: Features, n_outputs: int, options: ResolvedModel, name: str) -> Tensor | None:
    """What a linear model of the features adds to the outputs of a target: nothing at first, as its weights are zero.

    Wide & Deep (Cheng et al. 2016). Where several members have it, and not all, a mask that is not trained has zeros
    for the others (decision M5).

    Returns:
        (batch, n_outputs), or (batch, members or 1, n_outputs) of several members; None where no member has a linear
        part, or no column gives it anything.
    """
    members = options.members
    n_linear = (members + 1) // 2 if options.linear == "half" else members * options.linear  # the first ones
    if not n_linear:
        return None
    penalty = keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None
    weights = {"kernel_initializer": "zeros", "kernel_regularizer": penalty}
    total: Tensor | None = None
    if features.linear:
        seen = _concatenated(features.linear, f"{name}_skip_sees")
        total = keras.layers.Dense(n_outputs, name=f"{name}_skip", **weights)(seen)
    for number, tensor in enumerate(features.linear_by_column):
        layer = keras.layers.EinsumDense("cbm,cmo->cbo", (None, n_outputs), name=f"{name}_skip_{number}", **weights)
        of_columns = ops.sum(layer(tensor), axis=0)
        total = of_columns if total is None else total + of_columns
    if total is None:
        return None
    if options.members == 1:
        return total
    if n_linear == members:
        return total[:, None, :]
    mask = keras.layers.EinsumDense(
        "bo,m->bmo", (options.members, n_outputs), name=f"{name}_skip_mask", trainable=False
    )
    masked = mask(total)
    mask.kernel.assign(np.arange(members) < n_linear)
    return masked


def first_weights(
    options: ResolvedModel, activation: str, name: str, n_inputs: int, seed: int
) -> dict[str, LayerArgument]:
    """How the weights of an affine layer begin, a function of the seed and its name, and what penalises its kernel."""
    chosen: str = options.initializer
    if chosen == "by_activation":
        chosen = BY_ACTIVATION.get(activation, "glorot_uniform")
    kernel_seed, bias_seed = seeds.integer(seed, "init", name), seeds.integer(seed, "init", name, "bias")
    if chosen == "uniform":  # as PyTorch's `Linear`
        bound = n_inputs**-0.5
        kernel = keras.initializers.RandomUniform(-bound, bound, seed=kernel_seed)
        bias = keras.initializers.RandomUniform(-bound, bound, seed=bias_seed)
    else:
        kernel, bias = INITIALIZERS[chosen](seed=kernel_seed), "zeros"
    penalty = keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None
    return {"kernel_initializer": kernel, "bias_initializer": bias, "kernel_regularizer": penalty}


def _concatenated(tensors: Sequence[Tensor], name: str) -> Tensor:
    """Tensors (batch, width) beside each other; a single one as it is."""
    return keras.layers.Concatenate(name=name)(tensors) if len(tensors) > 1 else tensors[0]


def select_members(
    network: Network, selected: Sequence[int], columns: Columns, targets: Targets, options: ResolvedModel
) -> Network:
    """The network with only some of its members predicting (decision M4).

    Args:
        selected: members, counted from 0.
        options: those the network was built by.
    """
    smaller = ResolvedModel.model_validate(options.values_by_key() | {"members": len(selected)})
    model = build(columns, targets, smaller, seed=0, name=network.members.name).model
    weights = weights_of(network.members)
    for name, (_, shape) in weight_shapes(model).items():
        for axis, (before, after) in enumerate(zip(weights[name].shape, shape, strict=True)):
            if before != after:  # the axis of members is the one that has got shorter
                weights[name] = np.take(weights[name], selected, axis=axis)
    set_weights(model, weights)
    return Network(model, network.members, tuple(selected))


def losses(targets: Targets, members: int = 1) -> dict[str, Loss]:
    """The loss function (truth, output) → (batch,) of each output, times the weight of its target."""
    return {output_name(position): partial(_loss, target, members) for position, target in enumerate(targets.values())}


def _loss(target: TargetState, members: int, truth: Tensor, output: Tensor) -> Tensor:
    """The loss (batch,) of outputs (batch, n_outputs), or (batch, members, n_outputs) of several members.

    Of several members it is the mean of their own losses, as each is to be right alone.
    """
    function = TASKS[target.task].head.loss(target)
    if members == 1:
        values = function(truth, output)
    else:
        repeated = ops.reshape(ops.repeat(truth[:, None], members, axis=1), (-1, truth.shape[-1]))
        values = function(repeated, ops.reshape(output, (-1, output.shape[-1])))
        values = ops.mean(ops.reshape(values, (-1, members)), axis=1)
    return values if target.loss_weight == 1.0 else target.loss_weight * values


def combined(outputs: Mapping[str, Tensor], targets: Targets) -> dict[str, Tensor]:
    """One output of what several said, (batch, several, n_outputs) each."""
    return {
        output_name(position): TASKS[target.task].head.combine(target, outputs[output_name(position)])
        for position, target in enumerate(targets.values())
    }


def network_name(number: int) -> str:
    """The name of a network, counted from 0."""
    return f"network_{number + 1}"


def output_name(position: int) -> str:
    """The name of a target's output; target columns may have any name, layers may not."""
    return f"target_{position}"


def variables_by_name(network: KerasModel) -> dict[str, Variable]:
    """Every weight by name, `layer/variable`, in the order of the layers.

    Statistics of normalisation are among them; the step of dropout, which is no weight, and the optimizer's state not.
    """
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in network.layers
        for variable in layer.weights
        if variable.name != STEP
    }


def weights_of(network: KerasModel) -> dict[str, np.ndarray]:
    """The arrays of `variables_by_name`."""
    return {name: np.asarray(variable) for name, variable in variables_by_name(network).items()}


def set_weights(network: KerasModel, weights: Mapping[str, np.ndarray]) -> None:
    """Put weights from `weights_of` into a network of the same shape."""
    for name, variable in variables_by_name(network).items():
        variable.assign(weights[name])


def weight_shapes(network: KerasModel) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name → (dtype, shape) of every weight, for checking arrays before they are loaded."""
    return {
        name: (np.dtype(variable.dtype).str, tuple(variable.shape))
        for name, variable in variables_by_name(network).items()
    }
