"""Time to read and check chains at 1x, 10x and 100x the length: ten times the input takes about ten times the time.

python benches/delegation_scaling.py
"""

from __future__ import annotations

import hashlib
import json
import timeit
from collections.abc import Callable
from typing import Any

import watchword as ww

#: Bytes of the shortest input of each row.
BASE = 10_000


def padded_act(size: int) -> str:
    """31 acts, with all other members in the innermost one: a reader level by level would read them 31 times."""
    inner = '{"sub":"a","pad":"' + "x" * size + '"}'
    return '{"sub":"user:ada","act":' + '{"sub":"a","act":' * 30 + inner + "}" * 31


def wide_act(size: int) -> str:
    """One act with many members."""
    members = ",".join(f'"m{index:06}":1' for index in range(size // 12))
    return '{"act":{"sub":"a",' + members + "}}"


def records(size: int, scopes: Callable[[int], list[str]], scope: Callable[[int], list[str]]) -> str:
    """Two records with many scopes each, hashed."""
    count = size // 60
    chain = [
        {"agent": f"a{index}", "scope": scopes(count), "delegated_at": "2026-01-01T00:00:00Z", "signature": ""}
        for index in range(2)
    ]
    digest = hashlib.sha256(json.dumps(chain, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"sub": "b", "scope": scope(count), "delegation_chain": chain, "chain_hash": digest})


def exact(count: int) -> list[str]:
    return [f"read:data:{index:08}" for index in range(count)]


def crossed(count: int) -> list[str]:
    """The same scopes in reverse: comparing each with each would search the whole list for every one."""
    return exact(count)[::-1]


def escaped(size: int) -> str:
    """A name of which every character is escaped in the hashed text."""
    agent = "<" * (size // 2)
    written = json.dumps([{"agent": agent, "scope": [], "delegated_at": "t", "signature": ""}], separators=(",", ":"))
    digest = hashlib.sha256(written.replace("<", "\\u003c").encode()).hexdigest()
    chain = [{"agent": agent, "scope": [], "delegated_at": "t", "signature": ""}]
    return json.dumps({"sub": "b", "delegation_chain": chain, "chain_hash": digest})


def read_act(text: str) -> Any:
    ww.DelegationChain.from_act(text).check()


def read_records(text: str) -> Any:
    ww.DelegationChain.from_records(text).check()


ROWS: dict[str, tuple[Callable[[int], str], Callable[[str], Any]]] = {
    "act, 31 levels, padded inside": (padded_act, read_act),
    "act, one level, many members": (wide_act, read_act),
    "records, many scopes": (lambda size: records(size, exact, exact), read_records),
    "records, many scopes, crossed": (lambda size: records(size, exact, crossed), read_records),
    "records, every character escaped": (escaped, read_records),
}


def main() -> None:
    print(f"{'input':<34} {'bytes':>10} {'microseconds':>13} {'ns/byte':>8}")
    for name, (make, read) in ROWS.items():
        for factor in (1, 10, 100):
            text = make(BASE * factor)
            number = max(3, 3000 // factor)
            seconds = min(timeit.repeat(lambda text=text, read=read: read(text), number=number, repeat=5)) / number
            print(f"{name:<34} {len(text):>10} {seconds * 1e6:>13.1f} {seconds * 1e9 / len(text):>8.2f}")


if __name__ == "__main__":
    main()
