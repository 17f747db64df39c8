"""The progress of an audit on standard error: how much is done, how fast, and how long it takes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from watchword.audit.inputs import Input


@contextlib.contextmanager
def progress_bar(inputs: Sequence[Input], *, quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    """Yield what is called with bytes that were read, rows, and how many of them are valid.

    Nothing is shown if standard error is not a terminal.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from tqdm import tqdm

    # Its thread, which would redraw a bar that stands still.
    tqdm.monitor_interval = 0
    rows = invalid = 0
    with tqdm(total=_size(inputs), unit="B", unit_scale=True, file=sys.stderr, dynamic_ncols=True) as bar:

        def progress(read: int, some: int, valid: int) -> None:
            nonlocal rows, invalid
            rows, invalid = rows + some, invalid + some - valid
            elapsed = bar.format_dict["elapsed"] or 0
            speed = f", {rows / elapsed:,.0f} a second" if elapsed >= 1 else ""
            bar.set_postfix_str(f"{rows:,} rows, {invalid:,} invalid{speed}", refresh=False)
            bar.update(read)

        yield progress


def _size(inputs: Sequence[Input]) -> int | None:
    """Return the bytes of all inputs; ``None`` if that is unknown."""
    if any(one.is_standard_input for one in inputs):
        return None
    total = 0
    for one in inputs:
        with contextlib.suppress(OSError):
            total += os.stat(one.path).st_size
    return total
