"""What every test has: a ledger of runs of its own, so that none counts the runs of another or of the developer."""

import pytest


@pytest.fixture(autouse=True)
def ledger(tmp_path_factory, monkeypatch):
    path = tmp_path_factory.mktemp("state") / "runs.json"
    monkeypatch.setenv("PPRL_LEDGER", str(path))
    return path
