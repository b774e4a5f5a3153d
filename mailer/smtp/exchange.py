"""HTTP requests whose answer has an end, in time and in size."""

from __future__ import annotations

import time
from typing import Any

from requests import PreparedRequest, Response, Timeout
from requests.adapters import HTTPAdapter

from mailer.smtp.aside import begin

# The most that an answer's body may be, unpacked; tokens are of a few kilobytes.
_MOST_OCTETS = 65_536
_PIECE = 8192


class Exchange(HTTPAdapter):
    """Carries requests whose `timeout`, in seconds, holds for everything up to the last octet of the answer's body.

    ValueError is raised where that is not there by then, or is too long.
    """

    def send(self, request: PreparedRequest, *args: Any, **terms: Any) -> Response:
        """As requests has it, but the body is read, whatever `stream` says."""
        timeout: float = terms["timeout"]
        ends_at = time.monotonic() + timeout

        def carry() -> Response:
            response = super(Exchange, self).send(request, *args, **{**terms, "stream": True})
            try:
                response._content = _body(response, ends_at)
            except BaseException:
                response.close()
                raise
            return response

        try:
            # The timeout of a socket begins anew with each octet, and looking up a name has none.
            return begin(carry).result(timeout)
        except (TimeoutError, Timeout):
            raise ValueError(f"no complete answer within {timeout:g} seconds") from None


def _body(response: Response, ends_at: float) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > _MOST_OCTETS:
            raise ValueError(f"its answer is longer than {_MOST_OCTETS // 1024} KiB")
        if time.monotonic() > ends_at:
            raise TimeoutError  # nobody waits any more
    return bytes(body)
