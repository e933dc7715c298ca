"""The exchange step by step: three parties with a folder each. `pprl next FOLDER` always says what is due."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pprl.cli import options
from pprl.cli.options import F
from pprl.cli.risk import summary
from pprl.core import container
from pprl.core.errors import FileError, OrderError, RefusedError
from pprl.core.memory import forbid_dumps
from pprl.roster.files.paths import look_at

if TYPE_CHECKING:
    from pprl.cli.engine import Engine
    from pprl.exchange.parties.linkage_unit import LinkageUnit
    from pprl.exchange.parties.list_owner import ListOwner
    from pprl.exchange.parties.owners import Owner
    from pprl.exchange.parties.party import Party
    from pprl.exchange.parties.registry_owner import RegistryOwner
    from pprl.exchange.protocol.agreement import Proposal
    from pprl.exchange.protocol.roles import Role
    from pprl.normalize.dates import Order
    from pprl.roster.people import People
    from pprl.roster.streaming import PeopleInParts

P = TypeVar("P", bound="Party")
ROLE_WORDS: tuple[Role, ...] = ("list", "registry", "unit", "auditor")


def passphrase_option(command: F) -> F:
    return click.option(
        "--passphrase-file",
        type=options.FilePath,
        help="Read the passphrase from a file that only you can read (- for standard input), instead of asking for it.",
    )(command)


class Day(click.ParamType[datetime.date]):
    """A day: 2027-03-31."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        try:
            return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(value)
        except ValueError:
            self.fail("write a day as 2027-03-31", param, ctx)


class Labels(click.ParamType[tuple[str, tuple[str, ...]]]):
    """FIELD=A,B,C."""

    name = "FIELD=A,B,C"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        field, equals, text = value.partition("=")
        labels = tuple(label.strip() for label in text.split(",") if label.strip())
        if not equals or not labels:
            self.fail("write it as FIELD=A,B,C", param, ctx)
        return field.strip(), labels


def passphrase(path: Path | None, *, new: bool = False) -> str:
    """From a file or the keyboard; never from an argument or the environment."""
    forbid_dumps()
    if path == container.STANDARD and sys.stdin.isatty():
        raise FileError("a passphrase would be visible while you type it", hint="leave out --passphrase-file")
    if path is None:
        if not sys.stdin.isatty():
            raise FileError(
                "a passphrase is needed, and there is no terminal to ask on", hint="--passphrase-file FILE, mode 0600"
            )
        return str(click.prompt("passphrase", hide_input=True, confirmation_prompt=new, err=True))
    try:
        text = container.data_of(path, 1 << 16).decode("utf-8")
        if path != container.STANDARD:
            container.refuse_shared(path)
    except (OSError, UnicodeDecodeError):
        raise FileError("the passphrase file cannot be read", hint="a text file with one line, mode 0600") from None
    return text.split("\n")[0].rstrip("\r")


def require_keystore(folder: Path) -> None:
    """FileError: the folder has no keystore; checked before the passphrase is asked for."""
    from pprl.exchange import keystore
    from pprl.exchange.folder import no_keystore

    if not (folder / keystore.NAME).exists():
        raise no_keystore(folder)


def unlock(folder: Path, passphrase_file: Path | None) -> Party:
    """The party whose folder this is."""
    from pprl.exchange.parties import open_party

    require_keystore(folder)
    return open_party(folder, passphrase(passphrase_file))


def unlock_as(party: type[P], folder: Path, passphrase_file: Path | None) -> P:
    """OrderError: the folder is another party's."""
    require_keystore(folder)
    return party.open(folder, passphrase(passphrase_file))


def show(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


def show_step(party: Party) -> None:
    """What goes to whom, and what is due."""
    from pprl.exchange.next_step import step_lines

    show(step_lines(party.read()))


@click.command(
    short_help="Begin an exchange: make your keys and your card.",
    epilog="""\b
Examples:
  pprl card alfa --role list --exchange division-2022 --name "Newsroom Alfa"
  pprl card bravo --role registry --exchange division-2022 --name "Bravo"
  pprl card unit --role unit --exchange division-2022 --name "University"
""",
)
@click.argument("folder", type=options.Named)
@click.option("--role", type=click.Choice(ROLE_WORDS), required=True, help="What you are in this exchange.")
@click.option(
    "--exchange",
    required=True,
    metavar="WORD",
    help="One word for the exchange, the same for all parties: lower-case letters, digits and hyphens.",
)
@click.option("--name", required=True, help="Your name as the others will read it.")
@click.option("--expires", type=Day(), help="Last day of the card; by default in 365 days.")
@passphrase_option
def card(
    folder: Path, role: Role, exchange: str, name: str, expires: datetime.date | None, passphrase_file: Path | None
) -> None:
    """Make FOLDER with a keystore, which stays with you, and a card, which goes to the others.

    Every exchange has its own keys. Anyone with the keystore and its passphrase can act as you.
    """
    from pprl.exchange.next_step import send_lines
    from pprl.exchange.parties import class_of
    from pprl.exchange.parties.party import refuse_second_card

    refuse_second_card(folder)
    secret = passphrase(passphrase_file, new=True)
    party = class_of(role).create(folder, exchange=exchange, name=name, passphrase=secret, expires=expires)
    click.echo(f"{container.called(folder)}: made, with a keystore that stays here and opens only with your passphrase")
    show(send_lines(party.read(), party.next_step().send))
    click.echo(f"put the cards of the others into the same folder; then, on a call with them: pprl agree {folder}")


@click.command(
    short_help="Compare words, and agree on the terms.",
    epilog="""\b
Examples:
  pprl agree alfa                                  compare the words, on a call
  pprl agree alfa --schema schema.toml             the list owner proposes
  pprl agree bravo                                 the others read the terms, and accept
""",
)
@click.argument("folder", type=options.Named)
@click.option(
    "--words-file", type=options.FilePath, help="The words you heard, one line for each role: `registry: word word …`."
)
@click.option("--accept", metavar="CODE", help="Sign the terms that have this code, without being asked.")
@click.option("--schema", "schema_path", type=options.FilePath, help="Propose: what is compared and how (TOML).")
@click.option("--expires", type=Day(), help="Propose: last day of the agreement; by default in 90 days.")
@click.option(
    "--list-people",
    type=(int, int),
    help="Propose: how many people at least and at most; by default 20 to 10,000.",
)
@click.option(
    "--registry-rows",
    type=(int, int),
    help="Propose: how many rows at least and at most; by default 1,000 to as many as the parameter set protects.",
)
@click.option("--labels", type=Labels(), multiple=True, metavar="FIELD=A,B,C", help="Propose: the groups of a stratum.")
@click.option(
    "--pairs/--no-pairs", default=True, help="Propose: the list owner learns which of their rows matched, or not."
)
@click.option("--earlier-runs", type=click.IntRange(0), default=0, help="Propose: earlier runs between the two owners.")
@click.option(
    "--unit-is",
    type=click.Choice(["neither", "list", "registry"]),
    default="neither",
    help="Propose: say so if one of the owners is the linkage unit.",
)
@click.option("--plain", is_flag=True, help="Propose: allow a schema without hardening.")
@passphrase_option
def agree(
    folder: Path,
    words_file: Path | None,
    accept: str | None,
    schema_path: Path | None,
    passphrase_file: Path | None,
    labels: tuple[tuple[str, tuple[str, ...]], ...],
    **offer: Any,
) -> None:
    """Do what is due in FOLDER until the owners and the linkage unit have agreed: compare words, propose, accept, sign.

    On a call with the two others you read your ten words aloud and type theirs. Then the list owner
    proposes the terms, and the registry owner accepts them. When both have committed to
    their rosters, the linkage unit signs.
    """
    from pprl.exchange.protocol.cards import order

    party = unlock(folder, passphrase_file)
    state = party.read()
    order(state.cards)  # refuses cards that are missing or of different exchanges
    if not state.words_compared:
        compare_words(party, words_file)
        if party.role != "list" or schema_path is None:
            return show_step(party)
    if party.role == "list":
        return propose(as_list_owner(party), schema_path, {**offer, "labels": dict(labels)})
    if party.role == "registry" and state.agreement is None:
        return accept_terms(as_registry_owner(party), accept)
    if party.role == "unit" and state.receipt is None:
        return sign_receipt(as_linkage_unit(party), accept)
    return show_step(party)


def as_list_owner(party: Party) -> ListOwner:
    from pprl.exchange.parties.list_owner import ListOwner

    return ListOwner.open(party.path, party.lock)


def as_registry_owner(party: Party) -> RegistryOwner:
    from pprl.exchange.parties.registry_owner import RegistryOwner

    return RegistryOwner.open(party.path, party.lock)


def as_linkage_unit(party: Party) -> LinkageUnit:
    from pprl.exchange.parties.linkage_unit import LinkageUnit

    return LinkageUnit.open(party.path, party.lock)


def compare_words(party: Party, words_file: Path | None) -> None:
    """Show our words, and check those of the others as they are typed."""
    from pprl.exchange.protocol.cards import check_heard
    from pprl.exchange.protocol.roles import TITLES

    words, cards = party.words(), party.read().cards
    click.echo("call the others, together or one after the other, in a way that lets you know their voices or faces")
    click.echo(f"read aloud:  {' '.join(words[party.role])}")
    typed = read_words_file(words_file) if words_file else {}
    for role in words:
        if role == party.role:
            continue
        name = f"{cards[role].name} ({TITLES[role]})"
        if role not in typed:
            if not sys.stdin.isatty() or words_file:
                raise FileError(
                    f"the words of {name} are needed",
                    hint=f"--words-file FILE with a line `{role}: word word …`, the ten words that you heard",
                )
            typed[role] = click.prompt(f"type the ten words that {name} reads aloud", err=True)
        check_heard(typed[role], words[role], role)
        click.echo(f"the words of {name} are right")
    party.confirm_words(typed, words)


def read_words_file(path: Path) -> dict[Role, str]:
    try:
        lines = container.data_of(path, 1 << 16).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FileError("the file of words cannot be read", hint="lines such as `registry: word word …`") from None
    heard: dict[Role, str] = {}
    for line in filter(str.strip, lines):
        name, colon, words = line.partition(":")
        role = next((role for role in ROLE_WORDS if role == name.strip().lower()), None)
        if not colon or role is None:
            raise FileError("a line in the file of words does not begin with a role", hint="`registry: word word …`")
        heard[role] = words
    return heard


def propose(owner: ListOwner, schema_path: Path | None, offer: Mapping[str, Any]) -> None:
    """The list owner proposes terms, or takes the key from the acceptance."""
    from pprl.core.schema_file import load_schema
    from pprl.exchange.parties.list_owner import Offer
    from pprl.exchange.protocol.messages import PROPOSAL_FILE

    if schema_path is None:
        return conclude(owner)
    proposal = owner.propose(load_schema(schema_path), Offer(**offer))
    show([f"  {line}" for line in proposal.terms.lines(owner.read().cards)])
    click.echo(f"{PROPOSAL_FILE.name}: proposed, code {proposal.code}")
    return show_step(owner)


def conclude(owner: ListOwner) -> None:
    if owner.conclude():
        click.echo("the terms are agreed, and the linkage key is in your keystore")
    show_step(owner)


def accept_terms(owner: RegistryOwner, code: str | None) -> None:
    from pprl.exchange.parties.registry_owner import SCHEMA

    path = owner.accept(ask_for_code(owner, owner.terms_to_sign(), code))
    click.echo(f"{path.name}: you have accepted the terms, and the linkage key is in your keystore")
    click.echo(f"{SCHEMA}: what is compared; to try your roster: pprl check ROSTER --schema {owner.path}/{SCHEMA}")
    show_step(owner)


def sign_receipt(unit: LinkageUnit, code: str | None) -> None:
    path = unit.sign_receipt(ask_for_code(unit, unit.terms_to_sign(), code))
    click.echo(f"{path.name}: you have signed the terms, and for what both owners committed to")
    show_step(unit)


def ask_for_code(party: Party, proposal: Proposal, code: str | None) -> str:
    """Show the terms, and ask for the code below them: nobody signs what they have not seen."""
    click.echo("the terms:")
    show([f"  {line}" for line in proposal.terms.lines(party.read().cards)])
    click.echo(f"code             {proposal.code}")
    if code is not None:
        return code
    if not sys.stdin.isatty():
        raise OrderError(
            "nothing is signed yet",
            hint=f"if you agree: pprl agree {container.called(party.path)} --accept {proposal.code}",
        )
    return str(click.prompt("type the code if you agree", err=True))


@click.command(
    "next",
    short_help="Do what is due in an exchange, or say who must.",
    epilog="\b\nExample:\n  pprl next alfa",
)
@click.argument("folder", type=options.Named)
@options.threads_option
@options.language_option
@passphrase_option
def next_step(folder: Path, threads: int | None, language: str, passphrase_file: Path | None) -> None:
    """Say what is due in FOLDER, who must do it and which file goes to whom; do it if it needs nothing from you.

    Sealing, comparing, acknowledging, judging and unpacking the result are done at once. For a step that needs your
    roster, your ears or your consent, the command to type is shown.
    """
    party = unlock(folder, passphrase_file)
    match party.next_step().automatic:
        case "conclude":
            conclude(as_list_owner(party))
        case "seal":
            seal_package(as_owner(party))
        case "match":
            from pprl.cli.engine import Engine

            match_packages(as_linkage_unit(party), Engine(threads=threads, resume=True))
        case "acknowledge":
            acknowledge_scores(as_registry_owner(party))
        case "judge":
            judge_scores(as_linkage_unit(party))
        case "receive result":
            receive_result(as_owner(party), language)
        case "seal transcript":
            seal_transcript(as_linkage_unit(party))
        case _:
            show_step(party)


def as_owner(party: Party) -> Owner:
    """OrderError: the folder is not an owner's."""
    from pprl.exchange.protocol.roles import TITLES

    if party.role == "list":
        return as_list_owner(party)
    if party.role == "registry":
        return as_registry_owner(party)
    raise OrderError(
        f"this is the folder of the {TITLES[party.role]}, who has no roster", hint="pprl next FOLDER says what is due"
    )


@click.command(
    "encode",
    epilog="""\b
Example:
  pprl encode leaked.csv --agreement alfa
""",
)
@click.argument("roster", type=options.FilePath, required=False)
@click.option("--agreement", "folder", type=options.Named, metavar="FOLDER", required=True, help="Your folder.")
@click.option(
    "--schema",
    "schema_path",
    type=options.FilePath,
    help="Not needed: the agreement has the schema. If given, it must be the same.",
)
@click.option(
    "--sent-before",
    is_flag=True,
    help="Send a roster although nearly the same rows went into another exchange: two answers reveal the difference.",
)
@options.roster_options
@options.control_option
@options.empty_option
@click.option("--id", "id_header", metavar="HEADER", help="Column whose text names the rows in the pairs.")
@passphrase_option
def encode_form(
    roster: Path | None,
    folder: Path,
    schema_path: Path | None,
    sent_before: bool,
    more_lists: tuple[Path, ...],
    column: tuple[tuple[str, str], ...],
    columns_path: Path | None,
    date_order: Order | None,
    sheet: str | None,
    any_age: bool,
    control: Path | None,
    allow_empty: bool,
    id_header: str | None,
    passphrase_file: Path | None,
) -> None:
    """Do the step that is due for the owner of ROSTER: commit to it, or seal its rows for the linkage unit.

    Schema, key and side come from the agreement. `pprl next FOLDER` says which step is due; sealing needs no ROSTER.
    """
    owner = as_owner(unlock(folder, passphrase_file))
    stage = owner.due()
    if stage == "seal":
        return seal_package(owner)
    schema = owner.schema()
    if schema_path:
        refuse_other_schema(owner, schema_path)
    if roster is None:
        raise click.UsageError("name the roster: pprl encode ROSTER --agreement FOLDER")
    look_at({owner.role: [roster, *more_lists], "control": [control]})
    from pprl.roster.empty_fields import refuse_empty, refuse_empty_parts

    columns = options.columns(column, columns_path, date_order)
    if owner.role == "registry":
        if more_lists or control or id_header:
            raise click.UsageError("--list, --control and --id are for a list, and this is the registry owner's folder")
        from pprl.roster.streaming import people_in_parts

        parts = people_in_parts(
            roster, schema, "registry", columns=columns, sheet=sheet, any_age=any_age, note=options.note
        )
        if not allow_empty:
            refuse_empty_parts(parts)
        path, people = commit_registry(as_registry_owner(owner), parts, sent_before=sent_before)
    else:
        from pprl.roster.load import load

        loaded = load(
            [roster, *more_lists],
            schema,
            "list",
            columns=columns,
            sheet=sheet,
            any_age=any_age,
            id_header=id_header,
            note=options.note,
        )
        options.note(loaded.counted(schema, "list"))
        if not allow_empty:
            refuse_empty(loaded, schema, "list")
        controls = None
        if control:
            absent = load(control, schema, "control", columns=columns, any_age=any_age, note=options.note)
            options.note(absent.counted(schema, "control"))
            controls = absent.people
        for text in loaded.warnings:
            options.note(f"warning: {text}")
        people = loaded.people
        path = as_list_owner(owner).commit(
            people,
            controls=controls,
            sent_before=sent_before,
            warn=lambda text: options.note(f"warning: {text}"),
        )
    click.echo(f"{path.name}: you have committed to your {owner.role}; nobody can read it from this file")
    if stage == "rows" and people is not None:
        show(summary(people, schema))
    if (owner.role, stage) == ("list", "rows"):
        click.echo("keep the roster as it is: the next step reads it again")
    return show_step(owner)


def refuse_other_schema(owner: Owner, schema_path: Path) -> None:
    from pprl.core.schema_file import load_schema, to_toml

    if to_toml(load_schema(schema_path)) != owner.read().ready().terms.schema_text:
        raise RefusedError("this is not the schema of the agreement", hint="leave out --schema: the agreement has it")


def commit_registry(owner: RegistryOwner, parts: PeopleInParts, *, sent_before: bool) -> tuple[Path, People | None]:
    """The file of the commitment, and the first part of the registry."""
    from pprl.cli.progress import reading
    from pprl.roster.load import WatchedParts

    watched = WatchedParts(parts, owner.schema())
    with reading() as progress:
        path = owner.commit(watched, sent_before=sent_before, progress=progress)
    options.note(watched.counted("registry"))
    for text in watched.warnings("registry"):
        options.note(f"warning: {text}")
    return path, watched.first


def seal_package(owner: Owner) -> None:
    path = owner.seal()
    click.echo(f"{path.name}: sealed; only the linkage unit can open it, and it learns similarities, not names")
    show_step(owner)


@click.command(
    "match",
    epilog="\b\nExample:\n  pprl match unit",
)
@click.argument("folder", type=options.Named)
@click.option("--resume", is_flag=True, help="Continue where an interrupted run stopped; a folder always does.")
@options.threads_option
@options.engine_options
@passphrase_option
def match_form(
    folder: Path,
    resume: bool,  # noqa: ARG001
    threads: int | None,
    engine: str,
    scheduler: str | None,
    passphrase_file: Path | None,
) -> None:
    """Compare the two sealed packages in the linkage unit's FOLDER, and sign the scores."""
    from pprl.cli.engine import engine_of
    from pprl.exchange.parties.linkage_unit import LinkageUnit

    search_engine = engine_of(engine, scheduler, threads, resume=True)
    match_packages(unlock_as(LinkageUnit, folder, passphrase_file), search_engine)


def match_packages(unit: LinkageUnit, engine: Engine) -> None:
    from pprl.cli.progress import searching
    from pprl.exchange.parties.linkage_unit import CHECKPOINT
    from pprl.match.checkpoint import Checkpoint
    from pprl.match.kernel import notes

    checkpoint = Checkpoint(unit.path / CHECKPOINT, unit.package_hash)
    with engine.finding(checkpoint) as find:
        scores = unit.match(find=find, searching=searching)
    if scores is None:
        click.echo("the scores were already signed, in a run that was interrupted")
        return show_step(unit)
    checkpoint.remove()
    for text in notes():
        options.note(text)
    click.echo(
        f"signed: the scores of {len(scores):,} rows of the list against {scores.registry_encoded:,} of the registry; "
        "they stay here until the labels are opened"
    )
    return show_step(unit)


def acknowledge_scores(owner: RegistryOwner) -> None:
    path = owner.acknowledge()
    click.echo(f"{path.name}: you have acknowledged the scores; only now may the labels be opened")
    show_step(owner)


@click.command(
    short_help="The list owner says which rows are synthetic.",
    epilog="\b\nExample:\n  pprl reveal alfa",
)
@click.argument("folder", type=options.Named)
@passphrase_option
def reveal(folder: Path, passphrase_file: Path | None) -> None:
    """Open the labels of the list in FOLDER for the linkage unit: which rows are synthetic, and their strata.

    The scores are signed by then, so nobody can change their choice. Names stay with you.
    """
    from pprl.exchange.parties.list_owner import ListOwner

    owner = unlock_as(ListOwner, folder, passphrase_file)
    path = owner.reveal()
    click.echo(f"{path.name}: which rows are synthetic, and what your list says where it was asked")
    show_step(owner)


@click.command(
    "judge",
    epilog="\b\nExample:\n  pprl judge unit",
)
@click.argument("folder", type=options.Named)
@passphrase_option
def judge_form(folder: Path, passphrase_file: Path | None) -> None:
    """Open the labels that the list owner revealed, in the linkage unit's FOLDER, and make the results for both
    owners."""
    from pprl.exchange.parties.linkage_unit import LinkageUnit

    judge_scores(unlock_as(LinkageUnit, folder, passphrase_file))


def judge_scores(unit: LinkageUnit) -> None:
    from pprl.cli.output import summary

    figures = unit.judge()
    if figures is None:
        click.echo("judged already, in a run that was interrupted")
        return show_step(unit)
    for text in filter(lambda text: " " in text, figures.audit["warnings"]):  # codes are for the report
        options.note(f"warning: {text}")
    show(summary(figures))
    click.echo("these figures are exact, and for you alone; the owners get the disclosed ones")
    return show_step(unit)


def published(report: Mapping[str, Any]) -> Iterator[str]:
    """What a report says first."""
    from pprl.report.text import Words

    net, words = report["headline"]["net_found"], Words("en")
    if net["value"] is not None:
        estimate = f"an estimated {net['value']} (95% interval {net['low']} to {net['high']}), as disclosed"
        yield f"true matches       {estimate}"
    found, at_most = report["headline"]["found"]["count"], report["headline"].get("false_at_most")
    if at_most is not None and at_most < found:
        yield f"false at most      {at_most} of {found}, with 95% confidence, as disclosed"
    yield f"verdict            {words('rung.' + report['verdict']['code'])}"


def receive_result(owner: Owner, language: str = "en") -> None:
    """The report as the owner reads it, and what was released to them."""
    paths = owner.receive_result(language=language)
    (report,) = (path for path in paths if path.name == "report.json")
    for line in published(json.loads(report.read_bytes())):
        click.echo(line)
    for path in paths:
        what = (
            "which of your rows matched; it stays with you" if path.name.startswith("PRIVATE") else "may be published"
        )
        click.echo(f"{container.called(owner.path)}/{path.parent.name}/{path.name}: {what}")
    show_step(owner)


@click.command(
    short_help="Put together what an auditor checks.",
    epilog="""\b
Examples:
  pprl transcript unit -o auditor      the linkage unit: a folder for any auditor
  pprl transcript unit                 the same, sealed for the auditor of the exchange
  pprl transcript auditor -o files     the auditor unpacks what was sealed for them
""",
)
@click.argument("folder", type=options.Named)
@click.option("-o", "--output", type=options.NewFile(), help="The folder to make, with the files unsealed.")
@passphrase_option
def transcript(folder: Path, output: Path | None, passphrase_file: Path | None) -> None:
    """Put together every statement of the exchange in FOLDER, with scores, labels and evidence, for the auditor.

    It holds no name, no key and no encoding. It does hold near misses: give it to nobody but the auditor.
    For an auditor who had a card from the beginning it is sealed.
    """
    from pprl.exchange.parties.auditor import Auditor

    party = unlock(folder, passphrase_file)
    if party.role == "auditor":
        if output is None:
            raise OrderError("it is sealed for you already", hint="pprl verify FOLDER checks it; -o FOLDER unpacks it")
        return show_transcript(output, Auditor.open(party.path, party.lock).write_transcript(output))
    unit = as_linkage_unit(party)
    if output is None:
        return seal_transcript(unit)
    show_transcript(output, unit.write_transcript(output))
    click.echo(f"tell them on a call the ten words of each party; then: pprl verify {output} --words-file FILE")
    return None


def show_transcript(output: Path, paths: list[Path]) -> None:
    click.echo(f"{output.name}: {len(paths)} files for the auditor, and for nobody else: they hold near misses")


def seal_transcript(unit: LinkageUnit) -> None:
    unit.seal_transcript()
    show_step(unit)


@click.command(
    short_help="Check an exchange and every figure of it again.",
    epilog="\b\nExample:\n  pprl verify auditor --words-file heard-on-the-phone.txt",
)
@click.argument("folder", type=options.Named)
@click.option(
    "--words-file",
    type=options.FilePath,
    help="The words that the parties read aloud to you, in lines such as `list: word word …`.",
)
@passphrase_option
def verify(folder: Path, words_file: Path | None, passphrase_file: Path | None) -> int:
    """Check what an auditor was given: signatures, order, openings, and every figure of the report again.

    FOLDER is what `pprl transcript` made, or the auditor's own folder of the exchange, with their card and
    a sealed transcript. Without the words, the check can only show that the files are consistent,
    not who made them: exit status 1.
    """
    from pprl.exchange.keystore import NAME
    from pprl.exchange.parties.auditor import Auditor, verify_folder

    heard = read_words_file(words_file) if words_file else {}
    sealed = (folder / NAME).exists()
    auditor = unlock_as(Auditor, folder, passphrase_file) if sealed else None
    for line in auditor.verify(heard) if auditor else verify_folder(folder, heard):
        click.echo(line)
    if heard or sealed:
        click.echo("verified: these parties signed this, in this order, and the figures follow from it")
        return 0
    click.echo("consistent, but the origin is not checked: anybody could have made such a folder (--words-file)")
    return 1


@click.command(
    short_help="End an exchange: remove its keys.",
    epilog="\b\nExample:\n  pprl destroy alfa",
)
@click.argument("folder", type=options.Named)
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(folder: Path, yes: bool) -> None:
    """Remove the keystore of FOLDER and every PRIVATE file beside it, and say what survives.

    Pairs that were released to you stay, in the folder of the result.
    """
    from pprl.exchange.folder import private_files

    files = private_files(folder)
    if not yes:
        if not sys.stdin.isatty():
            raise RefusedError("nothing is removed without asking", hint="pprl destroy FOLDER --yes")
        click.confirm(
            f"remove {len(files)} private files of {container.called(folder)} for good?", abort=True, err=True
        )
    for path in files:
        path.unlink()
        click.echo(f"{path.name}: removed")
    show(SURVIVORS)


SURVIVORS = (
    "what survives, and what nobody can do any more:",
    "- copies on this disk (an SSD keeps what it overwrites), in backups, in messengers, in swap",
    "- the other owner still holds the linkage key; the linkage unit's keystore still opens both packages",
    "- you have only the word of the others that they destroy their keys",
    "- the run cannot be examined again from here; an auditor's folder stays as it is",
)
