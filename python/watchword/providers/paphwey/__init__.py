"""Paphwey under the names of the package ``paphwey``: the clients of its gateway, and attestations verified offline.

    from watchword.providers.paphwey import AsyncPaphweyClient, PaphweyClient
    from watchword.providers.paphwey.verify import OfflineVerifier

:mod:`.client` has the clients, :mod:`.verify` the verifiers, :mod:`.models` the models (pydantic), :mod:`.errors` the
exceptions, :mod:`.testing` helpers for tests. Install with ``watchword[paphwey]``. ``docs/providers/paphwey.md`` lists
what is checked.
"""

from __future__ import annotations

from watchword.providers.paphwey.client import AsyncPaphweyClient, GatewayApi, PaphweyClient

__all__ = ["AsyncPaphweyClient", "GatewayApi", "PaphweyClient"]
