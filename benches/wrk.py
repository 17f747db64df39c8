"""wrk, and the CPU time of a server's processes meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from process_tree import cpu_seconds, spent_since

CONNECTIONS = 16

#: Sends a request for each line of a file: its tab-separated headers.
SCRIPT = """
local requests, at = {}, 0
function init()
  for line in io.lines(os.getenv("REQUESTS")) do
    local headers = { Host = "api.example", ["User-Agent"] = "wrk", Accept = "application/json" }
    for name, value in line:gmatch("([^\\t:]+): ([^\\t]+)") do headers[name] = value end
    requests[#requests + 1] = wrk.format("GET", os.getenv("TARGET"), headers)
  end
  at = tonumber(os.getenv("FIRST")) % #requests
end
function request() at = at % #requests + 1; return requests[at] end
function done(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.timeout, latency:percentile(99)))
end
"""


def bearer(token: str) -> str:
    """Return a line of such a file: a request with this token."""
    return f"Authorization: Bearer {token}"


@dataclass(frozen=True)
class Turn:
    """``rate`` is in requests per second, ``cpu`` and ``p99`` in microseconds, ``cpu`` for each request."""

    rate: float
    cpu: float
    p99: float


def turn(
    port: int, target: str, requests: Path, processes: Sequence[int], *, seconds: float, folder: Path, first: int = 0
) -> Turn:
    """Send requests to ``port`` for some seconds, beginning with number ``first``; all must be answered 200.

    ``processes`` are those whose CPU time is counted, with their children. Raises ``SystemExit`` if a request fails.
    """
    script = folder / "wrk.lua"
    script.write_text(SCRIPT)
    before = cpu_seconds(processes)
    output = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", str(script), f"http://127.0.0.1:{port}"],
        env={**os.environ, "REQUESTS": str(requests), "TARGET": target, "FIRST": str(first)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cpu = spent_since(before, processes)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None or found[3] != "0" or found[4] != "0":
        raise SystemExit(f"port {port}, {target}: a request failed:\n{output}")
    count, duration, p99 = int(found[1]), int(found[2]), int(found[5])
    return Turn(count / duration * 1e6, cpu / count * 1e6, p99)
