"""The recipes in TensorFlow, a whole epoch in one `tf.function(jit_compile=True)`: the images are one tensor,
a loop in the function takes the batches out of it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras_recipes import (
    MODELS,
    SAVE_EVERY,
    checkpoints,
    naive_model,
    one_training_step,
    share_right,
)
from mnist_files import Mnist, shuffled_rows, without_validation
from program import Outcome, main

Step = Callable[[tf.Tensor, tf.Tensor], None]
Steps = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], None]


def keras_step(model: keras.Model, images: tf.Tensor, labels: tf.Tensor) -> None:
    with tf.GradientTape() as tape:
        loss = model.loss(labels, model(images, training=True))
        loss = tf.add_n([loss, *model.losses])
    weights = model.trainable_variables
    model.optimizer.apply(tape.gradient(loss, weights), weights)


def compiled_steps(step: Step, mnist_images: np.ndarray, mnist_labels: np.ndarray) -> Steps:
    """A function that takes rows [n, batch], and the first and last of the n steps to take."""
    all_images, all_labels = tf.constant(mnist_images), tf.constant(mnist_labels)

    @tf.function(jit_compile=True)
    def some_steps(rows: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> None:
        index = first
        while index < last:  # where `tf.range` would be compiled anew for each first and last
            batch = rows[index]
            step(tf.gather(all_images, batch), tf.gather(all_labels, batch))
            index += 1

    return some_steps


def compile_for(steps: Steps, *rows: tf.Tensor) -> float:
    """Traces and compiles for the sizes of these rows' batches, by no step; returns the seconds."""
    start = time.perf_counter()
    for each in rows:
        steps(each, tf.constant(0), tf.constant(0))
    return time.perf_counter() - start


def shuffled(recipe: str, mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    images, labels = without_validation(mnist)
    model = MODELS[recipe](steps)
    model.optimizer.build(model.trainable_variables)
    some_steps = compiled_steps(partial(keras_step, model), images, labels)
    save_every = SAVE_EVERY.get(recipe, steps + 1)
    rows = tf.constant(shuffled_rows(len(images), steps, batch_size))
    compile_seconds = compile_for(some_steps, rows)
    with tempfile.TemporaryDirectory() as folder:
        manager = checkpoints(model, folder)
        start = time.perf_counter()
        for first, last in pieces(steps, len(images) // batch_size, save_every):
            some_steps(rows, tf.constant(first), tf.constant(last))
            if last % save_every == 0:
                manager.save(last)
        model.optimizer.finalize_variable_values(model.trainable_variables)
        seconds = time.perf_counter() - start
    return Outcome(seconds, share_right(model, mnist), compile_seconds)


def pieces(steps: int, epoch: int, save_every: int) -> Iterator[tuple[int, int]]:
    """First and last step of each call: calls end with epochs, and where a checkpoint is due."""
    ends = {*range(epoch, steps, epoch), *range(save_every, steps, save_every), steps}
    first = 0
    for last in sorted(ends):
        yield first, last
        first = last


def in_file_order(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    """Batches of all 60,000 digits as they come; the last of an epoch is short, hence another call."""
    count = len(mnist.train_images)
    whole = count // batch_size
    rows = np.arange(count, dtype=np.int32)
    calls = [tf.constant(rows[: whole * batch_size].reshape(whole, batch_size))]
    if count % batch_size:
        calls.append(tf.constant(rows[None, whole * batch_size :]))
    step = partial(one_training_step, model := naive_model())
    some_steps = compiled_steps(step, mnist.train_images, mnist.train_labels)
    compile_seconds = compile_for(some_steps, *calls)
    start = time.perf_counter()
    while steps > 0:
        for call in calls:
            last = min(steps, len(call))
            some_steps(call, tf.constant(0), tf.constant(last))
            steps -= last
    seconds = time.perf_counter() - start
    return Outcome(seconds, share_right(model, mnist), compile_seconds)


if __name__ == "__main__":
    main({name: partial(shuffled, name) for name in MODELS} | {"scratch": in_file_order}, __doc__)
