"""What the code of the package may not do at all, and what no file and no line of output may hold."""

import ast
import os
import re
import sys
import tempfile
from pathlib import Path

import click
import pytest
from helpers import ROOT
from helpers.exchange import PARTIES, STEPS, Exchange, rosters, run
from helpers.taps import forms, secrets_of

import pprl.cli
from pprl.exchange.parties.list_owner import LIST_ROWS
from pprl.normalize.names import fold_name

PACKAGE = ROOT / "pprl"
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
#: Where secrets are made, held or compared.
SECRET = {
    name: tree
    for name, tree in TREES.items()
    if (name.startswith("exchange/") and name != "exchange/replay.py")
    or name in ("core/key.py", "core/randomness.py", "cli/exchange.py")
}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module


def called(tree):
    """Dotted names of what is called, as far as they are names."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("name", TREES)
def test_nothing_that_was_read_is_run(name):
    """No format that carries code, and no code made of text."""
    dangerous = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "subprocess", "imp"}
    if name == "roster/spreadsheet.py":  # a reader of workbooks may crash, so it is run apart, from a file of ours
        dangerous.remove("subprocess")
    assert not {each.split(".")[0] for each in imported(TREES[name])} & dangerous
    calls = called(TREES[name])
    assert not calls & {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "np.load", "numpy.load"}
    assert not {each for each in calls if re.search(r"\bread_pickle$|\bto_pickle$|yaml\.load$", each)}


@pytest.mark.parametrize("name", TREES)
def test_no_chance_but_our_own(name):
    """Random numbers come from `secrets` or from a stream that the specification pins; NumPy's and Python's generators
    promise neither secrecy nor repeatability."""
    assert not {each for each in imported(TREES[name]) if re.match(r"random\b|numpy\.random|uuid\b", each)}
    named = {ast.unparse(node) for node in ast.walk(TREES[name]) if isinstance(node, ast.Attribute)}
    assert not {each for each in named if re.match(r"(np|numpy)\.random\b|random\.|os\.urandom", each)}


@pytest.mark.parametrize("name", TREES)
def test_nothing_speaks_to_a_network(name):
    """Only a cluster that the user has set up is spoken to (docs/scale.md)."""
    network = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "httpx", "distributed"}
    if name == "match/dask.py":
        network.remove("distributed")
    assert not {each.split(".")[0] for each in imported(TREES[name])} & network


def test_the_environment_reaches_no_secret():
    """Only the ledger's place and the cache of compiled code are taken from it."""
    reading = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb"))
        or (isinstance(node, ast.Name) and node.id in ("environ", "getenv"))
    }
    assert reading <= {"core/state_folder.py", "match/numba_cache.py"}


#: What whoever guesses could find byte by byte, if the time of a comparison told how far he has come.
HIDDEN = re.compile(r"(\w*_)?(mac|hmac|tag|tags|signature|secret|seed|share|passphrase|linkage_key|lock)")
MAKING = {"mac", "confirm_tag", "derive", "stretch", "hmac.digest", "sign"}


BY_EQUALS = ast.Eq | ast.NotEq | ast.In | ast.NotIn


def parts(node):
    """The parts of an operand whose value is compared: not what is only counted or made public by then."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name in ("len", "type") or name.endswith(".public"):
            return
        if name in MAKING or name.split(".")[-1] in MAKING:
            yield name
    if isinstance(node, ast.Name | ast.Attribute):
        yield node.id if isinstance(node, ast.Name) else node.attr
    for child in ast.iter_child_nodes(node):
        yield from parts(child)


def compared(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops
        ):
            for operand in (node.left, *node.comparators):
                for part in parts(operand):
                    if HIDDEN.fullmatch(part) or part in MAKING:
                        yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("name", SECRET)
def test_secrets_are_compared_in_constant_time(name):
    """Signatures and seals are verified by the library, tags by `primitives.equal`. With == are compared only hashes
    and key checks that everybody in the matter has: roots, names of statements, shares as they are sealed."""
    assert not list(compared(SECRET[name]))


def test_the_rule_of_comparisons_finds_what_it_should():
    wrong = (
        "a.tag == b",
        "mac(key, x) != y",
        "state['x'] == own.seed",
        "signature in seen",
        "x == confirm_tag(k, f, n, v)",
    )
    for text in wrong:
        assert list(compared(ast.parse(text))), text
    for text in ("key_check != other", "len(seed) == 32", "keys.public() == card.keys", "equal(tag, other)"):
        assert not list(compared(ast.parse(text))), text


def every_parameter():
    todo = [("pprl", pprl.cli.cli)]
    while todo:
        name, command = todo.pop()
        todo += [(f"{name} {each}", sub) for each, sub in getattr(command, "commands", {}).items()]
        yield from ((name, parameter) for parameter in command.params)


def test_no_option_takes_a_secret():
    """Arguments are seen by everybody on the machine, stay in the history of the shell, and so do variables."""
    for command, parameter in every_parameter():
        words = " ".join([parameter.name, *parameter.opts]).lower()
        if re.search(r"pass|secret|key|words|share|pin\b|token", words):
            assert isinstance(parameter.type, click.Path), f"{command} {parameter.name} takes more than a file's name"


def test_variables_give_these_options_and_no_others():
    """No secret, no roster, nothing that lifts a guard or chooses an output; `agree` proposes no schema unasked, and a
    cluster sees encodings. Who adds one says here why it is none of these."""
    read = {}
    for command, parameter in every_parameter():
        if parameter.envvar is not None:
            assert parameter.show_envvar, f"{command} {parameter.name}: --help does not say it"
            read.setdefault(parameter.envvar, set()).add(f"{command.removeprefix('pprl ')} {parameter.opts[0]}")
    assert read == {
        "PPRL_SCHEMA": {f"{command} --schema" for command in ("check", "encode", "link", "risk")},
        "PPRL_FALSE_MATCH_RATE": {f"{command} --false-match-rate" for command in ("judge", "link")},
        "PPRL_LANGUAGE": {f"{command} --language" for command in ("judge", "link", "next", "report")},
        "PPRL_THREADS": {f"{command} --threads" for command in ("check", "link", "match", "next")},
    }
    assert not any(
        settings.get(name)
        for settings in (command.context_settings for command in pprl.cli.cli.commands.values())
        for name in ("auto_envvar_prefix", "default_map")
    )
    assert not pprl.cli.cli.context_settings.get("auto_envvar_prefix")
    documented = (PACKAGE.parent / "docs" / "shell.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(PPRL_\w+)`", documented, re.M)) == {*read, "PPRL_LEDGER"}


def test_no_seed_is_taken_for_a_step_of_an_exchange(before):
    exchange = before("list rows")
    for words in (["--seed", 1], ["--decoys", 1], ["--allow-weak"], ["--key-file", "x"], ["--force"]):
        done = run(*exchange.command("list rows", *words))
        assert done.status == 2
        assert words[0] in done.err


# --- canaries ---

NAME = "Зкъхжвин"
CANARIES = {word.lower() for word in (NAME, "zqxjkv", fold_name(NAME, given=False))}
WRITTEN: list[str] | None = None
CALLED: list[str] = []


def note_written(event, arguments):
    if WRITTEN is not None and event.startswith(("socket.", "urllib.")):
        CALLED.append(event)
    if WRITTEN is not None and event == "open" and isinstance(arguments[0], str | bytes | Path):
        mode, flags = arguments[1], arguments[2]
        if flags & (1 | 2) or (mode and set(mode) & set("wax+")):  # O_WRONLY, O_RDWR
            WRITTEN.append(str(arguments[0] if not isinstance(arguments[0], bytes) else arguments[0].decode()))


sys.addaudithook(note_written)


def test_no_name_and_no_secret_is_anywhere_but_at_home(tmp_path, monkeypatch):
    """The exchange with planted names, every step given out of turn and with a wrong passphrase too: the names are in
    no folder and in nothing that was printed, the secrets in no file of anybody, nothing is written elsewhere, and no
    network is asked for."""
    global WRITTEN
    rosters(tmp_path / "source", people=40, rows=1_000, canary=NAME)
    exchange = Exchange.begin(tmp_path / "x", source=tmp_path / "source")
    home = exchange.root / "Zqxjkv-desk"
    (exchange.root / "rosters").rename(home)
    for side in exchange.roster:
        exchange.roster[side] = (home / f"{side}.csv").rename(home / f"zqxjkv-{side}.csv")
    exchange.schema = home / "schema.toml"
    for path in exchange.roster.values():
        assert NAME in path.read_text("utf-8")
    empty = tmp_path / "temporary"
    empty.mkdir()
    monkeypatch.setenv("TMPDIR", str(empty))
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    monkeypatch.chdir(empty)
    wrong = exchange.root / "wrong.pass"
    wrong.touch(0o600)
    wrong.write_text("another passphrase of nobody\n")
    weaker = home / "zqxjkv-weaker.toml"
    weaker.write_text(exchange.schema.read_text("utf-8").replace("hardening = 8", "hardening = 0"), encoding="utf-8")
    outputs, secrets = [], {}
    WRITTEN = []
    CALLED.clear()
    try:
        for step, role in STEPS.items():
            command = exchange.command(step)
            tries = [[*command[:-1], wrong], [*command[:-2]]]
            if step != "match":
                tries.append(exchange.command("match"))
            if command[0] == "encode" and len(command) > 5:
                tries.append(["encode", home / "zqxjkv-none.csv", *command[2:]])
                tries.append([*command, "--column", "surname=nowhere"])
                tries.append([*command, "--schema", weaker])
            if step == "list package":
                tries.append(["encode", exchange.roster["registry"], *command[2:]])
            failed = [run(*each) for each in tries]
            assert all(each.status for each in failed), step
            outputs += failed
            outputs.append(exchange.do(step))
            outputs.append(run("next", exchange.folder(role), *exchange.secret(role)))
            exchange.hand_over()
            secrets |= {f"{step} {name}": value for name, value in secrets_of(exchange).items()}
        outputs.append(
            run("transcript", exchange.folder("unit"), "-o", exchange.root / "auditor", "--passphrase-file", wrong)
        )
        exchange.transcript()
        for words in (exchange.words_file(), wrong):
            outputs.append(run("verify", exchange.root / "auditor", "--words-file", words))
        outputs.append(run("verify", exchange.folder("unit")))
        for name in ("list-5-package.pprl", "PRIVATE-list.rows", "PRIVATE-keystore.pprl", "list-2-proposal.pprl"):
            outputs.append(run("inspect", exchange.folder("list") / name))
    finally:
        written, WRITTEN = WRITTEN, None

    assert not CALLED
    printed = "\n".join(each.out + each.err for each in outputs)
    assert any(each.status for each in outputs)
    assert "Traceback" not in printed
    assert not [word for word in CANARIES if word in printed.lower()], "a canary sang"
    assert len({name.split(" ", 2)[-1] for name in secrets}) > 6
    wanted = {form for secret in secrets.values() for form in forms(secret)}
    said = printed.encode()
    assert not [form for form in wanted if form in said]
    for role in PARTIES:
        for path in filter(Path.is_file, (*exchange.folder(role).rglob("*"), *exchange.root.glob("auditor/*"))):
            data = path.read_bytes()
            assert not [form for form in wanted if form in data], f"{path.name} of the {role} holds a secret"
            text = data.decode(errors="ignore").lower()
            assert not [word for word in CANARIES if word in text + path.name.lower()], f"a canary sang in {path.name}"
    assert (exchange.folder("list") / LIST_ROWS).exists()
    gone = [run("destroy", exchange.folder(role), "--yes") for role in PARTIES]
    assert not [word for word in CANARIES for each in gone if each.status or word in (each.out + each.err).lower()]
    assert not list(empty.iterdir()), "something was left among temporary files"
    # What is kept of rosters that were sent are keyed hashes (tests/test_sent.py); the others are a ledger and a cache.
    elsewhere = {path for path in written if not path.startswith((str(exchange.root), os.devnull))}
    known = ("runs.json", "pprl/Cache", ".cache/pprl", "/sent/")
    assert not {path for path in elsewhere if not any(part in path for part in known)}
