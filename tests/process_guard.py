"""Run a server for as long as its standard input is open, then ends it with every process that it started.

    python process_guard.py COMMAND...

The other end of the standard input is held by the test run. However that ends (killed, too), the pipe closes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

#: Seconds between asking and insisting; shorter than what `server_process.stop` allows.
GRACE = 5.0


def main(command: list[str]) -> int:
    stopping = threading.Event()
    # First, so that there is no moment at which a signal would end this process and leave the server.
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    # A standard input of its own, for servers that watch theirs; a session of its own, to be signalled as a whole.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def signal_all(number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    def stop_when_asked() -> None:
        stopping.wait()
        signal_all(signal.SIGTERM)
        time.sleep(GRACE)
        signal_all(signal.SIGKILL)

    def ask_at_end_of_input() -> None:
        while os.read(0, 1024):
            pass
        stopping.set()

    for work in (stop_when_asked, ask_at_end_of_input):
        threading.Thread(target=work, daemon=True).start()
    returned = process.wait()
    # What it started may have outlived it.
    signal_all(signal.SIGKILL)
    return returned if returned >= 0 else 128 - returned


if __name__ == "__main__":
    # Without the interpreter's own clean-up, which would wait for the threads.
    os._exit(main(sys.argv[1:]))
