"""Errors as clients get them: problem objects after RFC 9457."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
LONGEST_DETAIL = 1000  # characters: what a client sent may be told back to it, but not all of it


class ProblemDetails(msgspec.Struct, forbid_unknown_fields=True):
    """The object that tells a client why its request is refused."""

    type: str
    title: str
    status: int
    detail: Annotated[str, msgspec.Meta(description="What was expected, what was found, and what to do.")]


class Problem(Exception):
    """Why a request is refused; raised anywhere below `mnistry.service.gate`, which answers with it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """
        Args:
            status: of the HTTP response.
            detail: what was expected, what was found, and what to do; cut where it is too long.
            headers: of the response.
        """
        super().__init__(detail if len(detail) <= LONGEST_DETAIL else f"{detail[:LONGEST_DETAIL]} …")
        self.status = status
        self.headers = headers

    def details(self) -> ProblemDetails:
        """The problem as it is told."""
        return ProblemDetails("about:blank", HTTPStatus(self.status).phrase, self.status, str(self))

    def response(self) -> Response:
        """The whole response."""
        return Response(msgspec.json.encode(self.details()), self.status, self.headers, MEDIA_TYPE)


def busy(detail: str) -> Problem:
    """That there is too much to do at this moment: 503."""
    return Problem(503, f"{detail} Try again in a second.", {"Retry-After": "1"})
