"""The recipes as Keras tutorials write them: a Sequential model, `compile`, `fit` on arrays, `evaluate`."""

import itertools
import math
import tempfile
import time
from functools import partial

import keras
import tensorflow as tf
from keras_recipes import (
    MODELS,
    SAVE_EVERY,
    checkpoints,
    naive_model,
    one_training_step,
    share_right,
)
from mnist_files import Mnist, without_validation
from program import Outcome, main


class SaveEvery(keras.callbacks.Callback):
    """A checkpoint every so many steps; the newest five are kept."""

    def __init__(self, steps: int, model: keras.Model, folder: str) -> None:
        super().__init__()
        self._steps = steps
        self._seen = 0
        self._manager = checkpoints(model, folder)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._seen += 1
        if self._seen % self._steps == 0:
            self._manager.save(self._seen)


class StopAfter(keras.callbacks.Callback):
    """Ends training after so many steps, in the middle of an epoch."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._left -= 1
        if self._left == 0:
            self.model.stop_training = True


def fit(recipe: str, mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    model = MODELS[recipe](steps)
    images, labels = without_validation(mnist)
    epochs, steps_left = divmod(steps, math.ceil(len(images) / batch_size))
    callbacks: list[keras.callbacks.Callback] = []
    if steps_left:
        epochs += 1
        callbacks.append(StopAfter(steps))
    with tempfile.TemporaryDirectory() as folder:
        if recipe in SAVE_EVERY:
            callbacks.append(SaveEvery(SAVE_EVERY[recipe], model, folder))
        start = time.perf_counter()
        model.fit(images, labels, batch_size, epochs, verbose=2, callbacks=callbacks)
        seconds = time.perf_counter() - start
    _, accuracy = model.evaluate(mnist.test_images, mnist.test_labels, batch_size=1_000, verbose=0)
    return Outcome(seconds, float(accuracy))


def scratch(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    model = naive_model()
    step = tf.function(partial(one_training_step, model))
    # Batches of all 60,000 digits in file order; the last of an epoch is short.
    starts = itertools.cycle(range(0, len(mnist.train_images), batch_size))
    begin = time.perf_counter()
    for start in itertools.islice(starts, steps):
        batch = slice(start, start + batch_size)
        step(mnist.train_images[batch], mnist.train_labels[batch])
    seconds = time.perf_counter() - begin
    return Outcome(seconds, share_right(model, mnist))


if __name__ == "__main__":
    main({name: partial(fit, name) for name in MODELS} | {"scratch": scratch}, __doc__)
