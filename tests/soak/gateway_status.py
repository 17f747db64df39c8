"""The pages of ``watchword serve`` for operators."""

from __future__ import annotations

import http.client


def page(port: int, path: str) -> str:
    """Return a page. Raises ``OSError`` if it does not answer 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise OSError(f"{path} answered {response.status}")
        return text
    finally:
        connection.close()


def metric(port: int, sample: str) -> float:
    """Return the value of one sample, which is given with its labels; 0 if there is none."""
    lines = page(port, "/metrics").splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == sample)
