"""The pages of the API reference, one per public module, written into ``docs/reference`` before a build.

Every name is documented once, in the first module that publishes it; later modules refer to it there. A page is
generated instead of committed, so that a new public name cannot be missing.
"""

from __future__ import annotations

import enum
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.config import Config

#: In the order of the reference: a name that several publish is documented in the first.
MODULES = (
    "watchword",
    "watchword.types",
    "watchword.errors",
    "watchword.jwks",
    "watchword.jwks.archive",
    "watchword.dpop",
    "watchword.dpop.redis",
    "watchword.holder",
    "watchword.scopes",
    "watchword.delegation",
    "watchword.issuers",
    "watchword.origin",
    "watchword.tables",
    "watchword.limits",
    "watchword.spiffe",
    "watchword.gate",
    "watchword.audit",
    "watchword.audit.duckdb",
    "watchword.audit.report",
    "watchword.observability",
    "watchword.observability.prometheus",
    "watchword.observability.opentelemetry",
    "watchword.testing",
    "watchword.testing.token_log",
    "watchword.integrations.asgi",
    "watchword.integrations.starlette",
    "watchword.integrations.fastapi",
    "watchword.integrations.wsgi",
    "watchword.integrations.flask",
    "watchword.integrations.django",
    "watchword.integrations.rest_framework",
    "watchword.integrations.grpc",
    "watchword.integrations.mcp",
    "watchword.providers",
    # For code on top of Watchword, as the providers' is.
    "watchword.waiting",
    "watchword.request",
    "watchword.issuer_keys",
    "watchword.arguments",
    "watchword.base64url",
    "watchword.client",
    "watchword.fork_safety",
    "watchword.jwks.addresses",
    "watchword.jwks.discovery",
    "watchword.jwks.fetch",
    "watchword.jwks.urls",
)

#: Provider packages whose submodules are public as well: their users import from them.
WITH_SUBMODULES = {
    "watchword.providers.agentwrit": ("crypto",),
    "watchword.providers.authgent": ("middleware.", "adapters."),
    "watchword.providers.clawauth": ("exceptions", "types"),
    "watchword.providers.paphwey": ("client", "verify", "models", "errors", "testing"),
}

#: Full names of what is defined in one module and documented in another, as autodoc sees them.
INTERNAL = r"watchword\.\w+\.(\w+\.)*\w+"

_RUST = """\
Rust
----

`watchword-kernel <../../rust/watchword_kernel/index.html>`__ is the crate behind the Python package. :doc:`/docs/rust`
shows how to use it. `watchword-gate <../../rust/watchword_gate/index.html>`__ decides on requests.
`watchword-records <../../rust/watchword_records/index.html>`__ reads logs in text formats.
`watchword-arithmetic <../../rust/watchword_arithmetic/index.html>`__ evaluates the equations of
signatures for it.
"""


def register(app: Sphinx) -> None:
    """Add the setting ``rust_reference`` and write the pages when it is known."""
    app.add_config_value("rust_reference", default=False, rebuild="env", types=bool)
    app.connect("config-inited", lambda app, config: write(Path(app.srcdir, "docs", "reference"), config))


def write(folder: Path, config: Config) -> None:
    """Write one page for each public module, and their index."""
    folder.mkdir(exist_ok=True)
    pages: dict[str, str] = {}
    home: dict[int, str] = {}
    for name in _modules():
        pages[name] = _page(importlib.import_module(name), home)
    entries = "\n   ".join(pages)
    rust = _RUST if config.rust_reference else ""
    pages["index"] = (
        f"{_title('API reference')}Every public name of the Python package, from its docstrings.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n   {entries}\n\n{rust}"
    )
    for stale in folder.glob("*.rst"):
        if stale.stem not in pages:
            stale.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _modules() -> Iterator[str]:
    for name in MODULES:
        if importlib.util.find_spec(name):
            yield name
    providers = importlib.import_module("watchword.providers")
    for found in pkgutil.iter_modules(providers.__path__, "watchword.providers."):
        if found.ispkg and not found.name.endswith(".profiles"):
            yield found.name
            package = importlib.import_module(found.name)
            public = WITH_SUBMODULES.get(found.name, ())
            for inner in pkgutil.walk_packages(package.__path__, f"{found.name}."):
                tail = inner.name.removeprefix(f"{found.name}.")
                if any(tail == name or (name.endswith(".") and tail.startswith(name)) for name in public):
                    yield inner.name


def _page(module: ModuleType, home: dict[int, str]) -> str:
    name = module.__name__
    text = f"{_title(name)}.. automodule:: {name}\n   :no-members:\n\n"
    elsewhere: list[str] = []
    for public in _public(module):
        value = getattr(module, public)
        is_object = inspect.isclass(value) or inspect.isroutine(value)
        if inspect.ismodule(value):
            elsewhere.append(f":mod:`{value.__name__}`")
        elif is_object and id(value) in home:
            elsewhere.append(f":py:obj:`{home[id(value)]}`")
        elif is_object:
            home[id(value)] = f"{name}.{public}"
            kind = "class" if inspect.isclass(value) else "function"
            kind = "exception" if kind == "class" and issubclass(value, BaseException) else kind
            options = "   :show-inheritance:\n" if _has_bases(value) else ""
            options += "   :undoc-members:\n" if inspect.isclass(value) and issubclass(value, enum.Enum) else ""
            text += f".. auto{kind}:: {name}.{public}\n{options}\n"
        else:
            text += f".. autodata:: {name}.{public}\n   :no-value:\n\n"
    if elsewhere:
        text += f"Also published here: {', '.join(elsewhere)}.\n"
    return text


def _has_bases(value: object) -> bool:
    return inspect.isclass(value) and value.__bases__ != (object,)


def _public(module: ModuleType) -> list[str]:
    named = getattr(module, "__all__", None)
    if named is not None:
        return [name for name in named if not name.startswith("_")]
    own = (name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__)
    return [name for name in own if not name.startswith("_")]


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"
