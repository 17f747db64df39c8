"""What is installed: one abi3 wheel, typed, documented, quick to import, with two dependencies."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import watchword.issuers
import watchword.jwks
import watchword.testing
from watchword import _kernel

PACKAGE = Path(watchword.__file__).parent

#: Slow to import, and of no use to a caller who has keys and a token in hand.
LAZY = ("asyncio", "cryptography", "http", "httpcore2", "httpx2", "ssl")

#: Every public name with the module that offers it.
PUBLIC = [
    (module, name)
    for module in (watchword, watchword.issuers, watchword.jwks, watchword.testing)
    for name in module.__all__
]
CLASSES = [(module, name) for module, name in PUBLIC if inspect.isclass(getattr(module, name))]


def test_the_version_is_one_everywhere() -> None:
    assert watchword.__version__ == _kernel.__version__ == importlib.metadata.version("watchword")


def test_the_installed_version_is_the_one_of_this_tree() -> None:
    # Else these tests would be testing something else.
    manifest = (Path(__file__).resolve().parents[1] / "Cargo.toml").read_text()
    assert re.findall(r'^version = "(.+)"$', manifest, flags=re.MULTILINE) == [watchword.__version__]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows marks no extension module as abi3 in its name")
def test_the_kernel_is_built_for_the_stable_abi() -> None:
    assert Path(_kernel.__file__ or "").name == "_kernel.abi3.so"


def test_type_information_is_installed() -> None:
    assert (PACKAGE / "py.typed").is_file()
    assert (PACKAGE / "_kernel.pyi").is_file()


def test_the_metadata_name_the_licence_and_the_oldest_python() -> None:
    metadata = importlib.metadata.metadata("watchword")
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_only_two_packages_are_needed_at_run_time() -> None:
    needed = [line for line in importlib.metadata.requires("watchword") or () if "extra ==" not in line]
    assert sorted(re.split(r"[^A-Za-z0-9_-]", line)[0] for line in needed) == ["cryptography", "httpx2"]


def test_there_is_a_command() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="watchword")
    assert command.load() is __import__("watchword.cli", fromlist=["main"]).main


def test_importing_loads_nothing_heavy() -> None:
    script = "import sys; before = set(sys.modules); import watchword; print(*sorted(set(sys.modules) - before))"
    # -S leaves out what site-packages' own start-up files import, which is not ours; the path is then given by hand.
    path = f"sys.path[:0] = {[entry for entry in sys.path if entry]!r}; "
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; " + path + script], capture_output=True, text=True, check=True
    )
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert "watchword" in loaded
    assert loaded.isdisjoint(LAZY)


def test_all_that_the_module_shows_is_public() -> None:
    own = {name for name, value in vars(watchword).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert own - {"annotations"} <= set(watchword.__all__)


def _needs_a_docstring(value: object) -> bool:
    # A literal type has no docstring of its own: watchword.types describes it in a comment.
    return typing.get_origin(value) is not typing.Literal and (inspect.isclass(value) or callable(value))


def _is_member(value: object) -> bool:
    return callable(value) or inspect.isdatadescriptor(value) or isinstance(value, (staticmethod, classmethod))


def test_every_public_name_is_documented() -> None:
    values = {f"{module.__name__}.{name}": getattr(module, name) for module, name in PUBLIC}
    assert [name for name, value in values.items() if _needs_a_docstring(value) and not inspect.getdoc(value)] == []


def test_every_public_member_is_documented() -> None:
    members = {
        f"{name}.{member}": value
        for module, name in CLASSES
        for member, value in vars(getattr(module, name)).items()
        if not member.startswith("_") and _is_member(value)
    }
    assert [member for member, value in members.items() if not inspect.getdoc(value)] == []


def _stub() -> ast.Module:
    return ast.parse((PACKAGE / "_kernel.pyi").read_text())


def _public_names(body: list[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_") or name == "__version__"}


def test_the_stub_has_the_kernels_names() -> None:
    runtime = {name for name in dir(_kernel) if not name.startswith("_") or name == "__version__"}
    assert _public_names(_stub().body) == runtime


def test_the_stub_has_the_members_of_the_kernels_classes() -> None:
    for cls in [node for node in _stub().body if isinstance(node, ast.ClassDef)]:
        runtime = {name for name in vars(getattr(_kernel, cls.name)) if not name.startswith("_")}
        assert _public_names(cls.body) == runtime, cls.name


@pytest.mark.slow
def test_the_stub_has_the_kernels_signatures() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", "watchword._kernel"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
