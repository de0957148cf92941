"""A folder of pictures that its user labels on a page: `mnistry label`."""

import asyncio
import time
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mnistry.errors import DataError
from mnistry.files import read_regular
from mnistry.reading.labels import find_pictures, label_of_each, locked_labels, write_label
from mnistry.service import answers, pictures, requests
from mnistry.service.corrections import png
from mnistry.service.limits import Limits
from mnistry.service.problems import Problem


class Labelling:
    """The pictures of a folder, by their names, and their labels."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """
        Args:
            folder: of pictures, see `mnistry.reading.labels.find_pictures`.
            limits: what is refused.

        Raises:
            DataError: there is no picture in it, or its table of labels is not as it should be.
            OSError: the folder cannot be written to.
        """
        self._folder, self._limits = folder, limits
        self._pictures = find_pictures(folder)
        if not self._pictures:
            raise DataError(
                f"{folder}: there is no picture in it, nor in its folder images. Put PNG or JPEG files there"
            )
        with locked_labels(folder):
            pass  # what is typed later can be written

    def routes(self) -> list[BaseRoute]:
        """The addresses."""
        return [
            Route("/v1/pictures", self._list),
            Route("/v1/picture", self._picture, methods=["GET", "POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        labels = await asyncio.to_thread(self._labels)
        listed = [answers.PictureToLabel(name, labels.get(name)) for name in self._pictures]
        return Response(msgspec.json.encode(answers.PicturesToLabel(listed)), media_type=requests.JSON)

    async def _picture(self, request: Request) -> Response:
        if request.method != "POST":
            asked = requests.parameters(request, requests.PictureParameters)
            return Response(await asyncio.to_thread(self._shown, asked.file), media_type="image/png")
        given = requests.parameters(request, requests.LabelParameters)
        await asyncio.to_thread(self._write, given.file, requests.label(given))
        return Response(msgspec.json.encode(answers.Status()), media_type=requests.JSON)

    def _shown(self, name: str) -> bytes:
        """A picture as the reader sees it, which a browser can show whatever its format is."""
        limits = self._limits
        try:
            content = read_regular(self._path(name), most_bytes=limits.upload_bytes)
        except OSError as error:
            raise Problem(422, f"The file cannot be read: {error.strerror or error}.") from error
        bounds = pictures.Bounds(limits.pixels, 1, time.monotonic() + limits.seconds)
        return png(pictures.decoded(content, bounds))

    def _write(self, name: str, label: str) -> None:
        self._path(name)
        try:
            write_label(self._folder, name, label)
        except (DataError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise Problem(507, f"The label could not be written: {reason}.") from error

    def _path(self, name: str) -> Path:
        """Only what was listed has one, wherever other names may lead."""
        if name not in self._pictures:
            raise Problem(404, f"There is no picture {name!r} in {self._folder}: load the page anew.")
        return self._pictures[name]

    def _labels(self) -> dict[str, str]:
        try:
            return label_of_each(self._folder)
        except DataError as error:
            raise Problem(422, f"{error}.") from error
