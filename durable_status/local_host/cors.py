"""Lets web pages of other origins call, as the Functions host does."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response


class Cors(CORSMiddleware):
    """Answers a preflight 204, as ASP.NET does; to an origin that is not listed without a header of the kind."""

    def preflight_response(self, request_headers: Headers) -> Response:
        allowed = super().preflight_response(request_headers)
        kept = {name: value for name, value in allowed.headers.items() if not name.startswith("content-")}
        return Response(status_code=204, headers=kept if allowed.status_code == 200 else None)
