"""An exchange that tests play: three folders that share nothing but the files that are handed over.

`Exchange.begin` makes three parties that have compared their words, with cheap keystores; `do` types the command of a
step for the party that is due, and hands its files over. Steps are played in the order of `STEPS`.
"""

import contextlib
import csv
import datetime
import hashlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import pprl.cli
from pprl.demo import SCHEMA, invent
from pprl.exchange.folder import ExchangeFolder, open_folder
from pprl.exchange.parties import class_of, open_party
from pprl.exchange.parties.party import Party
from pprl.exchange.protocol.cards import digest_of, words_of
from pprl.exchange.protocol.messages import HAND_OVERS

PARTIES = ("list", "registry", "unit")
BY_NAME = {file.name: file for file in HAND_OVERS}
CHEAP = 8 * 1024  # KiB of Argon2, where a party's passphrase is not what is tested
STEPS = {
    "propose": "list",
    "accept": "registry",
    "conclude": "list",
    "list rows": "list",
    "registry rows": "registry",
    "list package": "list",
    "receipt": "unit",
    "list seal": "list",
    "registry seal": "registry",
    "match": "unit",
    "acknowledge": "registry",
    "reveal": "list",
    "judge": "unit",
    "registry result": "registry",
    "list result": "list",
}
AUTOMATIC = ("conclude", "acknowledge", "registry result", "list result")  # what `pprl next` does


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str


@contextlib.contextmanager
def heard(streams):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        streams += [stream.buffer.getvalue().decode() for stream in (out, err)]


def run(*words: object) -> Run:
    """The command line in process."""
    streams: list[str] = []
    with heard(streams):
        status = pprl.cli.main([str(word) for word in words])
    return Run(status, *streams)


def attempt(*words: object) -> str:
    """The same, with errors as they are raised: tests of refusals ask for their class."""
    streams: list[str] = []
    with heard(streams):
        pprl.cli.cli.main([str(word) for word in words], prog_name="pprl", standalone_mode=False)
    return streams[0]


def rosters(folder: Path, *, people: int = 60, rows: int = 1_500, seed: int = 7, canary: str = "") -> None:
    """list.csv, the first people of the demo's list, and registry.csv, those of them whom the registry holds and
    others. A canary is the surname of the first three in both."""
    made = invent(seed)
    ours = made.leaked.head(people).copy()
    held = {each for number in ours["№ п/п"].astype(str) for each in made.present.get(number, ())}
    theirs = made.registry
    theirs = theirs.loc[sorted(theirs.sort_values("id", key=lambda ids: ~ids.isin(held), kind="stable").index[:rows])]
    if canary:
        name = ours.columns[2]
        ours.loc[ours.index[:3], name] = [f"{canary} {given} Иванович" for given in ("Иван", "Пётр", "Олег")]
        theirs.loc[theirs.index[:3], "surname"] = canary
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (("list.csv", ours), ("registry.csv", theirs)):
        frame.to_csv(folder / name, index=False, quoting=csv.QUOTE_ALL)
    (folder / "schema.toml").write_text(SCHEMA, encoding="utf-8")


class Exchange:
    """Three parties below one folder, a subfolder each; rosters and passphrases lie beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.roster = {"list": root / "rosters" / "list.csv", "registry": root / "rosters" / "registry.csv"}
        self.schema = root / "rosters" / "schema.toml"

    @classmethod
    def begin(cls, root: Path, *, name: str = "division-2022", hear: bool = True, source: Path | None = None):
        made = cls(root)
        root.mkdir(parents=True, exist_ok=True)
        if source:
            shutil.copytree(source, root / "rosters")
        for role in PARTIES:
            made.join(role, name)
        made.hand_over()
        for role in PARTIES if hear else ():
            made.hear(role)
        return made

    def join(self, role: str, name: str = "division-2022") -> None:
        """A party with a keystore and a card."""
        self.passphrase_file(role).touch(0o600)
        self.passphrase_file(role).write_text(self.passphrase(role) + "\n", encoding="utf-8")
        class_of(role).create(
            self.folder(role),
            exchange=name,
            name=role.title(),
            passphrase=self.passphrase(role),
            expires=datetime.date(2030, 1, 1),
            memory=CHEAP,
        )

    def hear(self, role: str) -> None:
        """As if the right words had been typed."""
        folder = self.opened(role)
        confirmed = {other: digest_of(folder.cards).hex() for other in folder.cards if other != role}
        folder.save(folder.keystore.holding(heard=confirmed))

    def folder(self, role: str) -> Path:
        return self.root / role

    def passphrase_file(self, role: str) -> Path:
        return self.root / f"{role}.pass"

    @staticmethod
    def passphrase(role: str) -> str:
        return f"wombat gherkin {role} sextant"

    def opened(self, role: str, **settings: object) -> ExchangeFolder:
        return open_folder(self.folder(role), self.passphrase(role), **settings)

    def party(self, role: str, **settings: object) -> Party:
        """The library's face of a party."""
        return open_party(self.folder(role), self.passphrase(role), **settings)

    def hand_over(self) -> None:
        """Copy each file to its readers, and nothing else."""
        for file in HAND_OVERS:
            if (self.folder(file.maker) / file.name).exists():
                for reader in file.readers:
                    if self.folder(reader).exists():
                        shutil.copy(self.folder(file.maker) / file.name, self.folder(reader) / file.name)

    @property
    def code(self) -> str:
        return self.opened("registry").proposal.code

    def command(self, step: str, *more: object) -> list[object]:
        """What the party that is due types."""
        role = STEPS[step]
        words: dict[str, list[object]] = {
            "propose": ["agree", self.folder(role), "--schema", self.schema],
            **{name: ["next", self.folder(role)] for name in AUTOMATIC},
            **{name: [name, self.folder(role)] for name in ("match", "reveal", "judge")},
        }
        if step in ("accept", "receipt"):
            return ["agree", self.folder(role), "--accept", self.code, *self.secret(role), *more]
        if step.endswith("seal"):
            return ["encode", "--agreement", self.folder(role), *self.secret(role), *more]
        if step not in words:
            return ["encode", self.roster[role], "--agreement", self.folder(role), *self.secret(role), *more]
        return [*words[step], *self.secret(role), *more]

    def secret(self, role: str) -> list[object]:
        return ["--passphrase-file", self.passphrase_file(role)]

    def do(self, step: str, *more: object) -> Run:
        done = run(*self.command(step, *more))
        assert done.status == 0, (step, done.err)
        self.hand_over()
        return done

    def upto(self, last: str, start: str = "propose") -> "Exchange":
        """Play all steps before ``last``."""
        names = list(STEPS)
        for step in names[names.index(start) : names.index(last)]:
            self.do(step)
        return self

    def transcript(self, name: str = "auditor") -> Path:
        """What the linkage unit hands to an auditor."""
        done = run("transcript", self.folder("unit"), "-o", self.root / name, *self.secret("unit"))
        assert done.status == 0, done.err
        return self.root / name

    def words_file(self, name: str = "heard", **wrong: str) -> Path:
        """The words of all three parties as an auditor writes them down on a call."""
        words = {role: " ".join(spoken) for role, spoken in words_of(self.opened("unit").cards).items()}
        path = self.root / name
        path.write_text("".join(f"{role}: {text}\n" for role, text in {**words, **wrong}.items()), encoding="utf-8")
        return path

    def copy(self, root: Path) -> "Exchange":
        shutil.copytree(self.root, root)
        return Exchange(root)

    def contents(self) -> dict[str, bytes]:
        """Every file of all three parties and a hash of what it holds."""
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).digest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }
