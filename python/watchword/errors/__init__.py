"""The closed set of verification errors: one exception class for each code.

A class has the code, and what an HTTP server answers (RFC 6750 section 3.1, RFC 9449 section 7.1). To add an error, add
its code to :class:`ErrorCode` and its class to one of these modules; ``watchword`` lists those that it publishes, too.

A caller's own mistake (a policy that cannot be met, a token that is not text) is a ``ValueError`` or a ``TypeError``,
never a :class:`VerificationError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.errors import authentication, code, delegation, dpop, key_set, request, scope, token, verification
from watchword.errors.authentication import *  # noqa: F403
from watchword.errors.code import *  # noqa: F403
from watchword.errors.delegation import *  # noqa: F403
from watchword.errors.dpop import *  # noqa: F403
from watchword.errors.key_set import *  # noqa: F403
from watchword.errors.request import *  # noqa: F403
from watchword.errors.scope import *  # noqa: F403
from watchword.errors.token import *  # noqa: F403
from watchword.errors.verification import *  # noqa: F403

if TYPE_CHECKING:
    from watchword._kernel import _Evidence
    from watchword.errors.verification import VerificationError


def from_code(code: str, detail: str, evidence: _Evidence | None = None) -> VerificationError:
    """Return the exception for a verdict of the kernel; called by the binding.

    Raises ``KeyError`` if there is no class for the code.
    """
    error = verification.CLASSES[code](detail)
    error._evidence = evidence
    return error


__all__ = ["from_code"]
__all__ += authentication.__all__
__all__ += code.__all__
__all__ += delegation.__all__
__all__ += dpop.__all__
__all__ += key_set.__all__
__all__ += request.__all__
__all__ += scope.__all__
__all__ += token.__all__
__all__ += verification.__all__
