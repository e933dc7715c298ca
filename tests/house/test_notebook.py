"""The notebook is run in a kernel of its own, and prints what stands in it.

``python tests/rewrite.py notebook`` writes down what it prints now: read the difference before you commit it.
"""

import os
import shutil
import tempfile
from pathlib import Path

import nbformat
from helpers import ROOT
from nbclient import NotebookClient

EXAMPLES = ROOT / "examples"
NOTEBOOK = EXAMPLES / "notebook.ipynb"


def run(folder: Path) -> nbformat.NotebookNode:
    """The notebook after a run in a copy of its folder; a cell that fails is an error."""
    shutil.copytree(EXAMPLES / "two_files", folder / "two_files")
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        os.environ[variable] = str(folder / variable.lower())
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    return client.execute()


def outputs(notebook: nbformat.NotebookNode) -> list[list[tuple[list[str], str]]]:
    """What each cell shows: the kinds, and the text; a picture is as good as another."""
    told = []
    for cell in notebook.cells:
        shown = []
        for output in cell.get("outputs", ()):
            data = {"stream": output.get("text", "")} if "text" in output else output["data"]
            plain = "" if "image/png" in data else data.get("text/plain", data.get("stream", ""))
            shown.append((sorted(data), plain))
        told.append(shown)
    return told


def test_the_notebook_prints_what_stands_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    stored = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(stored)
    assert outputs(run(tmp_path)) == outputs(stored)
    assert all(cell.outputs for cell in stored.cells if cell.cell_type == "code")


def rewrite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebook = run(Path(folder))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it was run
    notebook.metadata.language_info = {"name": "python"}  # and where
    nbformat.write(notebook, NOTEBOOK)
