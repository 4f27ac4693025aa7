"""What the options of a network leave open, settled by the table."""

from __future__ import annotations

from bptrain.data.folds import HALVES
from bptrain.errors import Problem, UsageError
from bptrain.models.options import NetworkOptions

MANY_FEATURES, MANY_ROWS = 150, 5000  # with both, hidden layers are wide
DROPOUT = 0.1
NARROW, WIDE = (128, 128), (256, 256)
MEMBERS, MORE_MEMBERS = 8, 16
NETWORKS, MORE_NETWORKS = HALVES // 2, HALVES
KEEP = ("model", "ensemble_selection")
FEWEST_KEPT = 2  # members that predict where it is left open how many,
LEAST_GAIN = 0.002  # and the share of the loss for which another one does


def with_usual_size(
    options: NetworkOptions, *, n_features: int, n_rows: int, labels: bool = False, most: int = NETWORKS
) -> NetworkOptions:
    """The options with `hidden`, `members`, `networks`, `linear` and `dropout` settled.

    `n_features` counts the numbers that a row gives the network, `n_rows` the rows that one of `fewest_networks` trains
    on; `labels` says that all targets are labels. There may be `most` networks.
    """
    options = _with_sizes(options, n_features, n_rows, most)
    dropped = options.kind != "mlp" and (labels or is_wide(options))
    return _settled(options, dropout=DROPOUT if dropped else 0.0)


def _with_sizes(options: NetworkOptions, n_features: int, n_rows: int, most: int) -> NetworkOptions:
    if options.kind == "mlp":
        return _settled(options, hidden=WIDE, members=1, networks=NETWORKS, linear=False)
    members, networks = MORE_MEMBERS if options.kind == "ensemble" else MEMBERS, NETWORKS
    if n_features < MANY_FEATURES or n_rows < MANY_ROWS:
        return _settled(options, hidden=NARROW, members=members, networks=networks, linear="half")
    all_are_needed = isinstance(options.ensemble_selection, int) and options.ensemble_selection >= members // 2
    if options.hidden == "auto" and not all_are_needed:
        members //= 2
        if (
            most >= MORE_NETWORKS
            and (options.members, options.networks) == ("auto", "auto")
            and not isinstance(options.ensemble_selection, int)
        ):
            members, networks = members // 2, MORE_NETWORKS
    return _settled(options, hidden=WIDE, members=members, networks=networks, linear=True)


def fewest_networks(options: NetworkOptions) -> int:
    """How many networks there are at least: so many where it is open until the width of layers is known."""
    return NETWORKS if options.networks == "auto" else options.networks


def most_networks(options: NetworkOptions, *, divided: bool) -> int:
    """How many there may then be; only as many as at least where folds for so many more cannot be `divided`."""
    return MORE_NETWORKS if options.networks == "auto" and divided else fewest_networks(options)


def is_wide(options: NetworkOptions) -> bool:
    """Whether a hidden layer has more units than usual ones."""
    return max(options.widths, default=0) > max(NARROW)


def with_keep(options: NetworkOptions, *, chosen: bool) -> NetworkOptions:
    """The options with `ensemble_selection` as far as it is known.

    `chosen` says that there are validation rows to choose members by. Raises UsageError where
    members are to be chosen that are not there, or without such rows.
    """
    least = FEWEST_KEPT if options.ensemble_selection == "auto" else options.ensemble_selection
    if least is None or (chosen and least < options.n_members):
        return options
    if isinstance(options.ensemble_selection, int):
        members = "there is 1 member" if options.n_members == 1 else f"there are {options.n_members} members"
        why = (
            members
            if options.ensemble_selection >= options.n_members
            else "there are no validation rows to choose them by"
        )
        message = f"`model.ensemble_selection` is {options.ensemble_selection}, but {why}"
        raise UsageError(
            Problem("BP174", message, hints=("write `ensemble_selection: null`: all members then predict",), key=KEEP)
        )
    return options.model_copy(update={"ensemble_selection": None})


def _settled(options: NetworkOptions, **usual: object) -> NetworkOptions:
    """The options with what is usual where they are open."""
    return options.model_copy(update={name: value for name, value in usual.items() if getattr(options, name) == "auto"})
