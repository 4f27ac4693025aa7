"""Documents that are written from the code, and those that name parts of it."""

from __future__ import annotations

import doctest
import hashlib
import importlib.util
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from bptrain.messages.catalogue import CATALOGUE
from bptrain.targets.metrics import METRICS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """tools/reference.py, which writes the pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_reference_is_what_the_code_says(reference: ModuleType) -> None:
    for name, text in reference.pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run `make docs`"


def test_reference_names_every_code_and_metric(reference: ModuleType) -> None:
    pages = reference.pages()
    assert len(CATALOGUE) > 50
    assert all(f"\n| {code} | " in pages["messages.md"] for code in CATALOGUE)
    assert all(f"\n| `{metric}` | " in pages["reference.md"] for metric in METRICS)


def test_every_option_stands_on_exactly_one_page(reference: ModuleType) -> None:
    """As a row of its section's tables; the page that everybody needs has a quarter of them, a screen per section."""
    options, pages = reference.options(), reference.pages()
    assert len(options) > 100
    tables = {
        (page, heading): block
        for page in ("reference.md", "options.md")
        for heading, block in re.findall(r"^### (.+)$([^\x00]*?)(?=^##|\Z)", pages[page], re.MULTILINE)
    }
    core = 0
    for path, key in options:
        heading = f"`{path}`" if path else "Top level"
        rows = re.compile(rf"^\| (?:`{re.escape(key)}`|{key}) \| ", re.MULTILINE)
        having = [page for (page, name), block in tables.items() if name == heading and rows.search(block)]
        assert len(having) == 1, (path, key, having)
        core += having == ["reference.md"]
    assert core <= len(options) / 4
    assert sum(map(len, reference.CORE.values())) == core, "an option of CORE does not exist"
    assert max(block.count("\n") for (page, _), block in tables.items() if page == "reference.md") <= 40


def test_architecture_is_short_and_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    packages = [path.parent.name for path in (ROOT / "bptrain").glob("*/__init__.py")]
    assert len(packages) >= 10
    for package in packages:
        assert f"`{package}/`" in text, package


def test_contributing_is_read_in_minutes() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 180


def test_documents_link_to_files_and_headings_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data/README.md"]
    texts = [(page, page.read_text(encoding="utf-8")) for page in pages]
    links = [(page, link) for page, text in texts for link in re.findall(r"\]\(([^):]+)\)", text)]
    assert len(links) >= 5
    for page, link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), (page.name, link)
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), (page.name, link)


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


EXAMPLES = {
    "bptrain.config.nodes": 3,
    "bptrain.config.json_schema": 2,
    "bptrain.config.load": 3,
    "bptrain.config.yaml_writer": 1,
    "bptrain.messages.message": 2,
    "bptrain.utils.section": 1,
    "bptrain.utils.seeds": 1,
    "bptrain.utils.text": 5,
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_say_what_happens(name: str) -> None:
    module = import_module(name)
    examples = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert len(examples) >= EXAMPLES[name], [test.name for test in examples]
    assert doctest.testmod(module).failed == 0


def test_the_page_of_the_data_has_the_digest_of_every_table() -> None:
    text = (ROOT / "data/README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([\w./]+\.csv\.gz)` \|.*`([0-9a-f]{64})` \|$", text, re.MULTILINE))
    files = {path.relative_to(ROOT / "data").as_posix(): path for path in (ROOT / "data").rglob("*.csv.gz")}
    assert len(files) >= 7
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
