"""Two newsrooms and a university compare a list with a registry, and nobody shows the others a name.

    python examples/two_newsrooms/play.py FOLDER

Read from top to bottom: these are the commands that three people type on three machines, and the files that they send
each other. Sending is copying here; for real it is a stick, a messenger or the post. The rosters are beside this file.
"""

import contextlib
import io
import shutil
import sys
from pathlib import Path

from pprl.cli import main

ROSTERS = Path(__file__).resolve().parent


def pprl(*words: object, status: int = 0) -> str:
    """Run one command as it would be typed; returns what it prints."""
    print("$ pprl", *words)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ended = main([str(word) for word in words])
    print(out.getvalue())
    assert ended == status, f"ended with {ended}"
    return out.getvalue()


def send(file: str, maker: Path, *others: Path) -> None:
    for other in others:
        shutil.copy(maker / file, other / file)


def play(folder: Path) -> None:
    alfa, bravo, unit = (folder / name for name in ("alfa", "bravo", "unit"))
    secret = {}
    for party in (alfa, bravo, unit):  # for real you are asked for a passphrase; here it is in a file
        path = folder / f"{party.name}.pass"
        path.touch(0o600)
        path.write_text(f"a passphrase that only {party.name} knows\n")
        secret[party] = ("--passphrase-file", path)

    # 1. Everybody makes keys for this exchange, and sends the others a card.
    pprl("card", alfa, "--role", "list", "--exchange", "example", "--name", "Newsroom Alfa", *secret[alfa])
    pprl("card", bravo, "--role", "registry", "--exchange", "example", "--name", "Newsroom Bravo", *secret[bravo])
    pprl("card", unit, "--role", "unit", "--exchange", "example", "--name", "University", *secret[unit])
    send("list-1-card.pprl", alfa, bravo, unit)
    send("registry-1-card.pprl", bravo, alfa, unit)
    send("unit-1-card.pprl", unit, alfa, bravo)

    # 2. They call each other. Each reads their own ten words aloud, and types the words of the other two.
    heard = folder / "heard-on-the-phone.txt"
    spoken = {}
    for role, party in (("list", alfa), ("registry", bravo), ("unit", unit)):
        shown = pprl("agree", party, *secret[party], status=1)  # the words of the others are still missing
        spoken[role] = next(line for line in shown.splitlines() if line.startswith("read aloud")).partition(":")[2]
    heard.write_text("".join(f"{role}: {words}\n" for role, words in spoken.items()))
    for party in (alfa, bravo, unit):
        pprl("agree", party, "--words-file", heard, *secret[party])

    # 3. Alfa proposes what is compared and who gets what. Bravo reads the terms, and accepts by their code.
    pprl("agree", alfa, "--schema", ROSTERS / "schema.toml", *secret[alfa])
    send("list-2-proposal.pprl", alfa, bravo)
    shown = pprl("agree", bravo, *secret[bravo], status=1)  # nothing is signed before the code is given
    code = next(line for line in shown.splitlines() if line.startswith("code")).split()[1]
    pprl("agree", bravo, "--accept", code, *secret[bravo])
    send("registry-2-acceptance.pprl", bravo, alfa)

    # 4. Each commits to a roster before anybody can know what the other holds; then Alfa commits to the decoys.
    encode_list = ("encode", ROSTERS / "leaked.csv", "--agreement", alfa, *secret[alfa])
    pprl(*encode_list)
    send("list-3-commitment.pprl", alfa, bravo, unit)
    pprl("encode", ROSTERS / "registry.csv", "--agreement", bravo, *secret[bravo])
    send("registry-3-commitment.pprl", bravo, alfa, unit)
    pprl(*encode_list)
    send("list-4-commitment.pprl", alfa, unit)
    pprl("agree", unit, "--accept", code, *secret[unit])
    send("unit-2-receipt.pprl", unit, alfa, bravo)

    # 5. Only now do encodings leave, sealed for the university, which has no key, compares them and signs the scores.
    pprl("next", alfa, *secret[alfa])
    pprl("next", bravo, *secret[bravo])
    send("list-5-package.pprl", alfa, unit)
    send("registry-4-package.pprl", bravo, unit)
    pprl("next", unit, *secret[unit])
    send("unit-3-query.pprl", unit, alfa)
    send("unit-3-scores.pprl", unit, bravo)

    # 6. Bravo acknowledges the scores. Only then does Alfa reveal which rows are synthetic, and the university judges.
    pprl("next", bravo, *secret[bravo])
    send("registry-5-acknowledgement.pprl", bravo, alfa)
    pprl("reveal", alfa, *secret[alfa])
    send("list-6-reveal.pprl", alfa, unit)
    pprl("next", unit, *secret[unit])
    send("unit-4-result-for-the-list.pprl", unit, alfa)
    send("unit-4-result-for-the-registry.pprl", unit, bravo)
    pprl("next", alfa, *secret[alfa])
    pprl("next", bravo, *secret[bravo])

    # 7. Years later an auditor checks all of it, with the words that the parties tell them, and sees no name.
    pprl("transcript", unit, "-o", folder / "auditor", *secret[unit])
    pprl("verify", folder / "auditor", "--words-file", heard)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    root.mkdir()
    play(root)
