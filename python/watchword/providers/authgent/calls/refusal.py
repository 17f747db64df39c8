"""An answer of authgent-server that is not a success, as an exception."""

from __future__ import annotations

from typing import Any

from watchword.client import Answer, CallError, InvalidAnswerError, retry_after_seconds, server_text
from watchword.providers.authgent.errors import ServerError

#: The codes that a message may name: RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 9449, RFC 7591 section 3.2.2,
#: and authgent-server's own. Another text could be anything, such as the secret that was sent.
_CODES = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
        *("invalid_scope", "invalid_target", "invalid_dpop_proof", "use_dpop_nonce", "invalid_redirect_uri"),
        *("invalid_client_metadata", "invalid_software_statement", "unapproved_software_statement"),
        *("access_denied", "agent_not_found", "delegation_depth_exceeded", "insufficient_scope", "may_act_violation"),
        *("scope_escalation", "server_error", "step_up_required", "token_revoked"),
    }
)


def refusal(answer: Answer, what: str) -> ServerError:
    """Return the exception for an answer that is not a success; ``what`` names the call."""
    members = answer.members_if_any().raw
    code = server_text(members.get("error")) or server_text(members.get("error_code"))
    named = f" ({code})" if code in _CODES else ""
    return ServerError(
        f"{what} failed: the server answered {answer.status}{named}",
        status_code=answer.status,
        error=code,
        error_description=server_text(members.get("error_description")) or _detail(members.get("detail")),
        retry_after=retry_after_seconds(answer),
        request_id=server_text(answer.headers.get("x-request-id")),
    )


def unanswered(error: CallError) -> ServerError:
    """Return the exception for a call without a usable answer."""
    status = error.status if isinstance(error, InvalidAnswerError) else None
    return ServerError(f"no usable answer from the server: {error.detail}", status_code=status)


def _detail(detail: Any) -> str | None:  # noqa: ANN401  # of any JSON
    if not isinstance(detail, list):
        return server_text(detail)
    # Of each invalid member its name and the reason, and never ``input``, which quotes what was sent.
    found = [f"{_place(one.get('loc'))}: {server_text(one.get('msg'))}" for one in detail[:10] if isinstance(one, dict)]
    return server_text("; ".join(found))


def _place(loc: object) -> str:
    if not isinstance(loc, list):
        return "?"
    # The index of a list's element; a number of very many digits could not be written.
    parts = (str(part) if isinstance(part, int) and 0 <= part < 10_000 else server_text(part) for part in loc[:10])
    return ".".join(part or "?" for part in parts)


__all__ = ["refusal", "unanswered"]
