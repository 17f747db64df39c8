"""Docstrings as reStructuredText: those of the kernel are Markdown, and parameters are paragraphs ``name: text``."""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

_SPAN = re.compile(r"(?<![`:\w])`([^`\n]+)`(?![`_])")
_LITERAL = re.compile(r"(``[^`]+``)(\w?)")
_PARAMETER = re.compile(r"^([a-z_0-9]+(?:, [a-z_0-9]+)*): (.*)$")
_OPENS_A_BLOCK = re.compile(r"::$|^\s*(\.\. |[-*] |:\w+)")
_STUB = Path(__file__).resolve().parents[2] / "python" / "watchword" / "_kernel.pyi"


def register(app: Sphinx) -> None:
    """Rewrite docstrings, and give the compiled functions and constants what their type stub says of them."""
    stub = ast.parse(_STUB.read_text(encoding="utf-8")).body
    signatures = _signatures(stub)
    constants = _constants(stub)
    app.add_post_transform(_Builtins)
    # First, so that the text is rewritten as any other. At run time a constant has the docstring of its type.
    app.connect("autodoc-process-docstring", lambda *found: _of_constant(constants, *found[1:3], found[-1]), priority=1)
    app.connect("autodoc-process-docstring", lambda *found: _rewrite(found[1], found[-1]))
    app.connect("autodoc-process-signature", lambda *found: _typed(signatures, *found[1:4]))


def _of_constant(constants: dict[str, str], kind: str, name: str, lines: list[str]) -> None:
    found = constants.get(name.rpartition(".")[2])
    if kind == "data" and found is not None:
        lines[:] = [*found.split("\n"), ""]


def _constants(body: list[ast.stmt]) -> dict[str, str]:
    """Return the docstrings of the stub's constants, by their names."""
    found: dict[str, str] = {}
    for node, after in itertools.pairwise(body):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_text:
            found[node.target.id] = inspect.cleandoc(str(after.value.value))
    return found


class _Builtins(SphinxPostTransform):
    """``bytes`` in a signature is Python's, whatever property of ours has the same name."""

    default_priority = 5  # before references are resolved

    def run(self, **_: object) -> None:
        for node in list(self.document.findall(pending_xref)):
            if node.get("refdomain") == "py" and hasattr(builtins, node["reftarget"]):
                node.replace_self(nodes.Text(node["reftarget"]))


def _rewrite(kind: str, lines: list[str]) -> None:
    """Turn code spans into literals, indented blocks into code, and paragraphs of parameters into lists."""
    lines[:] = _with_code_blocks(lines)
    text: list[str] = []
    in_field = False
    for line in _LITERAL.sub(_separated, _SPAN.sub(r"``\1``", "\n".join(lines))).split("\n"):
        parameter = _PARAMETER.match(line) if kind in {"class", "method", "function"} else None
        if parameter and (in_field or not text or not text[-1].strip()):
            names = ", ".join(f"``{name}``" for name in parameter[1].split(", "))
            text.append(f"- {names}: {parameter[2]}")
            in_field = True
        else:
            in_field = in_field and bool(line.strip())
            text.append(f"  {line}" if in_field else line)
    lines[:] = text


def _separated(literal: re.Match[str]) -> str:
    """Return a literal, separated from a letter right after it ("``Client``s"), as reStructuredText requires."""
    return f"{literal[1]}\\ {literal[2]}" if literal[2] else literal[1]


def _with_code_blocks(lines: list[str]) -> list[str]:
    """Mark what is indented under a paragraph as code, as Markdown would read it."""
    text: list[str] = []
    before = ""
    for line in lines:
        is_deeper = line.startswith(_indent(before) + "    ")
        if is_deeper and text and not text[-1].strip() and not _OPENS_A_BLOCK.search(before):
            text += [_indent(before) + ".. code-block:: python", ""]
        text.append(line)
        before = line if line.strip() else before
    return text


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _typed(signatures: dict[str, tuple[str, str]], kind: str, name: str, what: object) -> tuple[str, str] | None:
    if kind not in {"class", "method", "function"} or hasattr(what, "__code__"):
        return None
    module, _, rest = name.rpartition("watchword.")
    if module:
        return None
    tail = rest.rsplit(".", 2)
    key = rest if kind != "class" else f"{rest}.__new__"
    for candidate in (key, ".".join(tail[-2:]), tail[-1]):
        if candidate in signatures:
            arguments, returns = signatures[candidate]
            return arguments, "" if kind == "class" else returns
    return None


def _signatures(body: list[ast.stmt], owner: str = "") -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found |= _signatures(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            is_static = any(isinstance(name, ast.Name) and name.id == "staticmethod" for name in node.decorator_list)
            if owner and not is_static:
                positional = node.args.posonlyargs or node.args.args
                del positional[:1]
            found[owner + node.name] = f"({ast.unparse(node.args)})", ast.unparse(node.returns or ast.Constant(None))
    return found
