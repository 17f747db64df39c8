"""gRPC servers: interceptors that check every RPC, for ``grpc.server`` and for ``grpc.aio.server``.

They need the package ``grpcio``: ``pip install "watchword[grpc]"``.
"""

from __future__ import annotations

from watchword.integrations.grpc.aio_interceptor import AioGateInterceptor
from watchword.integrations.grpc.gated_context import current_decision, current_token
from watchword.integrations.grpc.interceptor import GateInterceptor

__all__ = ["AioGateInterceptor", "GateInterceptor", "current_decision", "current_token"]
