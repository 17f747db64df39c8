"""Paphwey's attestations, verified offline under the names of the package ``paphwey``.

    from watchword.providers.paphwey.verify import OfflineVerifier

:mod:`.verify` verifies, :mod:`.models` has the shapes (pydantic), :mod:`.errors` the exceptions, :mod:`.testing` what
tests need. It takes the extra ``watchword[paphwey]``. ``docs/providers/paphwey.md`` says what is checked.
"""
