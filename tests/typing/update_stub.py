"""Copy the docstrings of the compiled kernel into its stub: ``python tests/typing/update_stub.py``.

Run it after a docstring in ``rust/python`` has changed and ``maturin develop`` has built it; then ``ruff format``.
"""

from __future__ import annotations

import subprocess
import sys

from kernel_stub import STUB, with_runtime_docstrings

before = STUB.read_text(encoding="utf-8")
STUB.write_text(with_runtime_docstrings(before), encoding="utf-8")
subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(STUB)], check=True)
print(f"{STUB}: {'as before' if STUB.read_text(encoding='utf-8') == before else 'changed'}")
