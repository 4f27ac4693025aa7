"""The short forms of the config: one table, used to read a config (load.py) and to describe it (json_schema.py).

A short form is replaced by its long form in the tree of nodes, before validation, so that a problem points at what was
written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bptrain.config.nodes import Diagnostic, Entry, MappingNode, Mark, Node, ScalarNode, SequenceNode
from bptrain.config.schema import Config
from bptrain.messages import config as messages
from bptrain.training.options import AdamOptions, TrainingOptions

ANY = "*"


@dataclass(frozen=True)
class ShortForm:
    """How a value may be written at `path`, where `*` is any name.

    With a `key`, a single value stands for {key: value} (a list too, with `lists`), and a mapping without that key
    takes the `default`. Without a `key`, a single value stands for a list of one. With `named`, a mapping without the
    key whose name stands in angle brackets takes that name: `<numeric>: {…}` is {kind: numeric, …}.
    """

    path: tuple[str, ...]
    key: str | None = None
    lists: bool = False
    default: str | None = None
    named: bool = False


SHORT_FORMS = (
    ShortForm(("data",), key="train", lists=True),
    ShortForm(("data", "train")),
    ShortForm(("data", "validation")),
    ShortForm(("data", "test")),
    ShortForm(("data", "na_values")),
    ShortForm(("target",), key="column"),
    ShortForm(("targets", ANY), key="task", default="auto"),
    ShortForm(("targets", ANY, "loss"), key="kind"),
    ShortForm(("columns", ANY), key="kind", named=True),
    ShortForm(("split",), key="kind", default=Config.model_fields["split"].default.kind),
    ShortForm(("model",), key="kind", default=Config.model_fields["model"].default.kind),
    ShortForm(("training", "optimizer"), key="kind", default=AdamOptions().kind),
    ShortForm(("training", "schedule"), key="kind", default=TrainingOptions.model_fields["schedule"].default.kind),
    ShortForm(("evaluation", "gates")),
)
# Stands for wrong targets, which are told already, and keeps the validation silent about them.
_SOUND_TARGETS = MappingNode((Entry("target", Mark(""), ScalarNode("auto", "auto", Mark(""))),), Mark(""))


def expand(root: MappingNode) -> tuple[MappingNode, list[Diagnostic]]:
    """The config in its long form, and what is wrong with its `target` or `targets`."""
    diagnostics: list[Diagnostic] = []
    for form in SHORT_FORMS:
        if form.path == ("targets", ANY):  # after `target`, which becomes one of them
            root = _expand_targets(root, diagnostics)
        root = _expand_below(root, form.path, form)
    return root, diagnostics


def expand_at(node: Node, path: tuple[str, ...]) -> Node:
    """The long form of what is written at this path."""
    if path == ("targets",) and isinstance(node, SequenceNode):
        named, wrong = _named_targets(node)
        return node if wrong else named
    for form in SHORT_FORMS:
        if len(form.path) == len(path) and all(a in (ANY, b) for a, b in zip(form.path, path, strict=True)):
            return _expand_node(node, form, Entry(path[-1], node.mark, node))
    return node


def target_as_targets(root: MappingNode) -> MappingNode:
    """The config with its `target`, when there is a sound one, written as the only entry of `targets`."""
    entry = root.get("target")
    target = None if entry is None else expand_at(entry.value, ("target",))
    column = target.get("column") if isinstance(target, MappingNode) else None
    if entry is None or not isinstance(target, MappingNode) or column is None:
        return root
    name = _name(column.value)
    if name is None:
        return root
    options = Entry(name, column.value.mark, target.replace(column))
    return root.replace(entry, Entry("targets", entry.mark, MappingNode((options,), target.mark)))


def _expand_below(node: MappingNode, path: tuple[str, ...], form: ShortForm) -> MappingNode:
    """The mapping with the form expanded wherever `path` leads from it."""
    key, below = path[0], path[1:]
    entries = []
    for entry in node.entries:
        if key in (ANY, entry.key):
            if not below:
                entry = replace(entry, value=_expand_node(entry.value, form, entry))
            elif isinstance(entry.value, MappingNode):
                entry = replace(entry, value=_expand_below(entry.value, below, form))
        entries.append(entry)
    return MappingNode(tuple(entries), node.mark)


def _expand_node(node: Node, form: ShortForm, holder: Entry) -> Node:
    """The long form of a node, which is the value of `holder`."""
    if isinstance(node, ScalarNode) and node.value is None:
        return node
    if form.key is None:
        return SequenceNode((node,), node.mark) if isinstance(node, ScalarNode) else node
    if isinstance(node, ScalarNode) or (isinstance(node, SequenceNode) and form.lists):
        return MappingNode((Entry(form.key, node.mark, node),), node.mark)
    if not isinstance(node, MappingNode) or node.get(form.key) is not None:
        return node
    kind = re.fullmatch("<(.+)>", holder.key) if form.named else None
    tag, mark = (form.default, node.mark) if kind is None else (kind[1], holder.mark)
    if tag is None:
        return node
    entry = Entry(form.key, mark, ScalarNode(tag, tag, mark), given=kind is not None)
    return MappingNode((entry, *node.entries), node.mark)


def _expand_targets(root: MappingNode, diagnostics: list[Diagnostic]) -> MappingNode:
    """`target` as `targets`, and a list of targets as a mapping; notes what is wrong with them."""
    single, several = root.get("target"), root.get("targets")
    if single is not None and several is not None:
        diagnostics.append(Diagnostic(messages.TARGET_AND_TARGETS(), single.mark))
        root = root.replace(single)
    elif single is not None:
        root = target_as_targets(root)
        if (wrong := root.get("target")) is not None:
            diagnostics.append(_wrong_target(wrong))
            root = root.replace(wrong, Entry("targets", single.mark, _SOUND_TARGETS))
    targets = root.get("targets")
    if targets is not None and isinstance(targets.value, SequenceNode):
        named, wrong_names = _named_targets(targets.value)
        diagnostics += wrong_names
        root = root.replace(targets, Entry("targets", targets.mark, _SOUND_TARGETS if wrong_names else named))
    return root


def _named_targets(node: SequenceNode) -> tuple[MappingNode, list[Diagnostic]]:
    """The names of a list as a mapping without options, and what is wrong with them."""
    diagnostics: list[Diagnostic] = []
    entries: dict[str, Entry] = {}
    for item in node.items:
        name = _name(item)
        if name is None:
            diagnostics.append(Diagnostic(messages.TARGETS_NOT_NAMES(), item.mark))
        elif name in entries:
            diagnostics.append(Diagnostic(messages.TARGET_TWICE(name=name), item.mark))
        else:
            entries[name] = Entry(name, item.mark, MappingNode((), item.mark))
    return MappingNode(tuple(entries.values()), node.mark), diagnostics


def _wrong_target(target: Entry) -> Diagnostic:
    value = target.value
    if isinstance(value, SequenceNode):
        return Diagnostic(messages.TARGET_IS_LIST(), value.mark)
    if not isinstance(value, MappingNode):
        return Diagnostic(messages.TARGET_NOT_NAME(), target.mark)
    column = value.get("column")
    if column is None:
        return Diagnostic(messages.TARGET_WITHOUT_COLUMN(), target.mark)
    mark = column.mark if isinstance(column.value, ScalarNode) else column.value.mark  # a scalar here is null
    return Diagnostic(messages.TARGET_COLUMN_NOT_NAME(), mark)


def _name(node: Node) -> str | None:
    """The name of a column as it is spelled: a column may be called `1`."""
    return node.text if isinstance(node, ScalarNode) and node.value is not None else None
