"""pprl demo: the main job on made-up rosters, with the truth beside the result."""

from __future__ import annotations

import datetime
import json
import secrets
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pprl.cli import options
from pprl.cli.output import make_folder, show_assessment
from pprl.cli.progress import linking
from pprl.core import container
from pprl.core.errors import FileError

if TYPE_CHECKING:
    from pprl.demo import Rosters
    from pprl.exchange.protocol.cards import Role

ROSTERS = ("list.xlsx", "registry.csv", "schema.toml", "truth.csv")


@click.command(
    short_help="Link made-up rosters and show the truth beside the result.",
    epilog="\b\nExamples:\n  pprl demo\n  pprl demo shown     (the whole exchange, every party's folder kept)",
)
@click.argument("folder", metavar="[DIR]", required=False, type=options.Named)
@click.option("--seed", type=click.IntRange(min=0), default=2022, show_default=True, help="Other people, same story.")
def demo(folder: Path | None, seed: int) -> None:
    """Invent a leaked list and a registry, link them, and print the result beside the truth.

    A clerk's XLSX of 1,010 men in Cyrillic against a CSV of 12,000 in Latin letters, which is older than part of the
    list. Without DIR they are linked on one machine, in a temporary folder. In DIR, which must be absent or empty,
    newsroom, registry, linkage unit and auditor play the whole exchange, each with a folder of his own.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="pprl-demo-") as temporary:
            _link(Path(temporary), seed)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"{folder.resolve().name}: is not an empty folder", hint="name a new folder")
    try:
        make_folder(folder)
        _exchange(folder, seed)
    except BaseException:  # nothing of a story that broke off is left; it holds invented people only
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _link(folder: Path, seed: int) -> None:
    from pprl.core.schema_file import load_schema
    from pprl.demo import SCHEMA, invent
    from pprl.link import link

    rosters = invent(seed)
    leaked, registry, schema_path, _ = (folder / name for name in ROSTERS)
    container.write_new(leaked, [rosters.workbook()])
    container.write_new(registry, [rosters.registry.to_csv(index=False).encode()])
    container.write_new(schema_path, [SCHEMA.encode()])
    click.echo(_invented(rosters))
    schema = load_schema(schema_path)
    with linking() as progress:
        assessment = link(
            leaked, registry, schema, list_id="№ п/п", registry_id="id", seed=seed, progress=progress, note=options.note
        )
    show_assessment(assessment, as_json=False)
    click.echo("")
    marks = rosters.marked(list(assessment.pairs.list_id), list(assessment.pairs.registry_id))
    net = assessment.net_found
    lines = _truth(rosters, None if net is None else (net.value, net.low or 0, net.high or 0))
    lines.append(
        f"pairs              {marks.right:,} right, {marks.wrong:,} wrong "
        f"({marks.wrong / max(1, len(assessment.pairs)):.2%}); {marks.missed:,} missed"
    )
    click.echo("\n".join(lines))


def _invented(rosters: Rosters) -> str:
    return (
        f"invented           a leaked list of {len(rosters.people):,} men in {len(rosters.entries):,} rows (Cyrillic) "
        f"and a registry of {len(rosters.registry):,} (Latin)"
    )


PLACES: dict[Role, str] = {"list": "newsroom", "registry": "registry", "unit": "linkage-unit"}
NAMES: dict[Role, str] = {"list": "Newsroom Alfa", "registry": "Partner Bravo", "unit": "University"}
WORDS_OF_A_PASSPHRASE = 6
HEARD = "heard-on-the-phone.txt"


def _exchange(folder: Path, seed: int) -> None:
    """Every step of every party, through the functions of its commands; only files are handed over."""
    from pprl.cli import exchange as steps
    from pprl.cli.match import Engine
    from pprl.demo import SCHEMA, invent
    from pprl.exchange.folder import Matter, open_matter
    from pprl.exchange.keystore import NAME, Keystore
    from pprl.exchange.next_step import HAND_OVERS, RESULT
    from pprl.exchange.parties.resubmission import Sent
    from pprl.exchange.protocol.cards import Card, digest_of, word_list, words_of

    rosters = invent(seed)
    for place in PLACES.values():
        make_folder(folder / place / "matter")
    homes = ("newsroom", "registry", "newsroom", ".")
    leaked, registry, schema, truth = (folder / home / name for home, name in zip(homes, ROSTERS, strict=True))
    container.write_new(leaked, [rosters.workbook()])
    container.write_new(registry, [rosters.registry.to_csv(index=False).encode()])
    container.write_new(schema, [SCHEMA.encode()])
    container.write_new(truth, [rosters.truth().to_csv(index=False).encode()])
    click.echo(_invented(rosters))
    locks = {}
    for role, place in PLACES.items():
        passphrase = " ".join(secrets.choice(word_list()) for _ in range(WORDS_OF_A_PASSPHRASE))
        container.write_new(folder / place / "passphrase.txt", [passphrase.encode() + b"\n"], private=True)
        keystore = Keystore.make(role, "demo", passphrase)
        expires = datetime.date.today() + datetime.timedelta(steps.CARD_DAYS)
        card = Card.make(role, "demo", NAMES[role], expires, keystore.keys)
        keystore.write(folder / place / "matter" / NAME)
        container.write_new(folder / place / "matter" / f"{role}-1-card.pprl", [card.statement.to_bytes()])
        locks[role] = keystore.lock

    nowhere = Sent(None)  # made-up people are no roster that was sent

    def hand_over() -> None:
        for name, (maker, to) in HAND_OVERS.items():
            made = folder / PLACES[maker] / "matter" / name
            for role in to if made.exists() else ():
                if not (theirs := folder / PLACES[role] / "matter" / name).exists():
                    shutil.copyfile(made, theirs)

    def at(role: Role, command: str) -> Matter:
        """What a party types next, in its folder as it is now."""
        hand_over()
        click.echo(f"\n{PLACES[role]}$ pprl {command}")
        return open_matter(folder / PLACES[role] / "matter", locks[role])

    hand_over()
    words = words_of(open_matter(folder / "newsroom" / "matter", locks["list"]).cards)
    container.write_new(folder / HEARD, [f"{role}: {' '.join(told)}\n".encode() for role, told in words.items()])
    for role in PLACES:
        matter = at(role, "agree matter")
        click.echo(f"reads aloud  {' '.join(words[role])}")
        heard = {other: digest_of(matter.cards).hex() for other in PLACES if other != role}
        matter.save(matter.keystore.holding(heard=heard))
    steps.propose(at("list", "agree matter --schema schema.toml"), schema, {})
    matter = at("registry", "agree matter")
    assert matter.proposal
    steps.accept_terms(matter, matter.proposal.code)
    steps.encode_for_agreement(at("list", "encode list.xlsx --agreement matter"), leaked, record=nowhere)
    steps.encode_for_agreement(at("registry", "encode registry.csv --agreement matter"), registry, record=nowhere)
    steps.encode_for_agreement(at("list", "encode list.xlsx --agreement matter"), leaked, record=nowhere)
    matter = at("unit", "agree matter")
    assert matter.proposal
    steps.sign_receipt(matter, matter.proposal.code)
    steps.seal_package(at("list", "next matter"))
    steps.seal_package(at("registry", "next matter"))
    steps.match_folder(at("unit", "next matter"), Engine())
    steps.acknowledge_scores(at("registry", "next matter"))
    steps.reveal_labels(at("list", "reveal matter"))
    steps.judge_folder(at("unit", "next matter"))
    steps.receive_result(at("list", "next matter"))
    steps.receive_result(at("registry", "next matter"))
    steps.write_transcript(at("unit", "transcript matter -o ../auditor"), folder / "auditor")
    page = folder / "newsroom" / "matter" / RESULT / "report.html"
    shutil.copyfile(page, folder / "report.html")
    net = json.loads(page.with_name("report.json").read_bytes())["headline"]["net_found"]
    interval = (net["value"], net["low"], net["high"]) if net["value"] is not None else None
    click.echo("")
    click.echo("\n".join(_truth(rosters, interval)))
    click.echo(f"the page           {folder.name}/report.html")
    click.echo(f"an auditor         pprl verify {folder.name}/auditor --words-file {folder.name}/{HEARD}")


def _truth(rosters: Rosters, net: tuple[float, float, float] | None) -> list[str]:
    """What is so, in the words of the result."""
    from pprl.demo import ABSENT, IN_REGISTRY, TOO_LATE

    states = Counter(map(rosters.status, range(len(rosters.people))))
    present = states[IN_REGISTRY]
    lines = [
        f"the truth          {present:,} of the {len(rosters.people):,} are in the registry; "
        f"{states[TOO_LATE]:,} joined after its date and cannot be; {states[ABSENT]:,} are missing there",
    ]
    if net is not None:
        _, low, high = net
        holds = "holds" if low <= present <= high else "does not hold"
        lines.append(f"the interval       {low:,.0f} to {high:,.0f} {holds} the truth of {present:,}")
    return lines
