"""What Python calls an argument, the command line calls a flag: one message serves both.

An error names an argument in backticks, as Python writes it: `learning_rate`, `devices=2`,
`mnistry.resume('runs/mlp-1')`. Nothing else of one lower-case word stands in backticks in a message.
"""

import ast
import re
import shlex

_ARGUMENT = re.compile(r"`([a-z][a-z0-9_.]*)(?:=([^`]+))?`")
_RESUME = re.compile(r"`mnistry\.resume\(([^`]+)\)`")


def as_flags(message: str) -> str:
    """The message with its arguments as flags.

    Examples:
        >>> as_flags("`batch_size=99` cannot be shared by `devices=2`")
        '--batch-size 99 cannot be shared by --devices 2'
        >>> as_flags("`model.hidden=(300, 100)` needs `invert=True`; see `data_dir`")
        '--model.hidden 300 100 needs --invert; see --data-dir'
        >>> as_flags("go on with: `mnistry.resume('runs/mlp 1')`")
        "go on with: mnistry train --resume 'runs/mlp 1'"
    """
    message = _RESUME.sub(lambda call: "mnistry train " + _flag("resume", call[1]), message)
    return _ARGUMENT.sub(lambda argument: _flag(argument[1], argument[2]), message)


def _flag(name: str, written: str | None) -> str:
    """One argument; a value that is no literal, such as FOLDER, stands for what the reader puts there."""
    flag = name.replace("_", "-")
    try:
        value = ast.literal_eval(written) if written else True
    except (ValueError, SyntaxError):
        value = written
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    values = value if isinstance(value, tuple | list) else (value,)
    return " ".join([f"--{flag}", *(shlex.quote(str(one)) for one in values)])
