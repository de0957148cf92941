"""The pages, kept in memory: so each of their files costs neither a file descriptor nor a thread."""

import hashlib
import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import NotModifiedResponse

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
FRAME = "frame.html"


class Site:
    """The files of a page: `page`, to draw on, or `label`, to label pictures; all else they share."""

    def __init__(self, name: str = "page") -> None:
        self._files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
        frame, content = self._files[FRAME], self._files[f"{name}.html"]
        self._files[INDEX] = frame.replace(b"NAME", name.encode()).replace(b"CONTENT", content)

    def routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [Route("/", self._file), Route("/page/{name}", self._file)]

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", INDEX)
        if name not in self._files:
            raise HTTPException(404)
        content = self._files[name]
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return NotModifiedResponse(Response(headers=headers).headers)
        return Response(content, headers=headers, media_type=mimetypes.guess_type(name)[0])
