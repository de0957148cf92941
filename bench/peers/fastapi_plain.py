"""The shipped model behind plain FastAPI handlers, each request by itself: `fastapi_plain.py PORT`."""

import io
import sys

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from mnistry.reading.recognizer import Recognizer

app = FastAPI()
recognizer = Recognizer.load(threads=1)


@app.post("/v1/classify")
async def classify(request: Request) -> dict[str, list]:
    images = np.frombuffer(await request.body(), np.uint8).reshape(-1, 28, 28)
    probabilities = recognizer.classifier.probabilities(images)[:, :10]
    return {
        "digits": probabilities.argmax(axis=1).tolist(),
        "confidences": probabilities.max(axis=1).tolist(),
        "probabilities": probabilities.tolist(),
    }


@app.post("/v1/read")
async def read(request: Request) -> dict:
    body = await request.body()
    return (await run_in_threadpool(recognizer.read, io.BytesIO(body))).to_json()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
