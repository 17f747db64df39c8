"""States of a server, for its status page."""

from __future__ import annotations

from typing import Any

from watchword import KeySet
from watchword.jwks import Stats
from watchword.serve.history import MINUTES, Minute
from watchword.serve.records import Rejection
from watchword.serve.state import IssuerState, Reload, ServerState
from watchword.testing import LocalIssuer

NOW = 1_763_800_000.0

KEYS = LocalIssuer("https://as.example", algorithms=("ES256", "EdDSA"))


def history(**numbers: tuple[int, int]) -> tuple[Minute, ...]:
    """An hour; ``m5=(100, 3)`` are the allowed and rejected requests five minutes ago."""
    start = int(NOW // 60) * 60
    return tuple(Minute(start - 60 * ago, *numbers.get(f"m{ago}", (0, 0))) for ago in range(MINUTES - 1, -1, -1))


def issuer(name: str, key_set: KeySet | None, **stats: Any) -> IssuerState:
    return IssuerState(name, key_set, Stats(**stats))


def state(**changes: Any) -> ServerState:
    keys = KEYS.key_set()
    usual: dict[str, Any] = {
        "now": NOW,
        "version": "0.1.0",
        "started_at": NOW - 86_400,
        "config_file": "/etc/watchword/gate.toml",
        "loaded_at": NOW - 3_600,
        "refused": None,
        "reloads": {"applied": 2, "refused": 0},
        "proxy": "nginx",
        "addresses": ("127.0.0.1:9200", "unix:/run/watchword/gate.sock"),
        "stopping": False,
        "missing": (),
        "issuers": (
            issuer("https://as.example", keys, keys=2, age=122.0, refresh_in=113.0, expires_in=3_778.0, fetches=9),
        ),
        "routes": 3,
        "token_cache": None,
        "counters": {
            "verdicts": {
                ("https://as.example", "allowed", "Bearer", "true", "/orders/{id}"): 123_456,
                ("https://as.example", "allowed", "Bearer", "false", "/orders/{id}"): 1_234,
                ("https://as.example", "expired", "Bearer", "false", "/orders/{id}"): 45,
                ("", "missing_token", "", "false", "/orders/{id}"): 12,
                ("", "no_route", "", "false", ""): 2,
            },
            "connections": 12,
            "connections_accepted": 345,
            "connections_refused": 0,
            "connections_limit": 16_384,
            "bad_requests": 3,
            "replay_size": 17,
            "replay_capacity": 1_000_000,
        },
        "history": history(**{f"m{ago}": (2_000 + 37 * ago % 700, ago % 7) for ago in range(45)}),
        "rejections": tuple(
            Rejection(NOW - 3 * number, code, status, route, who, "4bf92f3577b34da6a3ce929d0e0e4736")
            for number, (code, status, route, who) in enumerate(
                [
                    ("expired", 401, "/orders/{id}", "https://as.example"),
                    ("missing_token", 401, "/orders/{id}", None),
                    ("no_route", 403, None, None),
                ]
            )
        ),
    }
    return ServerState(**{**usual, **changes})


REFUSED = Reload(NOW - 60, 'gate.toml:13:1: routes[0].method: unknown key; did you mean "methods"?\ngate.toml:2:1: x')
