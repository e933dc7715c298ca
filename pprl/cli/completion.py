"""pprl completion: commands and options for the Tab key."""

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
    """Print the lines that let SHELL complete the commands, options and files of `pprl`."""
    completion_class = get_completion_class(shell)
    assert completion_class is not None
    click.echo(completion_class(context.find_root().command, {}, "pprl", "_PPRL_COMPLETE").source())
