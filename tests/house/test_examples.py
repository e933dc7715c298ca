"""The examples are run."""

import runpy

import pytest
from helpers import ROOT

EXAMPLES = ROOT / "examples"


@pytest.mark.usefixtures("cheap_passphrases")
def test_two_newsrooms(tmp_path, capsys):
    runpy.run_path(str(EXAMPLES / "two_newsrooms" / "play.py"))["play"](tmp_path)
    assert "verified: these parties signed this" in capsys.readouterr().out
    assert (tmp_path / "alfa" / "result" / "report.html").exists()
    assert (tmp_path / "alfa" / "result" / "PRIVATE-pairs.csv").exists()
    assert not (tmp_path / "bravo" / "result" / "PRIVATE-pairs.csv").exists()
