"""For tests only: an in-memory issuer, for the tests of applications that verify tokens.

Its private keys are in this process, it serves plain HTTP on loopback, and it signs whatever it is asked to sign. Do
not use it in production::

    from watchword.testing import LocalIssuer

    issuer = LocalIssuer()
    token = issuer.mint(sub="alice", scope="orders:read")
    assert issuer.verifier().verify(token).subject == "alice"

    for bad in issuer.defects():  # every kind of bad token, by name, with the expected error code
        ...

    client.request(**issuer.sign_request("GET", url, scope="orders:read", dpop=True).for_httpx())

    with issuer.serve() as served:  # the same keys over HTTP on a free loopback port, with discovery
        assert served.verifier().verify(served.mint())

Importing this module imports ``cryptography``, which signs.
"""

from watchword.testing.client_certificate import ClientCertificate
from watchword.testing.defects import BadToken, Defect
from watchword.testing.local_issuer import LocalIssuer
from watchword.testing.request_defects import BadRequest, RequestDefect
from watchword.testing.request_signing import RequestAuth, forged_identity_headers
from watchword.testing.served_issuer import ServedIssuer
from watchword.testing.signed_request import SignedRequest
from watchword.testing.signing_key import ALGORITHMS

__all__ = [
    "ALGORITHMS",
    "BadRequest",
    "BadToken",
    "ClientCertificate",
    "Defect",
    "LocalIssuer",
    "RequestAuth",
    "RequestDefect",
    "ServedIssuer",
    "SignedRequest",
    "forged_identity_headers",
]
