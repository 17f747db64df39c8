"""For tests only: an issuer in memory, for the tests of applications that verify tokens.

Its private keys live in this process, it speaks plain http on loopback, and it signs whatever it is asked to sign.
Nothing here belongs in a program that answers anybody but a test::

    from watchword.testing import LocalIssuer

    issuer = LocalIssuer()
    token = issuer.mint(sub="alice", scope="orders:read")
    assert issuer.verifier().verify(token).subject == "alice"

    for bad in issuer.defects():  # every kind of bad token, by name, with the code it must get
        ...

    with issuer.serve() as served:  # the same keys over http on a free loopback port, with discovery
        assert served.verifier().verify(served.mint())

Importing this imports ``cryptography``, which signs.
"""

from watchword.testing.defects import BadToken, Defect
from watchword.testing.local_issuer import LocalIssuer
from watchword.testing.served_issuer import ServedIssuer
from watchword.testing.signing_key import ALGORITHMS

__all__ = ["ALGORITHMS", "BadToken", "Defect", "LocalIssuer", "ServedIssuer"]
