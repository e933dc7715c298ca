"""Functions are short enough to read at once, and take few parameters."""

import ast

from helpers import ROOT

MAX_LINES, MAX_PARAMETERS = 60, 8
#: `pprl.link` and `pprl.load` are the twins of a command and of the options for a roster: each option is a keyword.
TWINS = {"pprl/link.py:link", "pprl/roster/load.py:load"}


def is_command(function):
    return any("command" in ast.unparse(decorator) for decorator in function.decorator_list)


def too_large(function):
    arguments = function.args
    parameters = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    method = bool(arguments.args) and arguments.args[0].arg in ("self", "cls")
    return function.end_lineno - function.lineno >= MAX_LINES or parameters - method > MAX_PARAMETERS


def test_no_function_does_everything():
    """The parameters of click's commands are their options."""
    large = {
        f"{path.relative_to(ROOT).as_posix()}:{node.name}"
        for path in (ROOT / "pprl").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and not is_command(node) and too_large(node)
    }
    assert large == TWINS
