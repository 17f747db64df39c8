"""A loopback port for a server that can only be told its port's number."""

from __future__ import annotations

import random
import socket
from pathlib import Path

#: The first port that may be chosen: most services with a port of their own are below.
FIRST = 20_000

_given: set[int] = set()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free, and that no connection takes before the server listens.

    The kernel gives the ports of its ephemeral range (``ip_local_port_range``) to outgoing connections, so one that was
    free a moment ago may be in use when the server starts. The ports below that range are taken only by number. No port
    is returned twice by one process.
    """
    # Not the generator that Hypothesis seeds: two processes would try the same ports.
    chance, ports = random.SystemRandom(), range(FIRST, _first_ephemeral())
    # Where the range leaves none, the kernel chooses.
    for port in [*chance.sample(ports, min(100, len(ports))), 0]:
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            _given.add(found)
            return found
    raise OSError("no port of 127.0.0.1 is free")


def _first_ephemeral() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 49_152  # RFC 6335, section 6
