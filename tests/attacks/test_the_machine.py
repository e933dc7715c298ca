"""What somebody finds who gets at the machine of a party: folders, and the memory of a running program."""

import os
import subprocess
import sys
import textwrap

import pytest
from helpers.exchange import CHEAP, Exchange, rosters

from pprl.exchange.parties.list_owner import ListOwner

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@posix
def test_folders_of_an_exchange_are_closed_whatever_the_umask(tmp_path):
    old = os.umask(0)
    try:
        ListOwner.create(
            tmp_path / "mine", exchange="here", name="Me", passphrase="wombat gherkin sextant", memory=CHEAP
        )
        rosters(tmp_path / "rosters", people=60, rows=1_500)
        exchange = Exchange.begin(tmp_path / "x", source=tmp_path / "rosters")
        exchange.do("propose")
    finally:
        os.umask(old)
    for folder in (tmp_path / "mine", *(exchange.folder(role) for role in ("list", "registry", "unit"))):
        assert folder.stat().st_mode & 0o777 == 0o700, folder.name
        private = [path for path in folder.rglob("PRIVATE-*") if path.is_file()]
        assert private
        assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


@posix
def test_a_program_that_holds_keys_leaves_no_core_and_lets_nobody_look_in():
    """Before a passphrase is read, and not in programs that only import the library."""
    code = """
        import ctypes, resource, sys
        def state():
            dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else None
            return resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
        import pprl.cli.exchange
        before = state()
        try:
            pprl.cli.exchange.passphrase(None)
        except Exception:
            pass
        print(before[1], *state())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    wanted = "1 0 0" if sys.platform == "linux" else "None 0 None"
    assert done.stdout.split() == wanted.split()
