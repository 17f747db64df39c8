"""The docstrings of ``watchword._kernel``: what its stub says, and what the compiled module says."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Iterator
from pathlib import Path

import watchword._kernel

STUB = Path(watchword._kernel.__file__).with_name("_kernel.pyi")

Documented = ast.ClassDef | ast.FunctionDef


def documented(stub: str) -> Iterator[tuple[str, Documented]]:
    """Yield each class, function, method and property of the stub with its qualified name, dunder methods left out."""
    for node in ast.parse(stub).body:
        if isinstance(node, Documented):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("__"):
                    yield f"{node.name}.{member.name}", member


def runtime_docstring(name: str) -> str:
    """Return the docstring that the compiled module has under this qualified name, ``""`` if it has none."""
    return inspect.cleandoc(operator.attrgetter(name)(watchword._kernel).__doc__ or "")


def with_runtime_docstrings(stub: str) -> str:
    """Return the stub with the docstrings of the compiled module in the place of its own."""
    lines = stub.splitlines()
    # From the end, so that the line numbers of what is still to come stay right.
    for name, node in sorted(documented(stub), key=lambda pair: pair[1].lineno, reverse=True):
        docstring = _literal(runtime_docstring(name), node.col_offset + 4)
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):  # an old docstring, or the dots
            head = lines[first.lineno - 1][: first.col_offset].rstrip()
            rest = lines[first.end_lineno :]
            lines[first.lineno - 1 :] = [*([head] if head else []), *(docstring or ["    ..."]), *rest]
        else:  # a class without a docstring, whose header is one line
            lines[node.lineno : node.lineno] = [*docstring, ""]
    return "\n".join(lines) + "\n"


def _literal(docstring: str, indentation: int) -> list[str]:
    if not docstring:
        return []
    escaped = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    first, *more = escaped.splitlines()
    margin = " " * indentation
    if not more and not first.endswith('"'):
        return [f'{margin}"""{first}"""']
    return [f'{margin}"""{first}', *(margin + line if line else "" for line in more), f'{margin}"""']
