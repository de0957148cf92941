"""The flags of a command, from a dataclass; their help is in the reader's language where it is translated."""

import inspect
import re
from dataclasses import replace
from typing import Any

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

from mnistry.language import gettext, language


def parsed(options: Any, *, args: list[str], prog: str, description: str | None = None, **more: Any) -> Any:
    """What a command is told, as `tyro.cli` gives it.

    Args:
        options: a dataclass, or several as one type.
        args: what follows the command.
        prog: what the command is called.
        description: what it does; by default what the dataclass says of itself.
        more: for `tyro.cli`.
    """
    if language() != "en":
        told = description or (inspect.getdoc(options) if inspect.isclass(options) else None)
        description = told and _one(told)
        more["registry"] = _registry()
    return tyro.cli(options, args=args, prog=prog, description=description, **more)


def _one(told: str) -> str:
    """What a docstring tells, before it lists attributes, in the reader's language."""
    paragraph = " ".join(re.split(r"\n\n(?=\w+:\n)", told)[0].split())
    return gettext(paragraph)


def _registry() -> ConstructorRegistry:
    """Rules by which the help of every field is translated, and all else is as always."""
    registry = ConstructorRegistry()
    asked: list[StructTypeInfo] = []

    @registry.struct_rule
    def translated(info: StructTypeInfo) -> StructConstructorSpec | None:
        if any(info is one for one in asked):  # this rule is asked again for what the others say
            return None
        asked.append(info)
        spec = ConstructorRegistry.get_struct_spec(info)
        asked.pop()
        if not isinstance(spec, StructConstructorSpec):
            return None
        return replace(spec, fields=tuple(map(_field, spec.fields)))

    return registry


def _field(field: StructFieldSpec) -> StructFieldSpec:
    told = field.helptext

    def translated() -> str | None:
        text = told() if callable(told) else told
        return text and _one(text)

    return replace(field, helptext=translated)
