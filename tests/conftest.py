"""What every test has: a ledger of runs of its own, so that none counts the runs of another or of the developer; what
is played once for many tests has none. Variables that a developer has set for commands of his own change no test."""

import functools
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each worker has a core; threads that wait for others burn it

import hypothesis
import pytest
from helpers.sessions import forget_variables

import pprl.exchange.keystore
import pprl.exchange.protocol.cards

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
forget_variables()
os.environ["PPRL_LEDGER"] = "off"
for module in (
    pprl.exchange.protocol.cards,
    pprl.exchange.keystore,
):  # it costs half a second and is a function of its arguments
    module.stretch = functools.cache(module.stretch)


@pytest.fixture(autouse=True)
def ledger(tmp_path_factory, monkeypatch):
    path = tmp_path_factory.mktemp("state") / "runs.json"
    monkeypatch.setenv("PPRL_LEDGER", str(path))
    return path


@pytest.fixture
def cheap_passphrases(monkeypatch):
    """Keystores that open at once, where passphrases are not what is tested."""
    from helpers.exchange import CHEAP

    monkeypatch.setattr(pprl.exchange.keystore, "MEMORY", CHEAP)


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """An exchange played once: for each step the three folders as they stood before it, and "end"."""
    from helpers.exchange import STEPS, Exchange, rosters

    root = tmp_path_factory.mktemp("exchange")
    rosters(root / "rosters")
    exchange = Exchange.begin(root / "now", source=root / "rosters")
    found = {}
    for step in STEPS:
        found[step] = exchange.copy(root / step.replace(" ", "-"))
        exchange.do(step)
    found["end"] = exchange
    return found


@pytest.fixture
def before(played, tmp_path):
    """A copy of the exchange as it stood before a step, to do with as one likes."""
    return lambda step, name="exchange": played[step].copy(tmp_path / name)


@pytest.fixture(scope="session")
def other_exchange(played, tmp_path_factory):
    """The same three parties and rosters in another exchange, with keys of their own, up to the match."""
    from helpers.exchange import Exchange

    root = tmp_path_factory.mktemp("other")
    return Exchange.begin(root / "x", name="brigade-2019", source=played["end"].root / "rosters").upto("match")
