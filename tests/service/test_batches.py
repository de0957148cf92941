"""Requests that come together are one call of the model, with the answers of many."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from mnistry.data import Dataset
from mnistry.reading.classifier import Classifier
from mnistry.service.api import create_app
from mnistry.service.batches import BATCH, Batcher
from mnistry.service.metrics import Metrics

Run = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


class Model:
    """Answers with the first pixel of each image; notes how many images each call had."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        self.calls.append(len(images))
        assert self.may_answer.wait(10)
        if (images == 255).any():
            raise RuntimeError("255")
        return images[:, 0, :1].astype(float)


def images(*values: int) -> NDArray[np.uint8]:
    return np.repeat(np.array(values, np.uint8), 784).reshape(-1, 28, 28)


def together(model: Run, work: Callable[[Batcher], Any], calls: int = 1) -> Any:
    async def run() -> Any:
        return await work(Batcher(model, threads, calls, Metrics()))

    with ThreadPoolExecutor(calls) as threads:
        return asyncio.run(run())


def test_an_idle_model_is_not_waited_for_and_a_busy_one_gathers() -> None:
    model = Model()

    async def work(batcher: Batcher) -> list[Any]:
        model.may_answer.clear()
        first = asyncio.ensure_future(batcher(images(1)))
        while not model.calls:
            await asyncio.sleep(0.001)
        others = [asyncio.ensure_future(batcher(images(n, n + 1))) for n in range(2, 22, 2)]
        await asyncio.sleep(0)
        model.may_answer.set()
        return [answer[:, 0].tolist() for answer in await asyncio.gather(first, *others)]

    assert together(model, work) == [[1], *([n, n + 1] for n in range(2, 22, 2))]
    assert model.calls == [1, 20]


def test_calls_are_bounded() -> None:
    model = Model()

    async def work(batcher: Batcher) -> list[Any]:
        parts = [batcher(images(*range(size))) for size in (40, 20, 30, 200, 1)]
        return [len(answer) for answer in await asyncio.gather(*parts)]

    assert together(model, work) == [40, 20, 30, 200, 1]
    assert max(model.calls) == BATCH
    assert sum(model.calls) == 291
    assert model.calls[:2] == [60, 31]  # what is too many for one call is cut up, and queues last


def test_one_client_does_not_wait_for_all_that_another_sends() -> None:
    model = Model()

    async def work(batcher: Batcher) -> list[str]:
        order: list[str] = []

        async def ask(client: str, size: int) -> None:
            await batcher(images(*range(size)), client)
            order.append(client)

        model.may_answer.clear()
        asked = [asyncio.ensure_future(ask("many", 200)) for _ in range(10)]
        while not model.calls:
            await asyncio.sleep(0.001)
        asked += [asyncio.ensure_future(ask("few", 1)) for _ in range(3)]
        await asyncio.sleep(0)
        model.may_answer.set()
        await asyncio.gather(*asked)
        return order

    assert together(model, work) == ["few"] * 3 + ["many"] * 10
    assert sum(model.calls) == 2003
    assert max(model.calls) <= BATCH


def test_what_fails_fails_alone_in_its_batch_and_the_next_ones_go_on() -> None:
    model = Model()

    async def work(batcher: Batcher) -> list[Any]:
        answers = await asyncio.gather(batcher(images(255)), batcher(images(1)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [RuntimeError, RuntimeError]
        return (await batcher(images(3))).tolist()

    assert together(model, work) == [[3.0]]


def test_what_nobody_waits_for_is_not_computed() -> None:
    model = Model()

    async def work(batcher: Batcher) -> None:
        model.may_answer.clear()
        first = asyncio.ensure_future(batcher(images(1)))
        while not model.calls:
            await asyncio.sleep(0.001)
        given_up = asyncio.ensure_future(batcher(images(2)))
        kept = asyncio.ensure_future(batcher(images(3)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        model.may_answer.set()
        assert (await first).tolist() == [[1.0]]
        assert (await kept).tolist() == [[3.0]]

    together(model, work)
    assert model.calls == [1, 1]


def test_many_clients_share_calls(optdigits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = optdigits.test.images[:200]
    expected = Classifier.load().probabilities(digits)[:, :10]
    calls: list[int] = []
    first_is_in, all_sent = threading.Event(), threading.Event()
    probabilities = Classifier.probabilities

    def counted(self: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        calls.append(len(images))
        if len(images) < BATCH:  # as slow as it takes for the others to come
            first_is_in.set()
            all_sent.wait(0.3)
        return probabilities(self, images)

    monkeypatch.setattr(Classifier, "probabilities", counted)
    kind = {"Content-Type": "application/octet-stream"}
    with TestClient(create_app(), base_url="http://localhost") as client, ThreadPoolExecutor(50) as threads:

        def classify(image: NDArray[np.uint8]) -> list[float]:
            answer = client.post("/v1/classify", content=image.tobytes(), headers=kind)
            return list(answer.json()["probabilities"][0])

        answers = list(threads.map(classify, digits))
    np.testing.assert_allclose(answers, expected, atol=1e-6)
    assert sum(calls) == 200
    assert len(calls) < 60
