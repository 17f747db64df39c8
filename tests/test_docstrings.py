"""Docstrings of everything public: what is returned, in which units, what is raised, and which section is followed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pkgutil
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import watchword
import watchword._kernel
import watchword.providers

REFERENCE = Path(__file__).parents[1] / "docs" / "site" / "reference.py"
STUB = Path(watchword._kernel.__file__).with_name("_kernel.pyi")

#: Checks that do not apply to a name, and why.
EXCEPTIONS: dict[tuple[str, str], str] = {}

#: What implements a section of a standard, and that section.
SECTIONS = {
    "watchword.verify": "RFC 7519 section 7.2",
    "watchword.verify_jws": "RFC 7515 section 5.2",
    "watchword.thumbprint": "RFC 7638",
    "watchword.thumbprint_uri": "RFC 9278",
    "watchword.PublicKey.thumbprint": "RFC 7638",
    "watchword.KeySet.from_json": "RFC 7517",
    "watchword.KeySet.from_pem": "RFC 7468",
    "watchword.KeySet.from_der": "RFC 5280",
    "watchword.Confirmation": "RFC 7800",
    "watchword.MayAct": "RFC 8693 section 4.4",
    "watchword.DpopProof": "RFC 9449",
    "watchword.DelegationChain.from_act": "RFC 8693 section 4.1",
    "watchword.require_authentication": "RFC 9470",
}

#: Names of parameters that are a time or a duration, and the words that say in what unit.
TIMES = re.compile(r"now|at|timeout|leeway|lifetime|cooldown|max_age|max_stale|expires_in|expires_at|ttl|.*_seconds")
TIME_UNITS = re.compile(r"\bseconds?\b|\bUnix\b|\bminutes?\b|\bhours?\b|\bdays?\b")
#: What refers to the docstring of another method, which says the rest.
REFERS = re.compile(r"\b([Ss]ee|[Aa]s|[Ll]ike) (:\w+:)?`")
SIZE_UNITS = re.compile(r"\bbytes?\b|\b[KM]iB\b")


@dataclass(frozen=True)
class Public:
    """A public class, function, method or property, with what its source says of it."""

    name: str
    module: str
    docstring: str
    #: That of the class, for its members.
    context: str
    parameters: tuple[str, ...] = ()
    returns: bool = False
    raises: bool = False


def public_modules() -> Iterator[types.ModuleType]:
    """The modules of the API reference, whose generator lists them."""
    settings = {}
    for node in ast.parse(REFERENCE.read_text(encoding="utf-8")).body:
        name = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(name, ast.Name) and name.id in {"MODULES", "WITH_SUBMODULES"}:
            settings[name.id] = ast.literal_eval(node.value)
    submodules = settings["WITH_SUBMODULES"]
    for module in settings["MODULES"]:
        if importlib.util.find_spec(module):
            yield importlib.import_module(module)
    for found in pkgutil.walk_packages(watchword.providers.__path__, "watchword.providers."):
        _, _, provider, *inner = found.name.split(".")
        tails = submodules.get(f"watchword.providers.{provider}", ())
        if (found.ispkg and not inner and provider != "profiles") or any(
            ".".join(inner) == tail or (tail.endswith(".") and ".".join(inner).startswith(tail)) for tail in tails
        ):
            yield importlib.import_module(found.name)


def everything_public() -> Iterator[Public]:
    """Each public object once, under the name of the first module that publishes it."""
    seen: set[int] = set()
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if id(value) in seen or not str(getattr(value, "__module__", "")).startswith("watchword"):
                continue
            if isinstance(value, type) or inspect.isroutine(value):
                seen.add(id(value))
                yield from described(f"{module.__name__}.{name}", value)


def described(name: str, value: type | Callable[..., object]) -> Iterator[Public]:
    """A class with its public members, or a function."""
    if not isinstance(value, type):
        yield described_function(name, value, "")
        return
    docstring = inspect.getdoc(value) or ""
    constructor = vars(value).get("__init__")
    own = inspect.isfunction(constructor) and constructor.__module__ == value.__module__  # not that of a Protocol
    node = source_of(constructor) if own else None
    text = docstring + "\n" + (inspect.getdoc(constructor) or "" if node else "")
    yield Public(
        name,
        value.__module__,
        text.strip(),
        "",
        parameters_of(node) if node else (),
        False,
        raises(node) if node else False,
    )
    for member, one in vars(value).items():
        if member.startswith("_"):
            continue
        if type(one).__name__ == "_tuplegetter":  # a field of a NamedTuple
            continue
        if inspect.isdatadescriptor(one) and not isinstance(one, types.MemberDescriptorType):
            yield Public(f"{name}.{member}", value.__module__, inspect.getdoc(getattr(value, member)) or "", docstring)
        elif inspect.isroutine(one) or isinstance(one, (classmethod, staticmethod)):
            yield described_function(f"{name}.{member}", getattr(value, member), docstring)


def described_function(name: str, function: Callable[..., object], context: str) -> Public:
    docstring = inspect.getdoc(function) or ""
    node = source_of(function)
    module = str(getattr(function, "__module__", None) or "watchword._kernel")
    if node is None:
        return Public(name, module, docstring, context)
    return Public(name, module, docstring, context, parameters_of(node), returns_something(node), raises(node))


def source_of(function: Callable[..., object]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The definition of a function of Python, or that of a compiled one in the stub."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    try:
        module = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (TypeError, OSError):
        return STUB_FUNCTIONS.get(getattr(function, "__qualname__", ""))
    node = module.body[0]
    return node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def stub_functions() -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found.update({f"{node.name}.{one.name}": one for one in node.body if isinstance(one, ast.FunctionDef)})
    return found


STUB_FUNCTIONS = stub_functions()


def parameters_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    arguments = node.args
    return tuple(one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def returns_something(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    text = ast.unparse(node.returns) if node.returns else "None"
    return text not in {"None", "NoReturn", "Never"}


def raises(node: ast.AST) -> bool:
    """Whether the body raises an exception of its own; those of nested functions and ``raise`` alone do not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            return True
        if raises(child):
            return True
    return False


def problems_of(public: Public) -> Iterator[tuple[str, str]]:
    """The checks that a docstring fails, each with a sentence."""
    text = public.docstring
    if not text:
        yield "missing", "has no docstring"
        return
    first = text.partition("\n")[0]
    if not re.search(r"[.:!?][`'\")\]]*$", first):
        yield "first line", f"its first line is not one sentence: {first!r}"
    if REFERS.search(text):
        return
    if public.returns and not re.search(r"\b([Rr]eturn|[Yy]ield)(s|ed)?\b", text):
        yield "returns", "does not say what it returns"
    if public.raises and not re.search(r"\b[Rr]aise[sd]?\b", text):
        yield "raises", "does not say what it raises"
    described = f"{text}\n{public.context}"
    for name in public.parameters:
        if TIMES.fullmatch(name) and not TIME_UNITS.search(described):
            yield "units", f"does not say in what unit {name} is"
        if name.endswith("_bytes") and not SIZE_UNITS.search(described):
            yield "units", f"does not say in what unit {name} is"


def failures() -> list[tuple[str, str]]:
    """Each failed check as the module that defines the name, and a sentence."""
    found = []
    for public in everything_public():
        for check, problem in problems_of(public):
            if (public.name, check) not in EXCEPTIONS:
                found.append((public.module, f"{public.name} {problem}"))
    return found


def test_everything_public_is_described() -> None:
    assert [sentence for _, sentence in failures()] == []


def test_the_exceptions_are_still_needed() -> None:
    failed = {(public.name, check) for public in everything_public() for check, _ in problems_of(public)}
    assert set(EXCEPTIONS) <= failed


def test_what_implements_a_section_names_it() -> None:
    described = {public.name: " ".join(public.docstring.split()) for public in everything_public()}
    for name, section in SECTIONS.items():
        assert section in described[name], f"{name} does not name {section}"


def test_there_is_a_lot_to_check() -> None:
    assert len(list(everything_public())) > 300


if __name__ == "__main__":
    for module, sentence in sorted(failures()):
        sys.stdout.write(f"{module}: {sentence}\n")
