"""Ten thousand idle and slow connections do not stop others from being answered."""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap

import pytest
from test_server_binding import bearer, check, running

from watchword.testing import LocalIssuer

COUNT = 10_000

# In a process of its own, as a process has so many file descriptors once.
SLOW_CLIENTS = textwrap.dedent(
    """
    import resource, select, socket, sys
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    for number in range(count):
        client = socket.create_connection((host, port))
        if number % 2:
            client.sendall(b"GET / HTTP/1.1\\r\\nX-Original-URI: /health\\r\\n")
        clients.append(client)
    print("open", flush=True)
    # Half of them go on, one byte at a time.
    while not select.select([sys.stdin], [], [], 0)[0]:
        for client in clients[1::2]:
            try:
                client.send(b"X")
            except OSError:
                pass
    """
)


def test_ten_thousand_idle_and_slow_connections_do_not_stop_others() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < COUNT + 1000:
        pytest.skip(f"this process may have {hard} file descriptors only")
    issuer = LocalIssuer()
    token = bearer(issuer, scope="orders:read")
    # Once with room for all of them, and once with a tenth of it.
    for limit in (COUNT + 500, COUNT // 10):
        settings = {"max_connections": limit, "header_timeout": 3600}
        with running(issuer, settings=settings) as server:
            host, _, port = server.addresses[0].rpartition(":")
            command = [sys.executable, "-c", SLOW_CLIENTS, host, port, str(COUNT)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
                assert clients.stdin is not None
                assert clients.stdout is not None
                assert clients.stdout.readline() == "open\n"
                for _ in range(50):
                    assert check(server, "/orders/7", token)[0] == 200
                stats = server.stats()
                assert stats["connections_refused"] == 0
                assert stats["connections"] <= limit
                assert (stats["connections_evicted"] > 0) == (limit < COUNT)
                clients.stdin.write("stop\n")
                clients.stdin.close()
                clients.wait()
