"""pprl completion: what the Tab key knows of commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    short_help="Let the Tab key complete commands and options.",
    epilog="""\b
Examples:
  pprl completion bash    (into ~/.bashrc: eval "$(pprl completion bash)")
  pprl completion zsh     (into ~/.zshrc: eval "$(pprl completion zsh)")
  pprl completion fish    (its output is ~/.config/fish/completions/pprl.fish)
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the lines by which SHELL completes commands, options and files of `pprl`."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, "pprl", "_PPRL_COMPLETE").source())
