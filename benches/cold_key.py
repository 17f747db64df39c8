"""Watchword without tables, as a contender in another process's rounds: see :class:`contender.Child`.

A table belongs to the process, and so does the switch that turns them off.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from contender import Over
from libraries import check

import watchword


def main() -> None:
    task: dict[str, Any] = json.loads(sys.stdin.readline())
    if hasattr(watchword, "tables"):
        watchword.tables.configure(max_bytes=0)
    keys = watchword.KeySet.from_json(task["jwks"])
    policy = watchword.Policy(issuer=task["issuer"], audience=task["audience"], algorithms=[task["algorithm"]])

    def verify(token: str) -> Any:
        return watchword.verify(token, keys, policy)

    check("Watchword", verify, task["tokens"], task["forged"] + task["unfit"])
    contender = Over(verify, task["tokens"])
    print("ready", flush=True)
    for line in sys.stdin:
        print(contender.turn(int(line)), flush=True)


if __name__ == "__main__":
    main()
