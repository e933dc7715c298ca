"""Commands with a second form: a step of the exchange, which works in the folder of a party.

`pprl encode`, `match` and `judge` work with plain files, or with the folder of an exchange. Each form is a command with
its own options, so neither has to refuse the options of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

Chooser = Callable[[Sequence[str], Sequence[click.Command]], bool]


def names_agreement(words: Sequence[str], _: Sequence[click.Command]) -> bool:
    """``--agreement`` is typed."""
    return any(word == "--agreement" or word.startswith("--agreement=") for word in words)


def names_folder(words: Sequence[str], forms: Sequence[click.Command]) -> bool:
    """The first argument is a folder."""
    options = [option for form in forms for option in form.params if isinstance(option, click.Option)]
    takes_value = {name for option in options if not option.is_flag for name in option.opts}
    rest = iter(words)
    for word in rest:
        if word in takes_value:
            next(rest, None)
        elif not word.startswith("-"):
            return Path(word).is_dir()
    return False


class CommandWithExchangeForm(click.Command):
    """A command whose second form is the function of the same name in `pprl.cli.exchange`."""

    def __init__(self, *arguments: Any, exchange_form: str, chosen_by: Chooser, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._form_name, self._chosen_by = exchange_form, chosen_by

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        from pprl.cli import exchange  # only when the command runs: --help of the others needs none of it

        form: click.Command = getattr(exchange, self._form_name)
        if self._chosen_by(args, (self, form)):
            return form.make_context(info_name, args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)
