"""The rules of ARCHITECTURE.md, read from the source: who may import what, sizes, and what is never written."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from bptrain.data.readers.formats import FORMATS
from bptrain.data.splits import SPLITS
from bptrain.features.kinds import KINDS
from bptrain.features.numeric.options import ResolvedNumericOptions
from bptrain.messages.catalogue import CATALOGUE
from bptrain.models.options import ResolvedModel
from bptrain.models.presets import PRESETS
from bptrain.targets.tasks import TASKS
from bptrain.training.options import ResolvedTraining

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "bptrain"

# The rows of ARCHITECTURE.md, lowest first: a folder imports from itself and from the rows above it in this list, in
# functions, too. Imports for types alone (`if TYPE_CHECKING`) do not count: values may be named.
LAYERS = (
    "utils",
    "errors",
    "messages",
    "runs",
    "data",
    "features",
    "targets",
    "models",
    "training",
    "evaluation",
    "config",
    "fitting",
    "scaffold",
    "reports",
    "workflows",
    "api",
    "cli",
)
SIBLINGS = {("targets", "features")}  # neither knows the other
ENTRANCES = {"", "__main__"}  # `bptrain/__init__.py` and `python -m bptrain`

KERAS = {"keras", "tensorflow", "jax"}
PYDANTIC_ONLY = {"__future__", "typing", "pydantic"}
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 50
FORBIDDEN_MODULES = {"pickle", "joblib", "marshal", "shelve", "dill", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
PRINTERS = {"cli/", "reports/terminal.py"}
LAST_RESORT = "cli/main.py"  # the one place that may catch every exception


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed source by path below the package, such as `features/kinds.py`."""
    found = {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for path in sorted(SOURCE.rglob("*.py"))
    }
    assert len(found) > 60, "the source was not found"
    return found


def matching(fits: Callable[[str], bool], *, at_least: int) -> dict[str, ast.Module]:
    """The files whose path fits; a rule over too few files holds nothing."""
    chosen = {path: tree for path, tree in trees().items() if fits(path)}
    assert len(chosen) >= at_least, sorted(chosen)
    return chosen


def imports(tree: ast.AST, *, types: bool = True) -> Iterator[tuple[str, int]]:
    """Names of imported modules (`from a import b` gives `a.b` for our own modules) with their lines, lazy ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and not types and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from ((own_module(f"{node.module}.{alias.name}"), node.lineno) for alias in node.names)
        else:
            yield from imports(node, types=types)


def own_module(name: str) -> str:
    """The module that `from a import b` reads: `a.b` where that is a module of ours, else `a`."""
    parts = name.split(".")
    if parts[0] != "bptrain":
        return ".".join(parts[:-1])
    inside = "/".join(parts[1:])
    is_module = f"{inside}.py" in trees() or f"{inside}/__init__.py" in trees()
    return name if is_module else ".".join(parts[:-1])


def module_of(path: str) -> str:
    """The dotted name below the package; "" is the package itself."""
    return path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")


def layer(module: str) -> int:
    """The place in LAYERS of the folder of a module; the entrances stand behind all others."""
    if module in ENTRANCES:
        return len(LAYERS)
    folder = module.partition(".")[0]
    assert folder in LAYERS, f"{module} has no place in LAYERS"
    return LAYERS.index(folder)


def calls(tree: ast.AST, names: set[str]) -> list[int]:
    """Lines that call one of the builtins `names`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def test_the_tree_is_the_architecture() -> None:
    entries = {path.partition("/")[0].removesuffix(".py") for path in trees()} - {"__init__", "__main__"}
    assert entries == set(LAYERS)
    assert len(entries) <= 18


def test_imports_go_downwards_only() -> None:
    looked_at, wrong = 0, []
    for path, tree in trees().items():
        here = layer(module_of(path))
        for name, line in imports(tree, types=False):
            if not name.startswith("bptrain."):
                continue
            there = layer(name.removeprefix("bptrain."))
            looked_at += 1
            if there > here or (path.partition("/")[0], name.split(".")[1]) in SIBLINGS:
                wrong.append(f"{path}:{line} imports {name}")
    assert looked_at > 200
    assert wrong == []


def test_imports_downwards_can_fail() -> None:
    assert layer("data.frame") < layer("features.kinds.x") < layer("models.build") < layer("cli.options") < layer("")
    with pytest.raises(AssertionError, match="has no place"):
        layer("elsewhere.module")


def test_no_circle_of_files() -> None:
    needs = {
        module_of(path): {name.removeprefix("bptrain.") for name, _ in imports(tree, types=False) if "bptrain." in name}
        for path, tree in trees().items()
    }
    assert sum(map(len, needs.values())) > 200
    while leaves := {module for module, needed in needs.items() if not needed & needs.keys() - {module}}:
        needs = {module: needed for module, needed in needs.items() if module not in leaves}
    assert sorted(needs) == []


def test_keras_is_imported_only_where_the_network_is_made() -> None:
    def allowed(path: str) -> bool:
        return path.startswith(("models/", "training/")) or path.endswith(("/encode.py", "/head.py"))

    def of_keras(path: str, tree: ast.Module) -> list[str]:
        return [f"{path}:{line}" for name, line in imports(tree, types=False) if name.partition(".")[0] in KERAS]

    inside = [place for path, tree in matching(allowed, at_least=10).items() for place in of_keras(path, tree)]
    outside = [
        place
        for path, tree in matching(lambda path: not allowed(path), at_least=50).items()
        for place in of_keras(path, tree)
    ]
    assert len(inside) >= 6
    assert outside == []


def test_options_import_pydantic_only() -> None:
    wrong = []
    files = matching(lambda path: path.endswith("/options.py") and not path.startswith("cli/"), at_least=8)
    for path, tree in files.items():
        for name, line in imports(tree):
            ours = name.startswith("bptrain.") and name.endswith((".section", ".options", ".presets"))
            if not ours and name.partition(".")[0] not in PYDANTIC_ONLY:
                wrong.append(f"{path}:{line} imports {name}")
    assert wrong == []


def test_no_file_is_long() -> None:
    lengths = {path: len((SOURCE / path).read_text(encoding="utf-8").splitlines()) for path in trees()}
    assert sum(lengths.values()) > 5000
    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_long() -> None:
    lengths = {
        f"{path}:{node.lineno} {node.name}": code_lines(path, node)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 400
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}


def code_lines(path: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function that are not empty, comments or its docstring."""
    lines = (SOURCE / path).read_text(encoding="utf-8").splitlines()
    numbers = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        numbers -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return sum(1 for number in numbers if lines[number - 1].strip() and not lines[number - 1].strip().startswith("#"))


def test_every_file_says_what_it_is_for() -> None:
    silent = [path for path, tree in trees().items() if tree.body and ast.get_docstring(tree) is None]
    assert silent == []


def test_nothing_prints_but_the_terminal() -> None:
    elsewhere = matching(lambda path: not path.startswith(tuple(PRINTERS)), at_least=60)
    wrong = [f"{path}:{line}" for path, tree in elsewhere.items() for line in calls(tree, {"print", "breakpoint"})]
    assert wrong == []
    assert calls(trees()["reports/terminal.py"], {"print"}), "the rule no longer sees a print"


def test_nothing_executes_data() -> None:
    wrong = [f"{path}:{line}" for path, tree in trees().items() for line in calls(tree, FORBIDDEN_CALLS)]
    for path, tree in trees().items():
        wrong += [f"{path}:{line}" for name, line in imports(tree) if name.partition(".")[0] in FORBIDDEN_MODULES]
        wrong += [f"{path}:{node.lineno}" for node in ast.walk(tree) if unpickles(node)]
    assert wrong == []


def unpickles(node: ast.AST) -> bool:
    """Whether a call asks for pickles, or for YAML that makes objects."""
    if not isinstance(node, ast.Call):
        return False
    if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords):
        return True
    return ast.unparse(node.func) in {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "keras.models.load_model"}


def test_what_executes_data_is_noticed() -> None:
    for text in ("np.load(f, allow_pickle=True)", "yaml.load(f)", "keras.models.load_model(f)"):
        assert any(unpickles(node) for node in ast.walk(ast.parse(text))), text
    assert not any(unpickles(node) for node in ast.walk(ast.parse("np.load(f, allow_pickle=False)")))


def test_exceptions_are_caught_by_name() -> None:
    broad = []
    n_handlers = 0
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                n_handlers += 1
                caught = set() if node.type is None else {name.id for name in names_in(node.type)}
                if node.type is None or caught & {"Exception", "BaseException"}:
                    broad.append(path)
    assert n_handlers > 30
    assert broad == [LAST_RESORT]


def names_in(node: ast.AST) -> Iterator[ast.Name]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Name))


def test_codes_are_those_that_are_used() -> None:
    used = {
        node.value: path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"BP\d{3}", node.value)
    }
    assert len(used) > 50
    assert sorted(set(used) - set(CATALOGUE)) == [], "used, but not in bptrain/messages/"


def test_codes_say_what_to_do() -> None:
    for code, entry in CATALOGUE.items():
        assert re.fullmatch(r"BP\d{3}", code)
        assert entry.title == entry.title.strip().rstrip("."), code
        assert entry.meaning.endswith("."), code


def test_the_page_shows_the_same_order() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", page, re.MULTILINE)
    assert rows == list(LAYERS)


# What follows the resolution of the config, the objects of kinds, tasks, presets, splits and formats


AFTER_RESOLUTION = ("models/", "training/", "evaluation/", "runs/", "reports/")
AFTER_RESOLUTION_FILES = {f"fitting/{name}.py" for name in ("artifacts", "bagging", "cross_validation", "fit_model")}
AFTER_RESOLUTION_FILES |= {"fitting/inputs.py", "fitting/lock.py", "fitting/resume.py", "workflows/fit.py"}
BEFORE_RESOLUTION = {"models/options.py", "models/presets.py", "training/options.py", "evaluation/options.py"}


def open_ends(tree: ast.AST) -> list[int]:
    """Lines that know `auto`, or copy a section of the config."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and node.value == "auto")
        or (isinstance(node, ast.Attribute) and node.attr == "model_copy")
    ]


def test_nothing_is_open_after_resolution() -> None:
    """Neither in code nor in the types that it is given."""

    def follows(path: str) -> bool:
        return (path.startswith(AFTER_RESOLUTION) or path in AFTER_RESOLUTION_FILES) and path not in BEFORE_RESOLUTION

    files = matching(follows, at_least=25)
    assert files.keys() >= AFTER_RESOLUTION_FILES
    assert [f"{path}:{line}" for path, tree in files.items() for line in open_ends(tree)] == []
    for resolved in (ResolvedModel, ResolvedTraining, ResolvedNumericOptions):
        types = {name: str(field.annotation) for name, field in resolved.model_fields.items()}
        assert {name: each for name, each in types.items() if "auto" in each} == {}, resolved
    assert open_ends(trees()["fitting/resolve.py"]), "the rule no longer sees what is open"


def comparisons(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, what is compared, and each text that it is compared with, by an operator or by `case`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for text in (leaf for side in sides for leaf in ast.walk(side) if isinstance(leaf, ast.Constant)):
                if isinstance(text.value, str):
                    yield node.lineno, ast.unparse(node), text.value
        elif isinstance(node, ast.Match):
            for text in (leaf for case in node.cases for leaf in ast.walk(case.pattern)):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield text.lineno, ast.unparse(node.subject), text.value


def test_kinds_tasks_and_presets_are_asked_not_compared() -> None:
    wrong = []
    for path, tree in trees().items():
        names = set(PRESETS) if path != "models/presets.py" else set()
        names |= set(KINDS) if not path.startswith("features/") else {n for n in KINDS if f"/{n}/" not in path}
        names |= set(TASKS) if not path.startswith("targets/") else set()
        if path in {"config/json_schema.py", "config/validation.py"}:
            names -= {"boolean"}  # a type of JSON
        wrong += [f"{path}:{line} {text}" for line, what, text in comparisons(tree) if text in names]
        classes = {type(kind).options.__name__ for kind in KINDS.values()} | {"RegressionOptions", "LabelsOptions"}
        if not path.startswith(("features/", "targets/")):
            wrong += [f"{path}:{line} isinstance" for line, name in instance_checks(tree) if name in classes]
    assert wrong == []


def instance_checks(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            yield from ((node.lineno, name.id) for name in names_in(node.args[1]))


def test_splits_and_formats_are_objects_in_one_table() -> None:
    for table, names, what in (("data/splits.py", set(SPLITS), "kind"), ("data/readers/", set(FORMATS), "format")):
        outside = matching(lambda path, table=table: not path.startswith(table), at_least=60)
        wrong = [
            f"{path}:{line}"
            for path, tree in outside.items()
            for line, compared, text in comparisons(tree)
            if text in names and what in compared
        ]
        assert wrong == []


def test_a_comparison_is_noticed() -> None:
    tree = ast.parse("if a.kind == 'date': pass\nif b in ('x', 'y'): pass\nmatch c:\n    case 'z' | 'w': pass")
    found = sorted((line, text) for line, _, text in comparisons(tree))
    assert found == [(1, "date"), (2, "x"), (2, "y"), (4, "w"), (4, "z")]


# `Any` stands, with a name, for objects of libraries without types, elements of arrays, and values of JSON alone.
ANY = {"models/compat.py", "runs/storage.py", "runs/arrays.py"}


def test_values_of_ours_have_types() -> None:
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        if path not in ANY
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "Any"
    ]
    assert wrong == []
