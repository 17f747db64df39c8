"""``python soak_application.py FOLDER``: the application behind the gateway, which answers with the request's head.

It writes its port to ``FOLDER/port``, and runs until its standard input is closed.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in (".", "gateways")]

from upstream import Seen, recording


def _echo(seen: Seen) -> bytes:
    length = str(len(seen.head)).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + length + b"\r\n\r\n" + seen.head


def main() -> None:
    folder = Path(sys.argv[1])
    with recording(_echo, keep=False) as upstream:
        # By a rename, so that whoever waits for the file reads all of it.
        (folder / "port.new").write_text(str(upstream.port))
        (folder / "port.new").rename(folder / "port")
        sys.stdin.read()


if __name__ == "__main__":
    main()
