"""Documents that are written from the code, and those that name parts of it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from bptrain.messages import CODES
from bptrain.targets.metrics import METRICS

ROOT = Path(__file__).parent.parent


def test_reference_is_what_the_code_says() -> None:
    result = subprocess.run([sys.executable, str(ROOT / "tools/reference.py"), "--check"], cwd=ROOT, check=False)
    assert result.returncode == 0, "run `make docs`"


def test_reference_names_every_code_and_metric() -> None:
    text = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    assert len(CODES) > 50
    for name in (*CODES, *METRICS):
        assert name in text


def test_architecture_is_short_and_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    packages = [path.parent.name for path in (ROOT / "bptrain").glob("*/__init__.py")]
    assert len(packages) >= 10
    for package in packages:
        assert f"`{package}/`" in text, package


def test_contributing_is_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 60


def test_documents_link_to_files_that_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "data/README.md"]
    texts = [(page, page.read_text(encoding="utf-8")) for page in pages]
    links = [(page, link) for page, text in texts for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    assert len(links) >= 5
    for page, link in links:
        assert (page.parent / link).exists(), (page.name, link)


def test_the_page_of_the_data_has_the_digest_of_every_table() -> None:
    text = (ROOT / "data/README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([\w./]+\.csv\.gz)` \|.*`([0-9a-f]{64})` \|$", text, re.MULTILINE))
    files = {path.relative_to(ROOT / "data").as_posix(): path for path in (ROOT / "data").rglob("*.csv.gz")}
    assert len(files) >= 7
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
