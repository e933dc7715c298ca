"""What code of the package may never do, and what no file and no line of output may contain."""

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
    """Dotted names of the functions that are called."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("name", TREES)
def test_no_input_is_executed(name):
    """No format that carries code, and no code made from text."""
    dangerous = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "subprocess", "imp"}
    if (
        name == "roster/files/spreadsheet.py"
    ):  # a reader of workbooks may crash, so it runs in a process of its own, from a file of ours
        dangerous.remove("subprocess")
    assert not {module.split(".")[0] for module in imported(TREES[name])} & dangerous
    calls = called(TREES[name])
    assert not calls & {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "np.load", "numpy.load"}
    assert not {call for call in calls if re.search(r"\bread_pickle$|\bto_pickle$|yaml\.load$", call)}


@pytest.mark.parametrize("name", TREES)
def test_random_numbers_come_from_two_sources(name):
    """`secrets`, or a stream that the specification pins; NumPy's and Python's generators promise neither secrecy nor
    repeatability."""
    assert not {module for module in imported(TREES[name]) if re.match(r"random\b|numpy\.random|uuid\b", module)}
    attributes = {ast.unparse(node) for node in ast.walk(TREES[name]) if isinstance(node, ast.Attribute)}
    assert not {name for name in attributes if re.match(r"(np|numpy)\.random\b|random\.|os\.urandom", name)}


@pytest.mark.parametrize("name", TREES)
def test_nothing_connects_to_a_network(name):
    """Except to a cluster that the user has set up (docs/scale.md)."""
    network = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "httpx", "distributed"}
    if name == "match/dask.py":
        network.remove("distributed")
    assert not {module.split(".")[0] for module in imported(TREES[name])} & network


def test_the_environment_reaches_no_secret():
    """Only the locations of the ledger and of the cache of compiled code are taken from it."""
    reading = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb"))
        or (isinstance(node, ast.Name) and node.id in ("environ", "getenv"))
    }
    assert reading <= {"core/state_folder.py", "core/numba_cache.py"}


#: What an attacker could guess byte by byte if the time of a comparison showed how many bytes were right.
HIDDEN = re.compile(r"(\w*_)?(mac|hmac|tag|tags|signature|secret|seed|share|passphrase|linkage_key|lock)")
MAKING = {"mac", "confirm_tag", "derive", "stretch", "hmac.digest", "sign"}


def parts(node):
    """The parts of an operand whose value is compared, but not what is only counted or made public first."""
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
    """Signatures and seals are verified by the library, tags by XOR of whole arrays. Only hashes and key checks that
    every party of the exchange has are compared with ==: roots, hashes of statements, shares as they are sealed."""
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
    for text in ("key_check != other", "len(seed) == 32", "keys.public() == card.keys"):
        assert not list(compared(ast.parse(text))), text


def every_parameter():
    todo = [("pprl", pprl.cli.cli)]
    while todo:
        name, command = todo.pop()
        todo += [(f"{name} {word}", sub) for word, sub in getattr(command, "commands", {}).items()]
        yield from ((name, parameter) for parameter in command.params)


def test_no_option_takes_a_secret():
    """Everybody on the machine can see arguments and variables, and the shell keeps them in its history."""
    for command, parameter in every_parameter():
        words = " ".join([parameter.name, *parameter.opts]).lower()
        if re.search(r"pass|secret|key|words|share|pin\b|token", words):
            assert isinstance(parameter.type, click.Path), f"{command} {parameter.name} takes more than a file's name"


def test_variables_give_these_options_and_no_others():
    """No secret, no roster, nothing that lifts a safeguard or chooses an output; `agree` must not propose a schema that
    was not typed, and a cluster sees encodings. Anyone who adds a variable explains here why it is none of these."""
    read = {}
    for command, parameter in every_parameter():
        if parameter.envvar is not None:
            assert parameter.show_envvar, f"{command} {parameter.name}: --help does not mention it"
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


def test_a_step_of_an_exchange_takes_no_seed(before):
    exchange = before("list rows")
    for words in (["--seed", 1], ["--decoys", 1], ["--allow-weak"], ["--key-file", "x"], ["--force"]):
        done = run(*exchange.command("list rows", *words))
        assert done.status == 2
        assert words[0] in done.err


# --- canaries ---

NAME = "Зкъхжвин"
CANARIES = {word.lower() for word in (NAME, "zqxjkv", fold_name(NAME, given=False))}


class Watch:
    """What the process writes and whether it uses the network, as Python's audit events report it."""

    def __init__(self):
        self.active = False
        self.written = []
        self.network = []
        sys.addaudithook(self.note)

    def note(self, event, arguments):
        if self.active and event.startswith(("socket.", "urllib.")):
            self.network.append(event)
        if self.active and event == "open" and isinstance(arguments[0], str | bytes | Path):
            mode, flags = arguments[1], arguments[2]
            if flags & (1 | 2) or (mode and set(mode) & set("wax+")):  # O_WRONLY, O_RDWR
                self.written.append(os.fsdecode(arguments[0]))

    def __enter__(self):
        self.active = True
        return self

    def __exit__(self, *_):
        self.active = False


def exchange_with_canaries(folder):
    """An exchange whose rosters hold the canary, in files and a folder that are named after one."""
    rosters(folder / "source", people=40, rows=1_000, canary=NAME)
    exchange = Exchange.begin(folder / "x", source=folder / "source")
    desk = exchange.root / "Zqxjkv-desk"
    (exchange.root / "rosters").rename(desk)
    for side in exchange.roster:
        exchange.roster[side] = (desk / f"{side}.csv").rename(desk / f"zqxjkv-{side}.csv")
        assert NAME in exchange.roster[side].read_text("utf-8")
    exchange.schema = desk / "schema.toml"
    weaker = exchange.schema.read_text("utf-8").replace('hardening = "standard"', 'hardening = "plain"')
    (desk / "zqxjkv-weaker.toml").write_text(weaker, encoding="utf-8")
    return exchange


def wrong_commands(exchange, step, wrong):
    """The command of a step with a wrong passphrase or none, another step's, and with wrong files and columns."""
    command, desk = exchange.command(step), exchange.schema.parent
    yield [*command[:-1], wrong]
    yield command[:-2]
    if step != "match":
        yield exchange.command("match")
    if command[0] == "encode" and len(command) > 5:
        yield ["encode", desk / "zqxjkv-none.csv", *command[2:]]
        yield [*command, "--column", "surname=nowhere"]
        yield [*command, "--schema", desk / "zqxjkv-weaker.toml"]
    if step == "list package":
        yield ["encode", exchange.roster["registry"], *command[2:]]


def play(exchange, wrong):
    """Every step, each after commands that must fail; what was printed, and the secrets by name."""
    outputs, secrets = [], {}
    for step, role in STEPS.items():
        failed = [run(*command) for command in wrong_commands(exchange, step, wrong)]
        assert all(output.status for output in failed), step
        outputs += failed
        outputs.append(exchange.do(step))
        outputs.append(run("next", exchange.folder(role), *exchange.secret(role)))
        exchange.hand_over()
        secrets |= {f"{step} {name}": value for name, value in secrets_of(exchange).items()}
    auditor = exchange.root / "auditor"
    outputs.append(run("transcript", exchange.folder("unit"), "-o", auditor, "--passphrase-file", wrong))
    exchange.transcript()
    outputs += [run("verify", auditor, "--words-file", words) for words in (exchange.words_file(), wrong)]
    outputs.append(run("verify", exchange.folder("unit")))
    for name in ("list-5-package.pprl", "PRIVATE-list.rows", "PRIVATE-keystore.pprl", "list-2-proposal.pprl"):
        outputs.append(run("inspect", exchange.folder("list") / name))
    return outputs, secrets


def assert_no_canary(text, where):
    assert not [word for word in CANARIES if word in text.lower()], f"a canary sang in {where}"


def test_names_and_secrets_never_leave_their_owner(tmp_path, monkeypatch):
    """The exchange with planted names, every step also tried out of turn and with a wrong passphrase: the names are in
    no folder and in no output, the secrets in nobody's files, nothing is written elsewhere, and no network is used."""
    exchange = exchange_with_canaries(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(temporary)
    wrong = exchange.root / "wrong.pass"
    wrong.touch(0o600)
    wrong.write_text("another passphrase of nobody\n")
    with Watch() as watch:
        outputs, secrets = play(exchange, wrong)
    assert not watch.network
    assert len({name.split(" ", 2)[-1] for name in secrets}) > 6
    forbidden = {form for secret in secrets.values() for form in forms(secret)}
    printed = "\n".join(output.out + output.err for output in outputs)
    assert any(output.status for output in outputs)
    assert "Traceback" not in printed
    assert_no_canary(printed, "the output")
    assert not [form for form in forbidden if form in printed.encode()]
    for role in PARTIES:
        for path in filter(Path.is_file, (*exchange.folder(role).rglob("*"), *exchange.root.glob("auditor/*"))):
            data = path.read_bytes()
            assert not [form for form in forbidden if form in data], f"{path.name} of the {role} contains a secret"
            assert_no_canary(path.name + data.decode(errors="ignore"), path.name)
    assert (exchange.folder("list") / LIST_ROWS).exists()
    for role in PARTIES:
        destroyed = run("destroy", exchange.folder(role), "--yes")
        assert destroyed.status == 0
        assert_no_canary(destroyed.out + destroyed.err, "the output of destroy")
    assert not list(temporary.iterdir()), "a temporary file was left behind"
    # Rosters that were sent are kept as keyed hashes (tests/exchange/test_resubmission.py); the others are a ledger and
    # a cache.
    elsewhere = {path for path in watch.written if not path.startswith((str(exchange.root), os.devnull))}
    known = ("runs.json", "pprl/Cache", ".cache/pprl", "/sent/")
    assert not {path for path in elsewhere if not any(part in path for part in known)}


#: Fields of dataclasses that hold what nobody may read, wherever an object is printed.
SECRET_FIELD = re.compile(r"seed|secret|people|synthetic|signing|kem|x25519|passphrase")


def printed_secrets(tree):
    """Dataclasses of bytes that are secret, and that print them: in a traceback, a log or a failing test."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list):
            guarded = any(isinstance(item, ast.FunctionDef) and item.name == "__repr__" for item in node.body)
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and ast.unparse(item.annotation) == "bytes" and not guarded:
                    shown = item.value is None or "repr=False" not in ast.unparse(item.value)
                    if shown and SECRET_FIELD.fullmatch(item.target.id):
                        yield node.name, item.target.id


@pytest.mark.parametrize("name", TREES)
def test_no_object_prints_its_secrets(name):
    """The seed of a commitment is its hash, which everybody reads, and public keys are public."""
    printed = {*printed_secrets(TREES[name])} - {("Commitment", "seed")}
    assert not {(owner, field) for owner, field in printed if owner != "PublicKeys"}
