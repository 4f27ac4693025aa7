"""From a config file, a text or a mapping to a `Config`: defaults < file < `--set`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bptrain.config.excerpt import problems_of, split_lines
from bptrain.config.from_mapping import mapping_nodes
from bptrain.config.nodes import MAX_BYTES, SMALLEST_CONFIG, MappingNode, parse_config, to_python, too_large
from bptrain.config.overrides import apply_override, override_source, parse_override
from bptrain.config.problems import validation_findings
from bptrain.config.schema import Config
from bptrain.config.short_forms import expand
from bptrain.errors import Problem, UsageError
from bptrain.utils.text import escape, nearest, quote_list


def load_config(path: Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML file; `overrides` are texts such as `training.epochs=5`. Raises UsageError with every problem."""
    source = path.as_posix()
    return config_from_text(decode(_read(path), source=source), source=source, overrides=overrides)


def config_from_text(text: str, *, source: str = "config", overrides: Sequence[str] = ()) -> Config:
    """Read YAML text; `source` names it in messages. Raises UsageError with every problem."""
    sources = {source: split_lines(text.removeprefix("\ufeff"))}
    return _build(parse_config(text, source=source), sources, overrides)


def config_from_mapping(mapping: Mapping[str, object], *, overrides: Sequence[str] = ()) -> Config:
    """The same from Python's dict, list and scalars, short forms included. Raises UsageError with every problem."""
    return _build(mapping_nodes(mapping), {}, overrides)


def read_nodes(
    config: Path | Mapping[str, object], *, overrides: Sequence[str] = ()
) -> tuple[MappingNode, dict[str, list[str]]]:
    """The tree of a config as written, overrides included, and the lines of its source. Raises UsageError."""
    if isinstance(config, Mapping):
        root, sources = mapping_nodes(config), dict[str, list[str]]()
    else:
        source = config.as_posix()
        text = decode(_read(config), source=source)
        root, sources = parse_config(text, source=source), {source: split_lines(text)}
    for override in overrides:
        root = apply_override(root, parse_override(override))
    return root, sources


def decode(data: bytes, *, source: str) -> str:
    """The text of UTF-8 bytes, without byte order mark. Raises UsageError at the first byte that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        good = split_lines(err.object[: err.start].decode("utf-8"))
        where = f"{escape(source)}:{len(good)}:{len(good[-1]) + 1}"
        message = f"the config is not UTF-8: byte 0x{err.object[err.start]:02x}"
        raise UsageError(Problem("BP112", message, where, hints=("save the file as UTF-8",))) from err


def _build(root: MappingNode, sources: Mapping[str, list[str]], overrides: Sequence[str]) -> Config:
    problems: list[Problem] = []
    for text in overrides:
        try:
            root = apply_override(root, parse_override(text))
        except UsageError as err:
            problems.extend(err.problems)
    expanded, findings = expand(root)
    config, cause = None, None
    try:
        config = Config.model_validate(to_python(expanded))
    except ValidationError as err:
        cause = err
        findings += validation_findings(err, expanded, single=root.get("target") is not None)
    if config is None or findings or problems:
        sources = {**sources, **{override_source(text): [] for text in overrides}}
        raise UsageError(*problems_of(findings, sources), *problems) from cause
    return config


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise UsageError(_missing(path)) from err
    except IsADirectoryError as err:
        hint = "give the YAML file itself"
        raise UsageError(Problem("BP100", "the config is a directory", escape(str(path)), hints=(hint,))) from err
    except (OSError, ValueError) as err:  # ValueError: a path with a NUL character
        reason = getattr(err, "strerror", None) or str(err)
        hints = ("check the path and its permissions",)
        problem = Problem("BP100", f"the config cannot be read: {escape(reason)}", escape(str(path)), hints=hints)
        raise UsageError(problem) from err
    if len(data) > MAX_BYTES:
        raise UsageError(too_large(path.as_posix()))
    return data


def _missing(path: Path) -> Problem:
    where = escape(str(path))
    if not path.parent.is_dir():
        message = f"the config cannot be read: there is no folder `{escape(str(path.parent))}`"
        return Problem("BP100", message, where, hints=("the path starts from the working directory",))
    try:
        names = sorted(each.name for each in path.parent.iterdir())
    except OSError:
        names = []
    near = nearest(path.name, names)
    hints = (f"did you mean {quote_list(near[:1])}?",) if near else (SMALLEST_CONFIG,)
    return Problem("BP100", "there is no such config file", where, hints=hints)
