"""What systemd is told of a service: sd_notify(3), a datagram to a socket."""

from __future__ import annotations

import contextlib
import os
import socket
import time


class Notifier:
    """Tells the service manager that started this process, if there is one: nothing otherwise. Never raises."""

    def __init__(self) -> None:
        name = os.environ.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is in the abstract namespace.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        #: How often :meth:`watchdog` must be called, in seconds; ``None``: never.
        self.interval = _watchdog_interval() if self._address else None

    def ready(self) -> None:
        """Tell that the service listens, for the first time or after a reload."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Tell that a reload has begun; :meth:`ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Tell that the service ends."""
        self._send("STOPPING=1")

    def status(self, sentence: str) -> None:
        """Set the sentence that ``systemctl status`` shows."""
        self._send("STATUS=" + " ".join(sentence.split()))

    def watchdog(self) -> None:
        """Tell that the service is alive."""
        if self.interval is not None:
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0)
            sender.sendto(message.encode(), self._address)


def _watchdog_interval() -> float | None:
    """Return half of the time after which systemd ends a silent service."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(os.environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 2e6 if microseconds > 0 else None


__all__ = ["Notifier"]
