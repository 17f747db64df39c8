"""The metrics of a server in Prometheus' text format, which needs no package to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from typing import Any

from watchword.observability.instruments import DURATION, KEYS, REPLAY_CAPACITY, REPLAY_PROOFS, VERDICTS, Instrument

#: As those of a gate in Python, with the route: its name in the configuration, never a path of a request.
SERVER_VERDICTS = replace(
    VERDICTS,
    description=VERDICTS.description.removesuffix(".") + ", and the route.",
    labels=(*VERDICTS.labels, "route"),
)


def _counter(name: str, unit: str, description: str, *labels: str) -> Instrument:
    return Instrument(f"watchword.server.{name}", "counter", unit, description, labels)


def _gauge(name: str, unit: str, description: str, *labels: str) -> Instrument:
    return Instrument(f"watchword.server.{name}", "gauge", unit, description, labels)


#: By the counter of the server.
SERVER = {
    "connections": _gauge("connections", "{connection}", "Open connections."),
    "connections_limit": _gauge("connections_limit", "{connection}", "Connections that may be open."),
    "connections_accepted": _counter("connections_accepted", "{connection}", "Connections that were accepted."),
    "connections_refused": _counter(
        "connections_refused", "{connection}", "Connections that were refused, as all others were being answered."
    ),
    "connections_evicted": _counter(
        "connections_evicted", "{connection}", "Connections that were closed for new ones, as they had waited longest."
    ),
    "connections_timed_out": _counter("connections_timed_out", "{connection}", "Connections that a timeout closed."),
    "bad_requests": _counter("bad_requests", "{request}", "Connections that were closed, as they sent no HTTP/1.1."),
    "accept_errors": _counter(
        "accept_errors", "{error}", "Failed attempts to accept a connection: mostly, no file descriptor was left."
    ),
    "lookups": _counter("key_lookups", "{lookup}", "Look-ups of keys that requests waited for."),
    "lookups_waiting": _gauge("key_lookups_waiting", "{request}", "Requests that wait for keys."),
    "lookups_failed": _counter(
        "key_lookups_failed", "{request}", "Requests that waited for keys too long, or with too many others."
    ),
    "replay_errors": _counter("replay_errors", "{proof}", "Proofs for which the shared replay store was unavailable."),
    "replay_connects": _counter("replay_connects", "{connection}", "Connections to the shared replay store."),
    "records_dropped": _counter(
        "records_dropped", "{record}", "Decisions that did not reach the decision log, as too many were waiting."
    ),
    "replay_size": REPLAY_PROOFS,
    "replay_capacity": REPLAY_CAPACITY,
}

READY = _gauge("ready", "", "1 if the server is ready, 0 if keys are missing or it stops.")
RELOADS = _counter("config_reloads", "{reload}", "Reloads of the configuration: applied, refused.", "result")
LAST_RELOAD = _gauge("config_last_reload_successful", "", "0 if the last reload was refused, otherwise 1.")
LOADED_AT = _gauge("config_loaded_timestamp", "s", "When the configuration in use was loaded, in Unix seconds.")
TABLES = _gauge("key_tables", "By", "Memory of the precomputed tables of keys (docs/speed.md).")

Values = Mapping[tuple[str, ...], float]


def exposition(stats: Mapping[str, Any], others: Mapping[Instrument, Values]) -> bytes:
    """Return the counters of the server, and other instruments with their values by labels, as text."""
    verdicts = stats.get("verdicts", {})
    others = {**others, KEYS["unavailable"]: _without_keys(verdicts, others.get(KEYS["unavailable"], {}))}
    values = {SERVER_VERDICTS: verdicts}
    values |= {instrument: {(): stats[name]} for name, instrument in SERVER.items() if stats.get(name) is not None}
    lines = [line for instrument, found in {**values, **others}.items() for line in _family(instrument, found)]
    lines += _histogram(stats.get("bounds", ()), stats.get("seconds", {}))
    return "".join(f"{line}\n" for line in lines).encode()


def _without_keys(verdicts: Values, issuers: Values) -> Values:
    """Return how many requests were rejected for want of keys, by issuer.

    The sources of keys count calls: those of the server's own looks, and one for all the requests that wait together.
    """
    found = dict.fromkeys(issuers, 0.0)
    for (issuer, code, *_), count in verdicts.items():
        if code == "keys_unavailable" and (issuer,) in found:
            found[issuer,] += count
    return found


def _family(instrument: Instrument, values: Values) -> Iterator[str]:
    name = instrument.prometheus_name + ("_total" if instrument.kind == "counter" else "")
    yield from _head(name, instrument)
    for labels, value in values.items():
        yield f"{name}{_labels(zip(instrument.labels, labels, strict=True))} {_number(value)}"


def _histogram(bounds: Iterable[float], values: Mapping[tuple[str, ...], tuple[list[int], float]]) -> Iterator[str]:
    name = DURATION.prometheus_name
    yield from _head(name, DURATION)
    limits = [*(_number(bound) for bound in bounds), "+Inf"]
    for labels, (counts, total) in values.items():
        pairs = list(zip(DURATION.labels, labels, strict=True))
        count = 0
        for limit, count in zip(limits, accumulate(counts), strict=True):
            yield f"{name}_bucket{_labels([*pairs, ('le', limit)])} {count}"
        yield f"{name}_sum{_labels(pairs)} {_number(total)}"
        yield f"{name}_count{_labels(pairs)} {count}"


def _head(name: str, instrument: Instrument) -> Iterator[str]:
    yield f"# HELP {name} {instrument.description}"
    yield f"# TYPE {name} {instrument.kind}"


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
    return f"{{{written}}}" if written else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


__all__ = ["LAST_RELOAD", "LOADED_AT", "READY", "RELOADS", "SERVER", "SERVER_VERDICTS", "TABLES", "exposition"]
