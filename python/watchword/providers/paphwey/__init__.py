"""Paphwey's attestations, verified offline under the names of the package ``paphwey``.

    from watchword.providers.paphwey.verify import OfflineVerifier

:mod:`.verify` has the verifiers, :mod:`.models` the models (pydantic), :mod:`.errors` the exceptions, :mod:`.testing`
helpers for tests. Install with ``watchword[paphwey]``. ``docs/providers/paphwey.md`` lists what is checked.
"""
