"""The short forms of the config: one table, used to read a config (load.py) and to describe it (json_schema.py).

A short form is replaced by its long form in the tree of nodes, before validation, so that a problem points at what was
written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bptrain.config.excerpt import Finding, Mark
from bptrain.config.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode
from bptrain.config.schema import Config
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


def expand(root: MappingNode) -> tuple[MappingNode, list[Finding]]:
    """The config in its long form, and what is wrong with its `target` or `targets`."""
    findings: list[Finding] = []
    node: Node = root
    for form in SHORT_FORMS:
        if form.path == ("targets", ANY):  # after `target`, which becomes one of them
            node = _expand_targets(node, findings)
        node = _expand_below(node, form.path, form)
    return _mapping(node), findings


def expand_at(node: Node, path: tuple[str, ...]) -> Node:
    """The long form of what is written at this path."""
    if path == ("targets",) and isinstance(node, SequenceNode):
        named = _named_targets(node)
        return named if len({entry.key for entry in named.entries}) == len(node.items) else node
    for form in SHORT_FORMS:
        if len(form.path) == len(path) and all(a in (ANY, b) for a, b in zip(form.path, path, strict=True)):
            return _expand_node(node, form, Entry(path[-1], node.mark, node))
    return node


def target_as_targets(root: MappingNode) -> MappingNode:
    """The config with its `target`, when there is a sound one, written as the only entry of `targets`."""
    entry = root.get("target")
    if entry is None:
        return root
    target = expand_at(entry.value, ("target",))
    column = target.get("column") if isinstance(target, MappingNode) else None
    if not isinstance(target, MappingNode) or column is None or _name(column.value) is None:
        return root
    options = MappingNode(tuple(each for each in target.entries if each is not column), target.mark)
    name = Entry(_name(column.value) or "", column.value.mark, options)
    targets = Entry("targets", entry.mark, MappingNode((name,), target.mark))
    return MappingNode(tuple(targets if each is entry else each for each in root.entries), root.mark)


def _expand_below(node: Node, path: tuple[str, ...], form: ShortForm, holder: Entry | None = None) -> Node:
    """`path` leads from `node`, which is the value of `holder`."""
    if not path:
        return _expand_node(node, form, holder)
    if not isinstance(node, MappingNode):
        return node
    return MappingNode(
        tuple(
            replace(entry, value=_expand_below(entry.value, path[1:], form, entry))
            if path[0] in (ANY, entry.key)
            else entry
            for entry in node.entries
        ),
        node.mark,
    )


def _expand_node(node: Node, form: ShortForm, holder: Entry | None) -> Node:
    if isinstance(node, ScalarNode) and node.value is None:
        return node
    if form.key is None:
        return SequenceNode((node,), node.mark) if isinstance(node, ScalarNode) else node
    if isinstance(node, ScalarNode) or (isinstance(node, SequenceNode) and form.lists):
        return MappingNode((Entry(form.key, node.mark, node),), node.mark)
    if isinstance(node, MappingNode) and node.get(form.key) is None:
        if form.named and holder is not None and (kind := re.fullmatch("<(.+)>", holder.key)):
            return _with(node, form.key, kind[1], holder.mark, given=True)
        return node if form.default is None else _with(node, form.key, form.default, node.mark, given=False)
    return node


def _with(node: MappingNode, key: str, value: str, mark: Mark, *, given: bool) -> MappingNode:
    return MappingNode((Entry(key, mark, ScalarNode(value, value, mark), given=given), *node.entries), node.mark)


def _expand_targets(node: Node, findings: list[Finding]) -> Node:
    """`target` as `targets`; a wrong one is left out, and a stand-in keeps the validation silent about it."""
    root = _mapping(node)
    single, several = root.get("target"), root.get("targets")
    if single is not None and several is not None:
        message = "`target` and `targets` are both given"
        hint = "`target` is for one column, `targets` for several: keep one of them"
        findings.append(_finding("BP108", message, single.mark, hint))
        root = _without(root, "target")
    elif single is not None:
        root = target_as_targets(root)
        if root.get("target") is not None:
            findings.append(_wrong_target(single))
            root = _replace(root, "target", Entry("targets", single.mark, _STAND_IN))
    targets = root.get("targets")
    if targets is not None and isinstance(targets.value, SequenceNode):
        expanded, wrong = _named_targets(targets.value), _wrong_names(targets.value)
        findings.extend(wrong)
        root = _replace(root, "targets", Entry("targets", targets.mark, _STAND_IN if wrong else expanded))
    return root


_STAND_IN = MappingNode((Entry("target", Mark(""), ScalarNode("auto", "auto", Mark(""))),), Mark(""))


def _named_targets(node: SequenceNode) -> MappingNode:
    entries = [
        Entry(name, item.mark, MappingNode((), item.mark)) for item in node.items if (name := _name(item)) is not None
    ]
    return MappingNode(tuple(entries), node.mark)


def _wrong_names(node: SequenceNode) -> list[Finding]:
    findings, seen = list[Finding](), set[str]()
    for item in node.items:
        name = _name(item)
        if name is None:
            findings.append(_finding("BP104", "each of `targets` must be the name of a column", item.mark))
        elif name in seen:
            findings.append(_finding("BP107", f"the target `{name}` is given twice", item.mark, "keep one of them"))
        seen.add(name or "")
    return findings


def _wrong_target(target: Entry) -> Finding:
    value = target.value
    if isinstance(value, SequenceNode):
        message, hint = "`target` is one column", "several are written as `targets: [a, b]`"
        return _finding("BP104", message, value.mark, hint)
    column = value.get("column") if isinstance(value, MappingNode) else None
    if isinstance(value, MappingNode) and column is None:
        message, hint = "`target` needs `column`", "write `target: {column: NAME, …}`"
        return _finding("BP106", message, target.mark, hint)
    if column is not None:
        message, hint = "`target.column` must be the name of a column", "write `target: {column: NAME, …}`"
        mark = column.mark if isinstance(column.value, ScalarNode) else column.value.mark  # a scalar here is null
        return _finding("BP104", message, mark, hint)
    message, hint = "`target` must be the name of a column", "write `target: NAME`"
    return _finding("BP104", message, target.mark, hint)


def _name(node: Node) -> str | None:
    """The name of a column as it is spelled: a column may be called `1`."""
    return node.text if isinstance(node, ScalarNode) and node.value is not None else None


def _mapping(node: Node) -> MappingNode:
    assert isinstance(node, MappingNode)  # noqa: S101 - our own invariant: the root stays a mapping
    return node


def _without(root: MappingNode, key: str) -> MappingNode:
    return MappingNode(tuple(entry for entry in root.entries if entry.key != key), root.mark)


def _replace(root: MappingNode, key: str, new: Entry) -> MappingNode:
    return MappingNode(tuple(new if entry.key == key else entry for entry in root.entries), root.mark)


def _finding(code: str, message: str, mark: Mark, *hints: str) -> Finding:
    return Finding(code, message, mark, hints=hints)
