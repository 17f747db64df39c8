"""Makes the blocks of a log with several processes, in their order and in bounded memory."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import multiprocessing
import os
from collections.abc import Iterator

import pyarrow as pa

from watchword.testing.token_log.columns import log_batch, truth_batch
from watchword.testing.token_log.log import TokenLog

_Batches = tuple[pa.RecordBatch, pa.RecordBatch]

#: The logs of a worker process: one, whose keys are made once.
_LOGS: list[TokenLog] = []


def batches(log: TokenLog, processes: int | None = None) -> Iterator[_Batches]:
    """Yield, for each block, its rows as an auditor gets them, and the truth about them.

    ``processes`` sign (``None``: one for each processor). With 1, this process does; otherwise new processes are
    spawned, so a program must call this below ``if __name__ == "__main__"``.
    """
    count = min(processes or os.cpu_count() or 1, log.blocks)
    if count == 1:
        yield from (_block(log, number) for number in range(log.blocks))
        return
    arguments = (log.rows, log.seed, log.uses_per_token, log.proofs)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(count, spawn, initializer=_start, initargs=arguments) as pool:
        numbers = iter(range(log.blocks))
        # No more than are worked on, and as many again: a slow disk must not fill the memory.
        waiting = collections.deque(pool.submit(_in_worker, number) for number in itertools.islice(numbers, 2 * count))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(_in_worker, number) for number in itertools.islice(numbers, 1))
            yield made


def _start(rows: int, seed: int, uses_per_token: int, proofs: bool) -> None:  # noqa: FBT001 - arguments of a process
    _LOGS.append(TokenLog(rows, seed=seed, uses_per_token=uses_per_token, proofs=proofs))


def _in_worker(number: int) -> _Batches:
    return _block(_LOGS[0], number)


def _block(log: TokenLog, number: int) -> _Batches:
    rows = log.block(number)
    return log_batch(rows, proofs=log.proofs), truth_batch(rows, first_row=log.first_row(number))
