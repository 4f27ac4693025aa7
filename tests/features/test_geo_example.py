"""The kind of CONTRIBUTING.md: built from its very blocks, it needs one folder and its object in the table of kinds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tables import write

ROOT = Path(__file__).parent.parent.parent
TRAIN = """
import json
import numpy as np
import pandas as pd
import bptrain
from bptrain.data.load import from_pandas
from bptrain.data.frame import Frame
from bptrain.features import preparer

run = bptrain.fit({"data": "t.csv", "target": "y", "model": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 2}})
columns = bptrain.open_run(run.path).predictor.columns
rows = pd.DataFrame({"place": ["0, 0", "90, 17", "0, 90", None, "north"], "size": [1.0] * 5})
frame = Frame(from_pandas(rows, na_values=("",)), np.arange(5))
print(json.dumps({
    "kinds": {kind: list(state.columns) for kind, state in columns.items()},
    "status": run.predict(rows)["status"].tolist(),
    "how": run.files.read_json("inputs.json")["how"]["geo"].splitlines()[0],
    "points": preparer.transform(columns, frame).arrays["geo"].round(6).tolist(),
}))
"""


def blocks() -> list[str]:
    """The Python blocks of CONTRIBUTING.md, without the indent of their list."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with the kind."""
    shutil.copytree(ROOT / "bptrain", tmp_path / "bptrain", ignore=shutil.ignore_patterns("__pycache__"))
    *files, table = blocks()
    for block in files:
        path = tmp_path / block.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(block, encoding="utf-8")
    (tmp_path / "bptrain/features/geo/__init__.py").touch()
    kinds = tmp_path / "bptrain/features/kinds.py"
    imported, line = (line for line in table.splitlines() if line)
    text = kinds.read_text(encoding="utf-8")
    text = text.replace("from bptrain.features.kind import", f"{imported}\nfrom bptrain.features.kind import", 1)
    kinds.write_text(text.replace("    CATEGORICAL,\n", f"{line}\n    CATEGORICAL,\n", 1), encoding="utf-8")
    return tmp_path


def test_the_kind_needs_one_folder_and_one_line_of_the_table(package: Path) -> None:
    before = {path.relative_to(ROOT): path.read_bytes() for path in (ROOT / "bptrain").rglob("*.py")}
    after = {path.relative_to(package): path.read_bytes() for path in (package / "bptrain").rglob("*.py")}
    assert {path.parent.as_posix() for path in after.keys() - before.keys()} == {"bptrain/features/geo"}
    assert [path.as_posix() for path in before if before[path] != after[path]] == ["bptrain/features/kinds.py"]
    lines = [content[Path("bptrain/features/kinds.py")].decode().splitlines() for content in (before, after)]
    assert [line for line in lines[1] if line not in lines[0]] == [
        "from bptrain.features.geo.kind import GEO",
        "    GEO,",
    ]


def test_the_kind_is_inferred_trained_saved_and_applied(package: Path) -> None:
    random = np.random.default_rng(0)
    places = [f"{latitude:.3f}, {longitude:.2f}" for latitude, longitude in random.uniform(-80, 80, (60, 2))]
    table = {"place": pa.array([None, *places[1:]]), "size": random.normal(size=60), "y": ["a", "b"] * 30}
    write(pa.table(table), package / "t.csv")
    done = subprocess.run([sys.executable, "-c", TRAIN], cwd=package, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kinds"] == {"numeric": ["size"], "geo": ["place"]}
    assert found["status"] == ["ok", "ok", "ok", "ok", "no point: place"]
    assert found["how"] == "Points: coordinates on the unit sphere."
    assert found["points"] == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
