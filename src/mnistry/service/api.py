"""The addresses, and what each answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from mnistry.data.dataset import DIGITS
from mnistry.data.pages import Page
from mnistry.service import answers, pictures, requests
from mnistry.service.corrections import Corrections
from mnistry.service.docs import STYLE, page
from mnistry.service.gate import Gate
from mnistry.service.labelling import Labelling
from mnistry.service.limits import Limits
from mnistry.service.metrics import Metrics
from mnistry.service.models import LoadedModel, Models
from mnistry.service.openapi import document
from mnistry.service.problems import Problem, busy
from mnistry.service.proxies import BehindProxies
from mnistry.service.site import Site

CLIENTS = 4  # whose pictures are read at the same time, each with all workers

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Api:
    """What is behind the addresses."""

    def __init__(
        self, *, model: Path | None, runs: Path, corrections: Path | None, limits: Limits, metrics: Metrics
    ) -> None:
        """
        Args:
            model: a run folder or an ONNX file; by default the shipped model.
            runs: the folder of runs that can be asked for.
            corrections: the folder in which corrections are kept; None keeps none.
            limits: what is refused.
            metrics: what is counted.

        Raises:
            MnistryError: the model or the folder of corrections cannot be used.
        """
        self._corrections = Corrections(corrections, limits) if corrections else None
        self._limits = limits
        self._metrics = metrics
        self._reading = ThreadPoolExecutor(CLIENTS * limits.workers, "reading")
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._classifying = ThreadPoolExecutor(limits.workers, "classifying")
        self._models = Models(model, runs, limits=limits, executor=self._classifying, metrics=metrics)
        described = document(limits)
        self._document = msgspec.json.encode(described)
        self._page = lru_cache(maxsize=16)(
            partial(page, described)
        )  # for each name that the service is called by

    def routes(self) -> list[BaseRoute]:
        """All addresses but those of pages."""
        return [
            Route("/v1/classify", self._classify, methods=["POST"]),
            Route("/v1/read", self._read, methods=["POST"]),
            Route("/v1/explain", self._explain, methods=["POST"]),
            Route("/v1/models", self._list_models),
            Route("/v1/corrections", self._correct, methods=["GET", "POST"]),
            Route("/healthz", _ok),
            Route("/readyz", _ok),  # the model is loaded before the first request is taken
            Route("/metrics", self._measured),
            Route("/openapi.json", self._describe),
            Route("/docs", self._docs),
            Route("/docs.css", _docs_style),
        ]

    @asynccontextmanager
    async def lifespan(self, app: ASGIApp) -> AsyncIterator[None]:
        """Ends the threads when the service ends."""
        yield
        self._reading.shutdown(cancel_futures=True)
        self._classifying.shutdown(cancel_futures=True)

    async def _classify(self, request: Request) -> Response:
        asked = requests.parameters(request, requests.ModelParameters)
        images = await requests.images(request, self._limits)
        model = await self._models.get(asked.model)
        chances = await self._in_time(model.classify(images, _client(request)))
        chances = chances[:, : len(model.class_names)]
        self._metrics.digits.inc(len(images))
        digits: list[int] = chances.argmax(axis=1).tolist()
        answer = answers.Classified(digits, chances.max(axis=1).tolist(), chances.tolist())
        if (names := model.class_names) != DIGITS:
            answer.names = [names[digit] for digit in digits]
        return _json(answer)

    async def _read(self, request: Request) -> Response:
        asked = requests.parameters(request, requests.ReadParameters)
        if requests.media_type(request) != requests.FORM:
            content = await requests.picture(request)
            bounds = self._bounds()
            model = await self._models.get(asked.model)
            return _json(
                await self._while_wanted(request, self._read_one(request, model, content, asked, bounds))
            )
        files = await requests.pictures(request, self._limits)
        bounds = self._bounds()
        model = await self._models.get(asked.model)
        work = [self._read_one(request, model, content, asked, bounds) for _, content in files]
        found = await self._while_wanted(request, asyncio.gather(*work, return_exceptions=True))
        results = [
            answers.FileReading(name, **_fields(reading))
            for (name, _), reading in zip(files, found, strict=True)
        ]
        return _json(answers.Readings(results))

    async def _explain(self, request: Request) -> Response:
        asked = requests.parameters(request, requests.ExplainParameters)
        content = await requests.picture(request)
        bounds = self._bounds()
        model = await self._models.get(asked.model)
        work = self._in_turn(request, pictures.explain, model.recognizer, content, asked, bounds)
        sheet = await self._while_wanted(request, work)
        return Response(sheet, media_type="image/png")

    async def _list_models(self, request: Request) -> Response:
        return _json(answers.Models(await self._models.listed()))

    async def _correct(self, request: Request) -> Response:
        if request.method != "POST":
            if self._corrections is None:
                return _json(answers.Corrections(kept=False))
            return _json(answers.Corrections(True, await asyncio.to_thread(self._corrections.count)))
        label = requests.label(requests.parameters(request, requests.CorrectionParameters))
        content = await requests.picture(request)
        if self._corrections is None:
            detail = "This service keeps no corrections: start it with `mnistry serve --corrections FOLDER`."
            raise Problem(404, detail)
        keep, bounds = self._corrections.keep, self._bounds()
        count = await self._in_time(
            self._in_turn(request, lambda: keep(pictures.decoded(content, bounds), label))
        )
        return _json(answers.Corrections(True, count))

    async def _measured(self, request: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _describe(self, request: Request) -> Response:
        return Response(self._document, media_type="application/json")

    async def _docs(self, request: Request) -> Response:
        base = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return HTMLResponse(self._page(base))

    def _bounds(self) -> pictures.Bounds:
        """Of a picture that has arrived now; a little is left of its time for the answer."""
        limits = self._limits
        return pictures.Bounds(limits.pixels, limits.files, time.monotonic() + 0.9 * limits.seconds)

    async def _read_one(
        self,
        request: Request,
        model: LoadedModel,
        content: bytes,
        asked: requests.ReadParameters,
        bounds: pictures.Bounds,
    ) -> answers.Reading | answers.DocumentReading:
        """Reads a picture, or all pages of a document at the same time."""

        async def read(content: bytes | Page) -> answers.Reading:
            answer = await self._in_turn(request, pictures.read, model.recognizer, content, asked, bounds)
            self._metrics.digits.inc(len(answer.digits))
            return answer

        document = None
        if pictures.may_have_pages(content):
            document = await self._in_turn(request, pictures.pages, content, asked, bounds)
        if document is None:
            return await read(content)
        found = await asyncio.gather(*map(read, document.pages), return_exceptions=True)
        answer = answers.DocumentReading(
            [_page(page, result) for page, result in zip(document.pages, found, strict=True)]
        )
        if document.notes:
            answer.notes = list(document.notes)
        return answer

    async def _in_turn(
        self, request: Request, function: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        """Calls a function in a thread, only so many at once for one client: none waits for another's."""
        turns = self._turns.setdefault(_client(request), asyncio.Semaphore(self._limits.workers))
        await turns.acquire()
        done = self._reading.submit(function, *arguments, **named)
        # The turn is over when the thread is done, not when nobody waits for it any more.
        release = partial(asyncio.get_running_loop().call_soon_threadsafe, turns.release)
        done.add_done_callback(lambda _: release())
        return await asyncio.wrap_future(done)

    async def _while_wanted(self, request: Request, work: Awaitable[_T]) -> _T:
        """As `_in_time`, and gives work up too when nobody is there any more to get its answer."""
        doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
        try:
            await self._in_time(asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED))
            if not doing.done():
                raise ClientDisconnect
            return doing.result()
        finally:
            doing.cancel()
            leaving.cancel()
            await asyncio.gather(doing, leaving, return_exceptions=True)  # else how they end is logged

    async def _in_time(self, work: Awaitable[_T]) -> _T:
        """Gives work up that takes too long; what of it waits for a thread never begins."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await work
        except TimeoutError as error:
            raise busy(f"This took longer than {self._limits.seconds:g} seconds.") from error


def create_app(
    *,
    model: Path | None = None,
    runs: Path = Path("runs"),
    corrections: Path | None = None,
    to_label: Path | None = None,
    limits: Limits | None = None,
    token: str = "",
    hosts: Sequence[str] = (),
    proxies: Sequence[str] = (),
) -> ASGIApp:
    """The service as an ASGI application.

    Args:
        model: a run folder or an ONNX file; by default the shipped model.
        runs: the folder of runs that can be asked for.
        corrections: the folder in which corrections are kept, for `mnistry teach`; None keeps none.
        to_label: a folder of pictures to be labelled on a page, which takes the place of the one to draw on.
        limits: what is refused; by default what `Limits` says.
        token: what clients must know; empty: nothing.
        hosts: the names that it may be called by, besides those of this machine; see `Gate`.
        proxies: addresses and networks whose word is taken for who the client is.

    Raises:
        MnistryError: the model or a folder cannot be used.
    """
    limits = limits or Limits()
    metrics = Metrics()
    api = Api(model=model, runs=runs, corrections=corrections, limits=limits, metrics=metrics)
    routes = [*api.routes(), *Site().routes()]
    if to_label is not None:
        routes = [*api.routes(), *Labelling(to_label, limits).routes(), *Site("label").routes()]
    gate = Gate(
        Router(routes, redirect_slashes=False, lifespan=api.lifespan),
        limits=limits,
        metrics=metrics,
        paths=frozenset(route.path for route in routes if isinstance(route, Route)),
        token=token,
        hosts=hosts,
        proxied=bool(proxies),
    )
    return BehindProxies(gate, proxies) if proxies else gate


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _page(page: Page, found: answers.Reading | BaseException) -> answers.PageReading:
    answer = answers.PageReading(page.number, **_fields(found))
    if page.name is not None:
        answer.file = page.name
    if page.dpi is not None:
        answer.dpi = page.dpi
    return answer


def _fields(found: msgspec.Struct | BaseException) -> dict[str, Any]:
    """What was read, or the problem with it, as fields of a larger answer."""
    if isinstance(found, Problem):
        return {"error": found.details()}
    if isinstance(found, BaseException):
        raise found
    return msgspec.structs.asdict(found)


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def _ok(request: Request) -> Response:
    return _json(answers.Status())


async def _docs_style(request: Request) -> Response:
    return Response(STYLE, media_type="text/css")
