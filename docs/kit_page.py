"""The text of docs/kit.md: every public name of `drill_katas.kit`, from its signature and docstring."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import textwrap
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from drill_katas import kit
from drill_katas.judge.fault_injection import FaultInjection, InjectedFault
from drill_katas.judge.handle import Handle
from drill_katas.judge.measuring import Measuring
from drill_katas.judge.observation import Logged, Observation
from drill_katas.kit.lag import Lag
from drill_katas.services import http_client, network, network_faults
from drill_katas.services.connections import CheckedOut, Statement, Usage
from drill_katas.services.upstream import Received, SentCall

if TYPE_CHECKING:
    from collections.abc import Iterator


class Alias(NamedTuple):
    """A name with a docstring behind it in a module's source: a constant, or another name of a type."""

    module: ModuleType
    name: str


HEAD: Final = """# The kit

This page lists `drill_katas.kit`, the library of a kata's checks and incident, for authors. It is
generated from the docstrings. The tutorial is in [authoring.md](authoring.md).

```python
from drill_katas import kit
```
"""
SECTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "The system under test": (kit.Sut, Handle, FaultInjection, InjectedFault, Measuring, Observation, Logged),
    "Exceptions": (kit.SutError, kit.Killed, kit.KataMistake),
    "Databases": (kit.database, Statement, CheckedOut, Usage, kit.Holding, kit.Growth, kit.repeated, kit.costliest),
    "Upstreams": (kit.upstream, kit.Fault, Received, SentCall),
    "Networks": (
        *(kit.network, network.Network, network_faults.NetworkFaults, network.Node),
        *(Alias(http_client, "Request"), Alias(network_faults, "Played")),
        *(kit.Hop, kit.HttpResponse, kit.waits),
    ),
    "Load and time": (kit.load, kit.load.Load, kit.load.Arrival, kit.load.Patience, kit.lag, Lag, kit.sla),
    "Examples from Hypothesis": (
        *(kit.money, Alias(kit.money, "PLACES"), kit.events, Alias(kit.events, "ALIKE"), kit.Machine, kit.explore),
    ),
    "Messages and telemetry": (kit.difference, kit.plural, kit.ErrorReport),
    "Incidents": (kit.Incident, kit.Scene, kit.rules, kit.rules.Rule, kit.Picture),
}
"""The headings of the page, each with its entries in order."""
SUBJECTS: Final = {
    kit.Sut: "sut",
    FaultInjection: "sut",
    Measuring: "sut",
    network_faults.NetworkFaults: "network",
    kit.Scene: "scene",
} | {cls: cls.__name__.lower() for cls in (network.Network, kit.database, kit.upstream, Observation)}
"""The name of an object of a class, in code."""
TITLES: Final = {
    kit.Sut: "`kit.Sut`, the fixture `sut`",
    FaultInjection: "`sut`: faults at a step",
    network_faults.NetworkFaults: "`network`: faults",
    Measuring: "`sut`: figures and time limits",
}
MACHINERY: Final = {
    *("attach", "close", "listen", "expect_attached", "expect_answers", "noun", "passed_to", "of", "add"),
    *("check", "advance", "at_speed", "teardown", "seconds_of", "shortened", "increases", "before", "after"),
}
"""Public names that the judge needs, and no kata."""
LONGEST: Final = 110  # characters of a line


def page() -> str:
    """Return the text of docs/kit.md."""
    listed = {id(each) for things in SECTIONS.values() for each in things}
    missing = [name for name in kit.__all__ if id(getattr(kit, name)) not in listed]
    assert not missing, f"docs/kit_page.py has no section for {', '.join(missing)}"
    contents = "\n".join(f"- [{title}](#{title.lower().replace(' ', '-')})" for title in SECTIONS)
    sections = ("\n".join([f"## {title}\n", *map(_entry, things)]) for title, things in SECTIONS.items())
    return re.sub(r"\n{3,}", "\n\n", "\n".join([HEAD, contents, "", *sections])).rstrip() + "\n"


@functools.singledispatch
def _entry(thing: Any) -> str:
    """Return the entry of a function."""
    name = f"kit.{thing.__name__}"
    return f"### `{name}`\n\n{_code(_signature(name, thing))}{_text(thing)}\n"


@_entry.register
def _(alias: Alias) -> str:
    body = ast.parse(inspect.getsource(alias.module)).body
    for statement, text in itertools.pairwise(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if alias.name in {getattr(target, "id", "") for target in targets}:
            assert isinstance(text, ast.Expr), f"{alias.name} has no docstring"
            short = alias.module.__name__.rpartition(".")[2]
            name = (
                f"kit.{short}.{alias.name}"
                if hasattr(kit, short) and alias.module is not network_faults
                else alias.name
            )
            return f"### `{name}`\n\n{ast.literal_eval(text.value)}\n"
    raise AssertionError(f"{alias.module.__name__} has no {alias.name}")


@_entry.register
def _(module: ModuleType) -> str:
    name = f"kit.{module.__name__.rpartition('.')[2]}"
    functions = (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
    items = (_item(f"{name}.{each.__name__}", each) for each in functions if _is_public_function(each))
    return "\n".join([f"### `{name}`\n\n{_text(module)}\n", *items, ""])


@_entry.register
def _(cls: type) -> str:
    name = next((f"kit.{each}" for each in kit.__all__ if getattr(kit, each) is cls), cls.__name__)
    if cls.__module__.startswith("drill_katas.kit.load"):
        name = f"kit.load.{cls.__name__}"
    elif cls is kit.rules.Rule:
        name = "kit.rules.Rule"
    made = _code(_signature(name, cls)) if name.startswith("kit.") and _is_made_by_katas(cls) else ""
    fields = "" if made or "| field |" in _text(cls) else _fields(cls)
    return "\n".join([f"### {TITLES.get(cls, f'`{name}`')}\n\n{made}{_text(cls)}\n{fields}", *_members(cls), ""])


def _is_public_function(value: Any) -> bool:
    return inspect.isfunction(value) and not value.__name__.startswith("_") and value.__name__ not in MACHINERY


def _is_made_by_katas(cls: type) -> bool:
    return "__init__" in vars(cls) and cls not in {kit.Sut, kit.SutError, kit.Scene, kit.Hop, kit.HttpResponse}


def _fields(cls: type) -> str:
    if not dataclasses.is_dataclass(cls):
        return ""
    public = (each for each in dataclasses.fields(cls) if each.name[0] != "_" and each.name not in MACHINERY)
    names = ", ".join(f"`{each.name}: {each.type}`" for each in public)
    return f"\n{_filled(f'Fields: {names}.')}\n"


def _members(cls: type) -> Iterator[str]:
    """Return the methods and properties that a class itself defines, and the members of an enumeration."""
    subject = f"{SUBJECTS[cls]}." if cls in SUBJECTS else ""
    fields = {each.name for each in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    for name, value in vars(cls).items():
        if name.startswith("_") or name in MACHINERY | fields or (cls is kit.upstream and name == "serve"):
            continue
        if type(value) is cls:  # of an enumeration
            yield f"- `kit.{cls.__name__}.{name}`: {value}"
        elif inspect.isfunction(value) or isinstance(value, property):
            yield _item(f"{subject}{name}", value)


def _item(name: str, value: Any) -> str:
    """Return a function, method or property as an item of a list."""
    if isinstance(value, property):
        signature = f"{name}: {inspect.signature(value.fget).return_annotation}"  # type: ignore[arg-type]
    else:
        signature = _signature(name, value, longest=1_000)
    first, *rest = _text(value).split("\n\n")
    plain = [each for each in rest if not re.match(r"\| |- |```", each)]
    rest = [each for each in rest if each not in plain]
    lines = textwrap.indent(_filled(f"`{signature}`: {' '.join([first, *plain])}"), "  ")
    return "\n\n".join([f"- {lines.lstrip()}", *(textwrap.indent(each, "  ") for each in rest)]) + "\n" * bool(rest)


def _signature(name: str, value: Any, longest: int = LONGEST) -> str:
    """Return how a function or class is called, on one line or with a line for each parameter."""
    signature = inspect.signature(value)
    shown: list[str] = []
    for each in signature.parameters.values():
        if each.name == "self" or each.name.startswith("_"):
            continue
        if each.kind is each.KEYWORD_ONLY and not any(one.startswith("*") for one in shown):
            shown.append("*")
        shown.append(_parameter(each))
    result = signature.return_annotation
    if hasattr(value, "__wrapped__") and str(result).startswith("Iterator["):  # a context manager
        name, result = f"with {name}", str(result).removeprefix("Iterator[").removesuffix("]")
    arrow = "" if result in {None, "None", signature.empty} else f" -> {result}"
    line = f"{name}({', '.join(shown)}){arrow}"
    return line if len(line) <= longest else "\n".join([f"{name}(", *(f"    {each}," for each in shown), f"){arrow}"])


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}: {parameter.annotation}"
    default = parameter.default
    if default is parameter.empty:
        return text
    if inspect.isfunction(default):
        return f"{text} = {'...' if default.__name__ == '<lambda>' else default.__name__}"
    shown = f'"{default}"' if isinstance(default, str) else repr(default)
    return f"{text} = {'...' if shown.startswith('<') else shown}"


def _text(value: Any) -> str:
    """Return a docstring as Markdown."""
    paragraphs = (inspect.getdoc(value) or "").split("\n\n")
    return "\n\n".join(f"```python\n{each}\n```" if each.startswith(">>>") else each for each in paragraphs)


def _filled(text: str) -> str:
    return textwrap.fill(text, LONGEST, break_long_words=False, break_on_hyphens=False)


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n\n"
