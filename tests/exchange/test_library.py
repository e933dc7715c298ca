"""An exchange in Python: everything that the commands do is one call of a party."""

import doctest
import inspect
import shutil

import click
import pytest
from helpers.exchange import CHEAP, rosters

import pprl.cli.exchange
import pprl.exchange.parties
from pprl.cli import main
from pprl.cli.exchange import agree
from pprl.core.errors import OrderError
from pprl.core.schema_file import load_schema
from pprl.demo import SCHEMA
from pprl.exchange.parties import open_party
from pprl.exchange.parties.auditor import Auditor, verify_folder
from pprl.exchange.parties.linkage_unit import LinkageUnit
from pprl.exchange.parties.list_owner import ListOwner, Offer
from pprl.exchange.parties.registry_owner import RegistryOwner
from pprl.exchange.protocol.messages import HAND_OVERS


def hand_over(*parties):
    folders = {party.role: party.path for party in parties}
    for file in HAND_OVERS:
        for reader in set(file.readers) & set(folders):
            if file.maker in folders and (folders[file.maker] / file.name).exists():
                shutil.copy(folders[file.maker] / file.name, folders[reader] / file.name)


def test_an_exchange_by_calls_of_the_library(tmp_path):
    rosters(tmp_path)
    schema = load_schema(tmp_path / "schema.toml")
    leaked, registry = tmp_path / "list.csv", tmp_path / "registry.csv"
    settings = {"exchange": "division-2022", "name": "Somebody", "passphrase": "wombat gherkin", "memory": CHEAP}
    alfa, bravo, unit, auditor = parties = [
        party.create(tmp_path / party.role, **settings) for party in (ListOwner, RegistryOwner, LinkageUnit, Auditor)
    ]

    def done(party, path):
        assert path.exists()
        hand_over(*parties)
        assert not party.next_step().automatic

    hand_over(*parties)
    words = alfa.words()
    for party in parties:
        party.confirm_words({role: " ".join(spoken) for role, spoken in words.items()})
    proposal = alfa.propose(schema, Offer(list_people=(20, 100)))
    hand_over(*parties)
    assert bravo.terms_to_sign().code == proposal.code
    done(bravo, bravo.accept(proposal.code))
    assert alfa.conclude()
    done(alfa, alfa.commit(leaked))
    done(bravo, bravo.commit(registry))
    done(alfa, alfa.commit(leaked))
    done(unit, unit.sign_receipt(unit.terms_to_sign().code))
    done(alfa, alfa.seal())
    done(bravo, bravo.seal())
    assert len(unit.match()) > 60
    hand_over(*parties)
    done(bravo, bravo.acknowledge())
    done(alfa, alfa.reveal())
    figures = unit.judge()
    hand_over(*parties)
    names = [path.name for path in alfa.receive_result()]
    assert names == ["PRIVATE-pairs.csv", "report.json", "report.html"]
    assert (tmp_path / "list" / "result" / "report.json").read_bytes() == figures.report_json()
    assert figures.found
    assert figures.record.headline.missed_match_basis == "assumed"  # no party has both rosters
    assert "is assumed, one word of a name in ten mistyped" in (tmp_path / "list" / "result" / "report.html").read_text(
        "utf-8"
    )
    assert [path.name for path in bravo.receive_result(language="ru")] == ["report.json", "report.html"]
    done(unit, unit.seal_transcript())
    assert list(auditor.verify())[-3].startswith("verdict")
    written = unit.write_transcript(tmp_path / "files")
    assert list(verify_folder(tmp_path / "files", {role: " ".join(spoken) for role, spoken in words.items()}))
    assert [path.read_bytes() for path in written] == [
        path.read_bytes() for path in auditor.write_transcript(tmp_path / "unpacked")
    ]
    assert open_party(tmp_path / "unit", "wombat gherkin") == LinkageUnit.open(tmp_path / "unit", "wombat gherkin")


def test_a_party_opens_its_own_folder_only(tmp_path):
    LinkageUnit.create(tmp_path / "unit", exchange="x", name="Unit", passphrase="wombat gherkin", memory=CHEAP)
    with pytest.raises(OrderError, match="the folder of the linkage unit; only the list owner does this"):
        ListOwner.open(tmp_path / "unit", "wombat gherkin")


def test_the_example_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = doctest.testmod(pprl.exchange.parties)
    assert ended.attempted
    assert not ended.failed


def test_the_command_offers_what_the_library_offers():
    options = agree.make_context("agree", ["alfa"]).params
    for name, parameter in inspect.signature(Offer).parameters.items():
        if name != "labels":
            assert options[name] == parameter.default, name


def test_the_schema_of_the_demo_can_be_offered():
    from pprl.core.schema_file import parse_schema

    assert Offer().terms(parse_schema(SCHEMA)).outputs["registry"] == ("report",)


FORMS = {"encode": ["--agreement", "."], "match": ["."], "judge": ["."]}


@pytest.mark.parametrize("name", FORMS)
def test_a_command_has_a_form_for_the_exchange_with_options_of_its_own(name, capsys):
    assert main([name, *FORMS[name], "--help"]) == 0
    form = capsys.readouterr().out
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out != form
    assert form.startswith(f"Usage: pprl {name}")
    assert f"pprl {name}" in form.partition("Example:")[2]
    for option in getattr(pprl.cli.exchange, f"{name}_form").params:
        if isinstance(option, click.Option):
            assert option.help.strip().endswith((".", ")")), option.name


def test_a_value_of_an_option_is_not_taken_for_the_folder(tmp_path, monkeypatch, capsys):
    """`-o result` names a folder, and the first argument is a file: this is no step of the exchange."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "result").mkdir()
    assert main(["judge", "-o", "result", "scores.pprl", "--rows", "PRIVATE-list.rows"]) == 1
    assert "keystore" not in capsys.readouterr().err
