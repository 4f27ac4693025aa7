"""What the options of a network leave open, settled by the table."""

from __future__ import annotations

from bptrain.network.options import NetworkOptions

MANY_FEATURES, MANY_ROWS = 150, 5000  # with both, hidden layers are wide
NARROW, WIDE = (128, 128), (256, 256)
MEMBERS, MORE_MEMBERS = 8, 16


def with_usual_size(options: NetworkOptions, *, n_features: int, n_rows: int) -> NetworkOptions:
    """The options with `hidden` and `members` settled.

    `n_features` counts the numbers that a row gives the network, `n_rows` the rows that it trains on.
    """
    if options.kind == "mlp":
        return _settled(options, WIDE, 1)
    members = MORE_MEMBERS if options.kind == "ensemble" else MEMBERS
    if n_features >= MANY_FEATURES and n_rows >= MANY_ROWS:
        return _settled(options, WIDE, members // 2)
    return _settled(options, NARROW, members)


def _settled(options: NetworkOptions, hidden: tuple[int, ...], members: int) -> NetworkOptions:
    usual = {"hidden": hidden, "members": members}
    return options.model_copy(update={name: value for name, value in usual.items() if getattr(options, name) == "auto"})
