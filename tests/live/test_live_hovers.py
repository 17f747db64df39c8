"""What an editor shows when the pointer rests on a public name: its docstring, for every one of them."""

from __future__ import annotations

import inspect
import json
import sys
import types
from pathlib import Path

from live_pyright import language_server

import watchword

PACKAGES = Path(watchword.__file__).parents[1]

#: Constants have no docstring at run time; the stub has these.
CONSTANTS = {"watchword.ANY_AUDIENCE": "Accept any audience", "watchword.ANY_TENANT": "Accept every tenant"}


def expressions() -> dict[str, str]:
    """Each public name and each public member of a public class as an expression, with its docstring's first line."""
    found = dict(CONSTANTS)
    for name in watchword.__all__:
        value = getattr(watchword, name)
        if not isinstance(value, (type, types.ModuleType)) and not inspect.isroutine(value):
            continue
        found[f"watchword.{name}"] = first_line(value)
        if isinstance(value, type):
            for member in (name for name in vars(value) if not name.startswith("_")):
                one = getattr(value, member)
                if inspect.isroutine(one) or inspect.isdatadescriptor(one):
                    found[f"a_{name}.{member}"] = first_line(one)
    return found


def first_line(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


def without_markup(text: str) -> str:
    return text.replace("`", "").replace("\\", "")


def test_every_public_name_shows_its_docstring(tmp_path: Path) -> None:
    settings = {"extraPaths": [str(PACKAGES)], "pythonVersion": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    expected = expressions()
    assert len(expected) > 150
    modules = [name for name in watchword.__all__ if isinstance(getattr(watchword, name), types.ModuleType)]
    classes = [name for name in watchword.__all__ if isinstance(getattr(watchword, name), type)]
    parameters = ", ".join(f"a_{name}: watchword.{name}" for name in classes)
    header = ["import watchword", *(f"import watchword.{name}" for name in modules), f"def use({parameters}) -> None:"]
    with language_server(tmp_path) as server:
        server.open("\n".join([*header, *(f"    {expression}" for expression in expected)]) + "\n")
        wrong = {}
        for line, (expression, docstring) in enumerate(expected.items(), len(header)):
            hover = server.hover(line, 4 + len(expression) - 1)
            if not docstring or without_markup(docstring) not in without_markup(hover):
                wrong[expression] = (docstring, hover)
    assert wrong == {}
