"""The service that the table of requests (``gate_cases``) is sent to: its origin, its issuer, its routes."""

from __future__ import annotations

from typing import Any

ISSUER = "https://as.example"
ORIGIN = "https://api.example"
READ = "orders:read"

#: As the file of a gate has them, and as keywords of ``Route``.
ROUTES: tuple[dict[str, Any], ...] = (
    {"path": "/public", "public": True},
    {"path": "/optional", "optional": True},
    {"path": "/bound", "dpop": "required"},
    {"path": "/socket", "scopes": [READ]},
    {"path": "/orders/{id}", "methods": ["GET", "POST"], "scopes": [READ], "name": "order"},
)
