"""``watchword serve``: the server of verdicts that a proxy asks."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from watchword.cli import check
from watchword.cli.command_error import CommandError
from watchword.cli.stop_signals import StopSignals
from watchword.cli.terminal import escaped
from watchword.gate import ConfigError, GateConfig

if TYPE_CHECKING:
    from watchword.serve import Host

_DESCRIPTION = """\
Answers the requests of a proxy (nginx auth_request, Caddy forward_auth, Envoy
ext_authz, HAProxy, Traefik ForwardAuth) with verdicts: whether a client's
request may pass, and who sent it. The configuration is that of a gate, with a
section [server].

It runs until SIGTERM or SIGINT, and loads the configuration again on SIGHUP and
when its file changes; one that is invalid is reported, and the one before stays
in use. Decisions are logged to standard output, everything else to standard
error.

Exit status: 0 ended by a signal, or --check: valid, or --ready: ready; 1 the
configuration is invalid, or the server is not ready; 2 a usage error, or it
cannot listen."""

_EXAMPLES = """\
examples:
  watchword serve --config gate.toml --check
  watchword serve --config gate.toml
  watchword serve --config gate.toml --listen unix:/run/watchword/gate.sock
  watchword serve --config gate.toml --ready"""

#: Between two looks at the files of the configuration, in seconds.
_INTERVAL = 1.0

#: How long --ready waits for an answer, in seconds.
_TIMEOUT = 5.0


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "serve",
        help="answer a proxy's requests for verdicts",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", required=True, metavar="FILE", help="TOML, or JSON if its name ends in .json")
    parser.add_argument(
        "--listen",
        action="append",
        metavar="ADDRESS",
        help="127.0.0.1:9200, or unix: and a path, instead of those of the configuration (may be repeated)",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--check", action="store_true", help="check the configuration, and end")
    only.add_argument("--ready", action="store_true", help="ask the running server whether it is ready, and end")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes. Returns the exit status."""
    if arguments.check:
        return _check(arguments.config)
    if arguments.ready:
        return _ask(arguments.config)
    _log_to_stderr()
    # Before anything is opened, so that no signal is lost.
    with StopSignals(signal.SIGHUP) as signals:
        try:
            host = _started(arguments)
        except ConfigError as error:
            for problem in error.problems:
                print(escaped(problem.describe(arguments.config)), file=sys.stderr)
            return 1
        _serve(host, signals)
    return 0


def _started(arguments: argparse.Namespace) -> Host:
    # Imported here: no other command needs it.
    from watchword.serve import Host

    _check_readable(arguments.config)
    try:
        host = Host(arguments.config, listen=arguments.listen)
        host.start()
    except ConfigError:
        raise
    except OSError as error:
        raise CommandError(f"it cannot listen: {error}. Set listen and status_listen to free addresses.") from None
    except ValueError as error:
        raise CommandError(f"{error}.") from None
    return host


def _serve(host: Host, signals: StopSignals) -> None:
    from watchword.serve.systemd import Notifier

    log = logging.getLogger("watchword.serve")
    notifier = Notifier()
    log.info("listening at %s; status at %s", " ".join(host.addresses), " ".join(host.status_addresses) or "no address")
    notifier.ready()
    interval = _INTERVAL if notifier.interval is None else min(_INTERVAL, notifier.interval)
    while not signals.wait(interval):
        if signals.take(signal.SIGHUP) or host.files_have_changed():
            notifier.reloading()
            is_used = host.reload()
            notifier.status("" if is_used else "the configuration was not reloaded: see the log")
            notifier.ready()
        if not host.stuck():
            notifier.watchdog()
    notifier.stopping()
    log.info("stopping")
    host.stop()
    log.info("stopped")


def _log_to_stderr() -> None:
    # The journal has the time of each line itself.
    prefix = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=prefix + "%(levelname)s %(name)s: %(message)s")
    # Not what the HTTP client says of each request.
    for name in ("httpx2", "httpcore2", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _check(path: str) -> int:
    from watchword.serve.settings import ReplayedInServer, server_settings

    errors, warnings, config = check.examine(path, replay=ReplayedInServer())
    if config is not None:
        try:
            server_settings(config)
        except ConfigError as error:
            errors += error.problems
    check.print_problems(path, errors, warnings, config)
    return 1 if errors else 0


def _check_readable(path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give a configuration in TOML or JSON.") from None


def _ask(path: str) -> int:
    """Return 0 if the server of this configuration is ready."""
    _check_readable(path)
    try:
        server = GateConfig.from_file(path).server
    except ConfigError as error:
        raise CommandError(f"the configuration is invalid: {error}") from None
    addresses = () if server is None else server["status_listen"]
    if not addresses:
        raise CommandError("the configuration has no status_listen, where readiness could be asked.")
    try:
        with contextlib.closing(_connection(addresses[0])) as connection:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            body = answer.read(65536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        print(f"not ready: {addresses[0]}: {error}")
        return 1
    print(escaped(body.strip()))
    return 0 if answer.status == 200 else 1


def _connection(address: str) -> http.client.HTTPConnection:
    if address.startswith("unix:"):
        connection = http.client.HTTPConnection("localhost", timeout=_TIMEOUT)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(_TIMEOUT)
        connection.sock.connect(address.removeprefix("unix:"))
        return connection
    host, _, port = address.rpartition(":")
    # A server that listens at all addresses is on loopback, too.
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - not listened at
    return http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT)
