"""The shipped model behind LitServe, which gathers requests into batches: `litserve_batches.py PORT`.

Its requests are JSON: `{"images": base64}`; it hands no other bodies to a model.
"""

import base64
import sys

import litserve
import numpy as np

from mnistry.reading.classifier import Classifier

CALL = 64  # images in one call of the model, as in `mnistry serve`


class Classify(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.classifier = Classifier.load(threads=1)

    def decode_request(self, request: dict) -> np.ndarray:
        return np.frombuffer(base64.b64decode(request["images"]), np.uint8).reshape(-1, 28, 28)

    def batch(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        return inputs

    def predict(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        images = np.concatenate(inputs)
        calls = [images[start : start + CALL] for start in range(0, len(images), CALL)]
        probabilities = np.concatenate([self.classifier.probabilities(call)[:, :10] for call in calls])
        return np.split(probabilities, np.cumsum([len(images) for images in inputs])[:-1])

    def unbatch(self, output: list[np.ndarray]) -> list[np.ndarray]:
        return output

    def encode_response(self, output: np.ndarray) -> dict:
        return {
            "digits": output.argmax(axis=1).tolist(),
            "confidences": output.max(axis=1).tolist(),
            "probabilities": output.tolist(),
        }


if __name__ == "__main__":
    api = Classify(max_batch_size=64, batch_timeout=0.001, api_path="/v1/classify")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
