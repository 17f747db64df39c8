"""A gate for Django: a middleware for all requests, a decorator for those of one view.

The setting ``WATCHWORD_GATE`` names the gate: the dotted path of a :class:`watchword.gate.Gate`, or the path of its
TOML file. With ``"watchword.integrations.django"`` in ``INSTALLED_APPS``, ``manage.py check`` checks it.
"""

try:
    import django as _django  # noqa: F401  # before the submodules, for one clear error
except ImportError as error:
    raise ImportError("this integration needs Django: pip install 'watchword[django]'") from error

from watchword.integrations.django.decorators import authenticated
from watchword.integrations.django.middleware import GateMiddleware
from watchword.integrations.django.setting import get_gate
from watchword.integrations.django.signals import request_allowed, request_rejected

__all__ = ["GateMiddleware", "authenticated", "get_gate", "request_allowed", "request_rejected"]
