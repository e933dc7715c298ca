"""The exchange step by step: three parties with a folder each. `pprl next FOLDER` always says what is due."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pprl.cli import options
from pprl.cli.options import F
from pprl.cli.risk import summary
from pprl.core import container
from pprl.core.errors import FileError, ForgedError, OrderError, RefusedError

if TYPE_CHECKING:
    from pprl.cli.match import Engine
    from pprl.exchange.folder import Matter
    from pprl.exchange.parties.resubmission import Sent
    from pprl.exchange.protocol.agreement import Proposal
    from pprl.exchange.protocol.cards import Role

CARD_DAYS, AGREEMENT_DAYS = 365, 90
PROPOSED: dict[str, Any] = {"list_people": (20, 10_000), "registry_rows": (1_000, 20_000_000)}
ROLE_WORDS = ("list", "registry", "unit", "auditor")


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
        field, equals, labels = value.partition("=")
        told = tuple(label.strip() for label in labels.split(",") if label.strip())
        if not equals or not told:
            self.fail("write it as FIELD=A,B,C", param, ctx)
        return field.strip(), told


def passphrase(path: Path | None, *, new: bool = False) -> str:
    """From a file or the keyboard; never from an argument or the environment."""
    if path == container.STANDARD and sys.stdin.isatty():
        raise FileError("a passphrase would be seen while it is typed", hint="leave --passphrase-file out to be asked")
    if path is None:
        if not sys.stdin.isatty():
            raise FileError(
                "a passphrase is needed and there is no terminal to ask on", hint="--passphrase-file FILE, mode 0600"
            )
        return str(click.prompt("passphrase", hide_input=True, confirmation_prompt=new, err=True))
    try:
        text = container.data_of(path, 1 << 16).decode("utf-8")
        if path != container.STANDARD:
            container.refuse_shared(path)
    except (OSError, UnicodeDecodeError):
        raise FileError("the passphrase file cannot be read", hint="a text file with one line, mode 0600") from None
    return text.split("\n")[0].rstrip("\r")


def unlock(folder: Path, passphrase_file: Path | None) -> Matter:
    from pprl.exchange import keystore
    from pprl.exchange.folder import open_matter

    if not (folder / keystore.NAME).exists():
        raise FileError(
            f"{container.called(folder)}: holds no keystore", hint="make a card in it first: pprl card FOLDER"
        )
    return open_matter(folder, passphrase(passphrase_file))


@click.command(
    short_help="Begin a matter: make your keys and your card.",
    epilog="""\b
Examples:
  pprl card alfa --role list --matter division-2022 --name "Newsroom Alfa"
  pprl card bravo --role registry --matter division-2022 --name "Bravo"
  pprl card unit --role unit --matter division-2022 --name "University"
""",
)
@click.argument("folder", type=options.Named)
@click.option("--role", type=click.Choice(ROLE_WORDS), required=True, help="What you are in this matter.")
@click.option("--matter", required=True, help="One word for the matter, the same for all: small letters, digits, -.")
@click.option("--name", required=True, help="Your name as the others shall read it.")
@click.option("--expires", type=Day(), help=f"Last day of the card; by default in {CARD_DAYS} days.")
@passphrase_option
def card(
    folder: Path, role: Role, matter: str, name: str, expires: datetime.date | None, passphrase_file: Path | None
) -> None:
    """Make FOLDER with a keystore, which stays with you, and a card, which goes to the others.

    Keys are made anew for every matter. Whoever has the keystore and its passphrase can act as you.
    """
    from pprl.cli.output import all_or_none, make_folder
    from pprl.exchange import keystore
    from pprl.exchange.next_step import send_lines
    from pprl.exchange.protocol.cards import Card

    path = folder / keystore.NAME
    public = folder / f"{role}-1-card.pprl"
    if path.exists():
        raise OrderError(
            f"{container.called(folder)}: has a keystore already", hint="pprl next FOLDER says what is due"
        )
    secret = passphrase(passphrase_file, new=True)
    keystore.refuse_short(secret)
    made = keystore.Keystore.make(role, matter, secret)
    day = expires or datetime.date.today() + datetime.timedelta(CARD_DAYS)
    if day < datetime.date.today():
        raise RefusedError("the card would have expired already", hint="--expires takes a day to come")
    own = Card.make(role, matter, name, day, made.keys)
    with all_or_none(path, public, folder):
        make_folder(folder)
        made.write(path)
        container.write_new(public, [own.statement.to_bytes()])
    click.echo(f"{container.called(folder)}: made, with a keystore that stays here and opens with your passphrase only")
    for line in send_lines(folder, (public.name,)):
        click.echo(line)
    click.echo("put the cards of the others into the same folder; then, on a call with them: " + f"pprl agree {folder}")


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
    "--words-file", type=options.FilePath, help="The words you heard, a line for each: `registry: word word …`."
)
@click.option("--accept", metavar="CODE", help="Sign the terms whose code this is, without being asked.")
@click.option("--schema", "schema_path", type=options.FilePath, help="Propose: what is compared and how (TOML).")
@click.option("--expires", type=Day(), help=f"Propose: last day of the agreement; by default in {AGREEMENT_DAYS} days.")
@click.option(
    "--list-people",
    type=(int, int),
    default=PROPOSED["list_people"],
    show_default=True,
    help="Propose: least and most.",
)
@click.option(
    "--registry-rows",
    type=(int, int),
    default=PROPOSED["registry_rows"],
    show_default=True,
    help="Propose: least and most.",
)
@click.option("--labels", type=Labels(), multiple=True, metavar="FIELD=A,B,C", help="Propose: the strata told apart.")
@click.option("--pairs/--no-pairs", default=True, help="Propose: the list owner learns which rows matched, or not.")
@click.option("--earlier-runs", type=click.IntRange(0), default=0, help="Propose: runs between the two before.")
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
    **wanted: Any,
) -> None:
    """Do what is due in FOLDER until owners and linkage unit have agreed: compare words, propose, accept, sign.

    On a call with both others you read your ten words aloud and type theirs. Then the list owner
    proposes the terms, the registry owner accepts them, and when both have committed to
    their rosters the linkage unit signs.
    """
    from pprl.exchange.protocol.cards import order

    matter = unlock(folder, passphrase_file)
    order(matter.cards)  # all there, of one matter
    if not matter.heard:
        matter = compare_words(matter, words_file)
        if matter.role != "list" or schema_path is None:
            return show_turn(matter)
    if matter.role == "list":
        return propose(matter, schema_path, wanted)
    if matter.role == "registry":
        return accept_terms(matter, accept)
    if matter.role == "auditor":  # he agrees to nothing
        return show_turn(matter)
    return sign_receipt(matter, accept)


def compare_words(matter: Matter, words_file: Path | None) -> Matter:
    """Show our words, take those of the others, and remember that they were heard."""
    from pprl.exchange.folder import read_matter
    from pprl.exchange.protocol.cards import TITLES, check_heard, digest_of, words_of

    words = words_of(matter.cards)
    others = [role for role in words if role != matter.role]
    click.echo("call the others, all at once or one after the other, in a way in which you know their voices or faces")
    click.echo(f"read aloud:  {' '.join(words[matter.role])}")
    typed = _heard_file(words_file) if words_file else {}
    for role in others:
        name = f"{matter.cards[role].name} ({TITLES[role]})"
        if role not in typed:
            if not sys.stdin.isatty() or words_file:
                raise FileError(
                    f"the words of {name} are needed",
                    hint=f"--words-file FILE with a line `{role}: word word …`, the ten words that you heard",
                )
            typed[role] = click.prompt(f"type the ten words that {name} reads aloud", err=True)
        check_heard(typed[role], words[role], role)
        click.echo(f"the words of {name} are right")
    heard = {role: digest_of(matter.cards).hex() for role in others}
    matter.save(matter.keystore.holding(heard=heard))
    return read_matter(matter.folder, matter.keystore.holding(heard=heard))


def _heard_file(path: Path) -> dict[Role, str]:
    try:
        lines = container.data_of(path, 1 << 16).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FileError("the file of words cannot be read", hint="lines such as `registry: word word …`") from None
    told: dict[Role, str] = {}
    for line in filter(str.strip, lines):
        role, colon, words = line.partition(":")
        known = next((word for word in ROLE_WORDS if word == role.strip().lower()), None)
        if not colon or known is None:
            raise FileError("the file of words has a line that begins with no role", hint="`registry: word word …`")
        told[known] = words  # type: ignore[index]
    return told


def propose(matter: Matter, schema_path: Path | None, wanted: dict[str, Any]) -> None:
    """The list owner's side: propose, or take the acceptance in."""
    from pprl.core.schema_file import load_schema
    from pprl.exchange.linkage_key import conclude
    from pprl.exchange.linkage_key import propose as make
    from pprl.exchange.parties.owner import terms_of

    if matter.agreement is not None and schema_path is None:
        if "linkage_key" in matter.keystore.state:
            return show_turn(matter)
        matter.save(conclude(matter.keystore, matter.agreement))
        click.echo("the terms are agreed, and the linkage key is in your keystore")
        return show_turn(matter)
    if schema_path is None:
        raise OrderError(
            "there is no acceptance in the folder yet" if matter.proposal else "nothing is proposed yet",
            hint="put registry-2-acceptance.pprl into the folder"
            if matter.proposal
            else "pprl agree FOLDER --schema S",
        )
    if matter.list_rows is not None:
        raise OrderError(
            "you have committed to a list under the present agreement",
            hint="a new agreement needs a new folder: pprl card, with a new word for the matter",
        )
    expires = wanted.get("expires") or datetime.date.today() + datetime.timedelta(AGREEMENT_DAYS)
    terms = terms_of(load_schema(schema_path), **{**PROPOSED, **wanted, "expires": expires})
    terms.refuse_expired(datetime.date.today())
    refuse_outliving(matter, expires)
    statement, keystore = make(matter.keystore, matter.cards, terms)
    path = matter.folder / "list-2-proposal.pprl"
    matter.save(keystore)
    container.write_new(path, [statement.to_bytes()], force=True)
    for line in terms.lines(matter.cards):
        click.echo(f"  {line}")
    click.echo(f"{path.name}: proposed, code {statement.hash.hex()[:8]}")
    return show_turn(reread(matter, keystore))


def refuse_outliving(matter: Matter, expires: datetime.date) -> None:
    first = min(card.expires for card in matter.cards.values())
    if expires > first:
        raise RefusedError(
            f"the agreement would outlive a card, which expires on {first}", hint=f"--expires {first}, or new cards"
        )


def reread(matter: Matter, keystore: Any = None) -> Matter:
    from pprl.exchange.folder import read_matter

    return read_matter(matter.folder, keystore or matter.keystore)


def accept_terms(matter: Matter, code: str | None) -> None:
    """The registry owner's side."""
    from pprl.exchange.linkage_key import accept as make
    from pprl.exchange.parties.owner import schema_of

    if matter.agreement is not None:
        return show_turn(matter)
    if matter.proposal is None:
        raise OrderError("the proposal of the list owner has not come", hint="put list-2-proposal.pprl into the folder")
    schema = schema_of(matter.proposal.terms)
    decide(matter, matter.proposal, code)
    agreement, keystore = make(matter.keystore, matter.cards, matter.proposal)
    path = matter.folder / "registry-2-acceptance.pprl"
    matter.save(keystore)  # first: an acceptance without its key would be worth nothing, and looks done
    container.write_new(path, [agreement.acceptance.to_bytes()], force=True)
    write_schema(matter, schema)
    click.echo(f"{path.name}: you have accepted the terms, and the linkage key is in your keystore")
    return show_turn(reread(matter, keystore))


def write_schema(matter: Matter, schema: Any) -> None:
    """The agreed schema beside the rest, for `pprl check`."""
    from pprl.core.schema_file import to_toml

    path = matter.folder / "schema.toml"
    if not path.exists():
        container.write_new(path, [to_toml(schema).encode()])
        click.echo(
            f"{path.name}: what is compared; try your roster: pprl check ROSTER --schema {matter.folder}/{path.name}"
        )


def sign_receipt(matter: Matter, code: str | None) -> None:
    """The linkage unit's side."""
    from pprl.exchange.parties.linkage_unit import sign_receipt as make

    if matter.role != "unit" or matter.receipt is not None:
        return show_turn(matter)
    receipt = make(matter)  # before anybody is asked: is everything there?
    assert matter.proposal is not None
    assert matter.list_package is not None
    decide(matter, matter.proposal, code)
    path = matter.folder / "unit-2-receipt.pprl"
    container.write_new(path, [receipt.to_bytes(), matter.list_package.statement.to_bytes()])
    click.echo(f"{path.name}: you have signed the terms and for what both owners committed to")
    return show_turn(reread(matter))


def decide(matter: Matter, proposal: Proposal, code: str | None) -> None:
    """Show the terms and take the code that stands below them: nobody signs what he has not seen."""
    proposal.terms.refuse_expired(datetime.date.today())
    refuse_outliving(matter, proposal.terms.expires)
    click.echo("the terms:")
    for line in proposal.terms.lines(matter.cards):
        click.echo(f"  {line}")
    click.echo(f"code             {proposal.code}")
    if code is None:
        if not sys.stdin.isatty():
            raise OrderError(
                "nothing is signed yet",
                hint=f"if you agree: pprl agree {container.called(matter.folder)} --accept {proposal.code}",
            )
        code = click.prompt("type the code if you agree", err=True)
    if code.strip().lower() != proposal.code:
        raise ForgedError("this is not the code of these terms; nothing is signed", hint="read the terms again")


def show_turn(matter: Matter) -> None:
    """What goes to whom, and whose turn it is."""
    from pprl.exchange.next_step import send_lines, turn_of

    turn = turn_of(matter)
    for line in send_lines(matter.folder, turn.send, auditor="auditor" in matter.cards):
        click.echo(line)
    click.echo(f"next: {turn.what}" + (f" — {turn.command}" if turn.command else ""))


@click.command(
    "next",
    short_help="What is due in a matter: do it, or say who must.",
    epilog="\b\nExample:\n  pprl next alfa",
)
@click.argument("folder", type=options.Named)
@options.threads_option
@options.language_option
@passphrase_option
def next_step(folder: Path, threads: int | None, language: str, passphrase_file: Path | None) -> None:
    """Say whose turn it is in the matter of FOLDER and which file goes to whom; do the step that needs nothing of you.

    Sealing, comparing, acknowledging, judging and unpacking the result are done at once. What needs your
    roster, your ears or your consent is named with the command to type.
    """
    from pprl.exchange.next_step import turn_of

    matter = unlock(folder, passphrase_file)
    if matter.role == "list" and matter.agreement is not None and "linkage_key" not in matter.keystore.state:
        return propose(matter, None, {})
    match turn_of(matter).alone:
        case "seal":
            return seal_package(matter)
        case "match":
            from pprl.cli.match import Engine

            return match_folder(matter, Engine(threads=threads, resume=True))
        case "acknowledge":
            return acknowledge_scores(matter)
        case "judge":
            return judge_folder(matter)
        case "result":
            return receive_result(matter, language)
        case "transcript":
            return seal_for_auditor(matter)
        case _:
            return show_turn(matter)


def encode_for_agreement(
    matter: Matter,
    roster: Path | None,
    *,
    more_lists: tuple[Path, ...] = (),
    column: tuple[tuple[str, str], ...] = (),
    columns_path: Path | None = None,
    sheet: str | None = None,
    any_age: bool = False,
    control: Path | None = None,
    id_header: str | None = None,
    schema_path: Path | None = None,
    sent_before: bool = False,
    record: Sent | None = None,
) -> None:
    """`pprl encode --agreement`: the step of an owner that is due."""
    from pprl.cli.progress import reading
    from pprl.core.schema_file import load_schema, to_toml
    from pprl.exchange.linkage_key import conclude
    from pprl.exchange.parties.owner import commit_list, commit_registry, schema_of, step_due
    from pprl.exchange.parties.resubmission import Hashes, together
    from pprl.exchange.parties.resubmission import Sent as AtHome
    from pprl.roster.load import WatchedParts, load
    from pprl.roster.paths import look_at
    from pprl.roster.streaming import people_in_parts

    if matter.role == "list" and matter.agreement is not None:
        keystore = conclude(matter.keystore, matter.agreement)
        if keystore is not matter.keystore:
            matter.save(keystore)
            matter = reread(matter, keystore)
    step = step_due(matter)
    if step == "seal":
        return seal_package(matter)
    agreement = matter.ready()
    schema = schema_of(agreement.terms)
    if schema_path and to_toml(load_schema(schema_path)) != agreement.terms.schema_text:
        raise RefusedError("this is not the schema of the agreement", hint="leave --schema out: the agreement has it")
    if roster is None:
        raise click.UsageError("name the roster: pprl encode ROSTER --agreement FOLDER")
    if matter.role == "registry" and (more_lists or control or id_header):
        raise click.UsageError("--list, --control and --id are for a list, and this is the registry owner's folder")
    look_at({matter.role: [roster, *more_lists], "control": [control]})
    sent = record or AtHome.at_home()
    told: list[Hashes] = []
    columns = options.columns(column, columns_path)
    if matter.role == "registry":
        parts = people_in_parts(
            roster, schema, "registry", columns=columns, sheet=sheet, any_age=any_age, note=options.note
        )
        watched = WatchedParts(sent.hashes(parts, schema, told), schema)
        with reading() as progress:
            statement = commit_registry(matter, watched, progress=progress)
        for text in watched.warnings("registry"):
            options.note(f"warning: {text}")
        name, bundle = "registry-3-commitment.pprl", [statement]
        looked_at = watched.first
    else:
        loaded = load(
            (roster, *more_lists),
            schema,
            "list",
            columns=columns,
            sheet=sheet,
            any_age=any_age,
            id_header=id_header,
            note=options.note,
        )
        for text in loaded.warnings:
            options.note(f"warning: {text}")
        controls = None
        if control:
            controls = load(control, schema, "control", columns=columns, any_age=any_age, note=options.note).people
        list(sent.hashes([loaded.people], schema, told))
        statement, unused = commit_list(matter, loaded.people, controls=controls)
        for text in unused:
            options.note(f"warning: {text}")
        name, bundle = "list-4-commitment.pprl", [statement]
        looked_at = loaded.people
        if step == "rows":
            signed = [agreement.proposal.statement.detached(), agreement.acceptance.detached()]
            name, bundle = "list-3-commitment.pprl", [*signed, statement]
    if step == "rows":
        rows = together(told)
        if not sent_before:
            sent.refuse_nearly_sent(rows, agreement.hash)
        other = matter.cards["registry" if matter.role == "list" else "list"].name
        sent.remember(rows, agreement.hash, matter.keystore.matter, other)
    container.write_new(matter.folder / name, [each.to_bytes() for each in bundle])
    click.echo(f"{name}: you have committed to your {matter.role}; nobody can read it from this file")
    if step == "rows" and looked_at is not None:
        click.echo("\n".join(summary(looked_at, schema)))
    if (matter.role, step) == ("list", "rows"):
        click.echo("keep the roster as it is: the next step reads it again")
    return show_turn(reread(matter))


def seal_package(matter: Matter) -> None:
    from pprl.exchange.parties.owner import seal

    path = seal(matter)
    click.echo(f"{path.name}: sealed, only the linkage unit can open it; he learns similarities, and no name")
    return show_turn(reread(matter))


def match_folder(matter: Matter, engine: Engine) -> None:
    from pprl.cli.progress import searching
    from pprl.exchange.parties.linkage_unit import headers_of, match_packages, publish, write_table
    from pprl.exchange.protocol.crypto import digest
    from pprl.match.checkpoint import Checkpoint
    from pprl.match.kernel import notes

    if publish(matter):
        click.echo("the scores were signed already, in a run that did not end")
        return show_turn(reread(matter))
    checkpoint = Checkpoint(
        matter.folder / "PRIVATE-match.checkpoint", lambda: digest(*(each.hash for each in headers_of(matter)))
    )
    with engine.finding(checkpoint) as find:
        table, query, scores = match_packages(matter, find=find, searching=searching)
    write_table(matter, table, query)
    checkpoint.remove()
    for text in notes():
        options.note(text)
    click.echo(
        f"the scores of {len(scores):,} rows of the list against {scores.registry_encoded:,} of the registry are "
        "signed; they stay here until the labels are opened"
    )
    return show_turn(reread(matter))


def acknowledge_scores(matter: Matter) -> None:
    from pprl.exchange.parties.owner import acknowledge

    path = matter.folder / "registry-5-acknowledgement.pprl"
    container.write_new(path, [acknowledge(matter).to_bytes()])
    click.echo(f"{path.name}: you have acknowledged the scores; only now may the labels be opened")
    return show_turn(reread(matter))


@click.command(
    short_help="The list owner says which rows are made up.",
    epilog="\b\nExample:\n  pprl reveal alfa",
)
@click.argument("folder", type=options.Named)
@passphrase_option
def reveal(folder: Path, passphrase_file: Path | None) -> None:
    """Open the labels of the list in the matter of FOLDER, for the linkage unit: which rows are made up, their strata.

    The scores are signed by then, and nobody can choose any more. Names stay where they are.
    """
    reveal_labels(unlock(folder, passphrase_file))


def reveal_labels(matter: Matter) -> None:
    from pprl.exchange.parties.owner import reveal as make

    labels, answers = make(matter)
    acknowledgement = matter.ending.acknowledgement
    assert acknowledgement is not None
    path = matter.folder / "list-6-reveal.pprl"
    container.write_new(path, [each.to_bytes() for each in (acknowledgement, labels, answers)], private=True)
    click.echo(f"{path.name}: which rows are made up, and what your list says where it was asked")
    return show_turn(reread(matter))


def judge_folder(matter: Matter) -> None:
    from pprl.cli.output import summary
    from pprl.exchange.parties.linkage_unit import judge_matter, publish_result, write_judgement

    if publish_result(matter):
        click.echo("judged already, in a run that did not end")
        return show_turn(reread(matter))
    judgement = judge_matter(matter)
    write_judgement(matter, judgement)
    for text in filter(lambda text: " " in text, judgement.figures.audit["warnings"]):  # codes are for the report
        options.note(f"warning: {text}")
    click.echo("\n".join(summary(judgement.figures)))
    click.echo("these figures are exact, and yours alone; the owners get the disclosed ones")
    return show_turn(reread(matter))


def receive_result(matter: Matter, language: str = "en") -> None:
    """The report as the owner reads it, and what was released to him."""
    import csv
    import io
    import json

    from pprl.cli.output import make_folder
    from pprl.exchange.next_step import PAGE, RESULT
    from pprl.exchange.parties.owner import open_release
    from pprl.report import render
    from pprl.report.record import load

    result = matter.ending.result
    assert result is not None
    folder = matter.folder / RESULT
    page = render(load(result.attachment), language)
    outputs = {}
    if matter.role == "list" and matter.ending.release is not None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("list_row", "list_id", "pair"), *open_release(matter)])
        outputs["PRIVATE-pairs.csv"] = text.getvalue().encode()
    outputs |= {"report.json": result.attachment, PAGE: page.encode()}  # the page last: it says that all is there
    make_folder(folder)
    for name, data in outputs.items():
        container.write_new(folder / name, [data], private=name.startswith("PRIVATE"), force=True)
    net = json.loads(result.attachment)["headline"]["net_found"]
    click.echo(f"net found          {net['value']}, 95 % interval {net['low']} to {net['high']} (as disclosed)")
    for name in outputs:
        what = "which of your rows matched; it stays with you" if name.startswith("PRIVATE") else "may be published"
        click.echo(f"{container.called(matter.folder)}/{RESULT}/{name}: {what}")
    return show_turn(matter)


@click.command(
    short_help="Put together what an auditor checks.",
    epilog="""\b
Examples:
  pprl transcript unit -o auditor      the linkage unit: a folder for any auditor
  pprl transcript unit                 the same, sealed for the auditor of the matter
  pprl transcript auditor -o files     he unpacks what was sealed for him
""",
)
@click.argument("folder", type=options.Named)
@click.option("-o", "--output", type=options.NewFile(), help="The folder to make, with the files in clear.")
@passphrase_option
def transcript(folder: Path, output: Path | None, passphrase_file: Path | None) -> None:
    """Put together all that was said in the matter of FOLDER, with scores, labels and evidence, for the auditor.

    It holds no name, no key, no encoding. It does hold near misses: hand it to nobody but the auditor.
    Where he had a card from the beginning it is sealed for him.
    """
    matter = unlock(folder, passphrase_file)
    if output is not None:
        return write_transcript(matter, output)
    if matter.role == "auditor":
        raise OrderError("it is sealed for you already", hint="pprl verify FOLDER checks it; -o FOLDER unpacks it")
    return seal_for_auditor(matter)


def seal_for_auditor(matter: Matter) -> None:
    from pprl.exchange.next_step import TRANSCRIPT
    from pprl.exchange.parties.auditor import seal_transcript

    container.write_new(matter.folder / TRANSCRIPT, [seal_transcript(matter).to_bytes()])
    return show_turn(matter)


def write_transcript(matter: Matter, output: Path) -> None:
    from pprl.cli.output import all_or_none, make_folder
    from pprl.exchange.parties.auditor import open_transcript, transcript_of

    told = open_transcript(matter) if matter.role == "auditor" else transcript_of(matter)
    if output.exists():
        raise FileError(f"{output.name}: exists already", hint="choose another name")
    with all_or_none(*(output / name for name in told), output):
        make_folder(output)
        for name, data in told.items():
            container.write_new(output / name, [data], private=True)
    click.echo(f"{output.name}: {len(told)} files for the auditor, and for nobody else: they hold near misses")
    if matter.role == "unit":
        click.echo("tell him on a call the ten words of each party; then: " + f"pprl verify {output} --words-file FILE")


@click.command(
    short_help="Check an exchange and every figure of it again.",
    epilog="\b\nExample:\n  pprl verify auditor --words-file heard-on-the-phone.txt",
)
@click.argument("folder", type=options.Named)
@click.option("--words-file", type=options.FilePath, help="The words you were told, lines such as `list: word word …`.")
@passphrase_option
def verify(folder: Path, words_file: Path | None, passphrase_file: Path | None) -> int:
    """Check what an auditor was given: signatures, order, openings, and every figure of the report again.

    FOLDER is what `pprl transcript` made, or an auditor's own folder of the matter, in which he has a card and
    a sealed transcript. Without the words it can only be told that the files are consistent in themselves,
    not who made them: exit status 1.
    """
    from pprl.exchange.keystore import NAME
    from pprl.exchange.parties.auditor import open_transcript, verify_files, verify_folder

    heard = _heard_file(words_file) if words_file else {}
    own = None
    if (folder / NAME).exists():
        if not any(container.kind_of(path) == b"pprl-trn" for path in folder.iterdir() if path.is_file()):
            raise FileError(
                f"{container.called(folder)}: no transcript is here", hint="the linkage unit makes one: pprl transcript"
            )
        own = unlock(folder, passphrase_file)
    told = verify_files(open_transcript(own), heard, own.cards) if own else verify_folder(folder, heard)
    for line in told:
        click.echo(line)
    if heard or own:
        click.echo("verified: these parties said this, in this order, and the figures follow from it")
        return 0
    click.echo("consistent in itself; origin not checked: anybody could have made such a folder (--words-file)")
    return 1


@click.command(
    short_help="End a matter: remove its keys.",
    epilog="\b\nExample:\n  pprl destroy alfa",
)
@click.argument("folder", type=options.Named)
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(folder: Path, yes: bool) -> None:
    """Remove the keystore of FOLDER and what is PRIVATE beside it, and say what survives.

    Pairs that were released to you stay, in the folder of the result.
    """
    from pprl.exchange import keystore

    if not (folder / keystore.NAME).exists():
        raise FileError(f"{container.called(folder)}: holds no keystore", hint="is it gone already?")
    gone = sorted(path for path in folder.iterdir() if path.is_file() and "PRIVATE-" in path.name)
    if not yes:
        if not sys.stdin.isatty():
            raise RefusedError("nothing is removed unasked", hint="pprl destroy FOLDER --yes")
        click.confirm(f"remove {len(gone)} private files of {container.called(folder)} for good?", abort=True, err=True)
    for path in gone:
        path.unlink()
        click.echo(f"{path.name}: removed")
    for line in SURVIVORS:
        click.echo(line)


SURVIVORS = (
    "what survives, and what nobody can do any more:",
    "- copies on this disk (an SSD keeps what it overwrites), in backups, in messengers, in swap",
    "- the other owner still holds the linkage key; the linkage unit's keystore still opens both packages",
    "- whether the others destroy theirs, you have their word for, and nothing else",
    "- the run cannot be examined again from here; an auditor's folder stays as it is",
)
