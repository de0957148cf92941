"""The recipes as the first TensorFlow tutorials wrote them: placeholders, a session, feed dictionaries."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

# BasicLSTMCell, which the tutorials used, lives in the package tf_keras; TensorFlow looks there if asked.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow.compat.v1 as tf
from mnist_files import Mnist, without_validation
from program import Outcome, main

Batches = Iterable[tuple[np.ndarray, np.ndarray]]


def softmax(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    W = tf.Variable(tf.zeros([784, 10]))
    b = tf.Variable(tf.zeros([10]))
    logits = tf.matmul(x, W) + b
    cross_entropy = mean_cross_entropy(labels, logits)
    train_step = tf.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)
    return run(train_step, next_batches(mnist, steps, batch_size), x, labels, logits, mnist)


def softmax_sum(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    W = tf.Variable(tf.zeros([784, 10]))
    b = tf.Variable(tf.zeros([10]))
    y = tf.nn.softmax(tf.matmul(x, W) + b)
    cross_entropy = -tf.reduce_sum(tf.one_hot(labels, 10) * tf.log(y + 1e-10))
    train_step = tf.train.GradientDescentOptimizer(0.001).minimize(cross_entropy)
    return run(train_step, next_batches(mnist, steps, batch_size), x, labels, y, mnist)


def mlp(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    W1 = tf.Variable(tf.truncated_normal([784, 500], stddev=0.1))
    b1 = tf.Variable(tf.zeros([500]))
    W2 = tf.Variable(tf.truncated_normal([500, 10], stddev=0.1))
    b2 = tf.Variable(tf.zeros([10]))
    global_step = tf.train.get_or_create_global_step()
    average = tf.train.ExponentialMovingAverage(0.99, num_updates=global_step)
    update_average = average.apply([W1, b1, W2, b2])

    logits = tf.matmul(tf.nn.relu(tf.matmul(x, W1) + b1), W2) + b2
    averaged_hidden = tf.nn.relu(tf.matmul(x, average.average(W1)) + average.average(b1))
    averaged_logits = tf.matmul(averaged_hidden, average.average(W2)) + average.average(b2)

    penalty = 1e-4 * (tf.nn.l2_loss(W1) + tf.nn.l2_loss(W2))
    loss = mean_cross_entropy(labels, logits) + penalty
    learning_rate = tf.train.exponential_decay(0.1, global_step, 275, 0.99, staircase=True)
    descend = tf.train.GradientDescentOptimizer(learning_rate).minimize(loss, global_step)
    with tf.control_dependencies([descend]):
        train_step = tf.group(update_average)
    batches = next_batches(mnist, steps, batch_size)
    return run(train_step, batches, x, labels, averaged_logits, mnist, save_every=1_000)


def scratch(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    W1 = tf.Variable(tf.random_uniform([784, 512], maxval=0.1))
    b1 = tf.Variable(tf.zeros([512]))
    W2 = tf.Variable(tf.random_uniform([512, 10], maxval=0.1))
    b2 = tf.Variable(tf.zeros([10]))
    hidden = tf.nn.relu(tf.matmul(x, W1) + b1)
    y = tf.nn.softmax(tf.matmul(hidden, W2) + b2)
    log_y = tf.log(tf.clip_by_value(y, 1e-7, 1 - 1e-7))
    loss = -tf.reduce_mean(tf.reduce_sum(tf.one_hot(labels, 10) * log_y, axis=1))
    variables = [W1, b1, W2, b2]
    gradients = tf.gradients(loss, variables)
    updates = [tf.assign_sub(v, 1e-3 * g) for v, g in zip(variables, gradients, strict=True)]
    return run(tf.group(updates), in_file_order(mnist, steps, batch_size), x, labels, y, mnist)


def lstm(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    rows = tf.unstack(tf.reshape(x, [-1, 28, 28]), axis=1)
    cell = tf.nn.rnn_cell.BasicLSTMCell(150, forget_bias=1.0)
    hidden, _ = tf.nn.static_rnn(cell, rows, dtype=tf.float32)
    W = tf.Variable(tf.random_normal([150, 10]))
    b = tf.Variable(tf.zeros([10]))
    logits = tf.matmul(hidden[-1], W) + b
    cross_entropy = mean_cross_entropy(labels, logits)
    train_step = tf.train.AdamOptimizer(1e-3).minimize(cross_entropy)
    return run(train_step, next_batches(mnist, steps, batch_size), x, labels, logits, mnist)


def mlp_deep(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    # Fed while training; when testing nothing is dropped.
    rate = tf.placeholder_with_default(0.0, [])
    hidden = tf.nn.dropout(tf.nn.relu(dense("hidden1", x, 784, 512)), rate=rate)
    hidden = tf.nn.dropout(tf.nn.relu(dense("hidden2", hidden, 512, 512)), rate=rate)
    logits = dense("output", hidden, 512, 10)
    cross_entropy = mean_cross_entropy(labels, logits)
    train_step = tf.train.AdamOptimizer(1e-3).minimize(cross_entropy)
    batches = next_batches(mnist, steps, batch_size)
    return run(train_step, batches, x, labels, logits, mnist, also_feed={rate: 0.2})


def lenet5(mnist: Mnist, steps: int, batch_size: int) -> Outcome:
    x, labels = placeholders()
    images = tf.reshape(x, [-1, 28, 28, 1])
    pooled = tf.nn.max_pool2d(tf.nn.relu(convolution("conv1", images, 1, 6, "SAME")), 2, 2, "VALID")
    pooled = tf.nn.max_pool2d(tf.nn.relu(convolution("conv2", pooled, 6, 16, "VALID")), 2, 2, "VALID")
    hidden = tf.nn.relu(dense("hidden1", tf.reshape(pooled, [-1, 400]), 400, 120))
    hidden = tf.nn.relu(dense("hidden2", hidden, 120, 84))
    logits = dense("output", hidden, 84, 10)
    global_step = tf.train.get_or_create_global_step()
    learning_rate = tf.train.cosine_decay(1e-3, global_step, steps)
    optimizer = tf.train.AdamOptimizer(learning_rate)
    train_step = optimizer.minimize(mean_cross_entropy(labels, logits), global_step)
    return run(train_step, next_batches(mnist, steps, batch_size), x, labels, logits, mnist)


def placeholders() -> tuple[tf.Tensor, tf.Tensor]:
    return tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.int64, [None])


def mean_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def dense(name: str, inputs: tf.Tensor, n_inputs: int, n_outputs: int) -> tf.Tensor:
    with tf.variable_scope(name):
        weights = tf.get_variable("weights", [n_inputs, n_outputs])  # Glorot uniform, the default
        biases = tf.get_variable("biases", [n_outputs], initializer=tf.zeros_initializer())
    return tf.matmul(inputs, weights) + biases


def convolution(name: str, inputs: tf.Tensor, n_inputs: int, n_outputs: int, padding: str) -> tf.Tensor:
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", [5, 5, n_inputs, n_outputs])
        biases = tf.get_variable("biases", [n_outputs], initializer=tf.zeros_initializer())
    return tf.nn.conv2d(inputs, kernel, strides=1, padding=padding) + biases


class DataSet:
    """Deals shuffled batches across the ends of epochs, as the tutorials' `mnist.train` did."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self._images = images
        self._labels = labels
        self._shuffle()

    def next_batch(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self._take(size)
        if len(images) < size:
            self._shuffle()
            more_images, more_labels = self._take(size - len(images))
            return np.concatenate([images, more_images]), np.concatenate([labels, more_labels])
        return images, labels

    def _take(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        start = self._position
        self._position = start + size
        return self._images[start : start + size], self._labels[start : start + size]

    def _shuffle(self) -> None:
        order = np.random.permutation(len(self._images))
        self._images = self._images[order]
        self._labels = self._labels[order]
        self._position = 0


def next_batches(mnist: Mnist, steps: int, batch_size: int) -> Batches:
    train = DataSet(*without_validation(mnist))
    return (train.next_batch(batch_size) for _ in range(steps))


def in_file_order(mnist: Mnist, steps: int, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`steps` batches of all 60,000 digits as they come; the last batch of an epoch is short."""
    starts = range(0, len(mnist.train_images), batch_size)
    for step in range(steps):
        batch = slice(starts[step % len(starts)], starts[step % len(starts)] + batch_size)
        yield mnist.train_images[batch], mnist.train_labels[batch]


def run(
    train_step: tf.Operation,
    batches: Batches,
    x: tf.Tensor,
    labels: tf.Tensor,
    outputs: tf.Tensor,
    mnist: Mnist,
    *,
    also_feed: dict[tf.Tensor, float] | None = None,
    save_every: int | None = None,
) -> Outcome:
    """Trains in a session, one run a batch."""
    correct = tf.equal(tf.argmax(outputs, axis=1), labels)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    saver = tf.train.Saver(max_to_keep=5)
    with tf.Session() as session, tempfile.TemporaryDirectory() as folder:
        session.run(tf.global_variables_initializer())
        start = time.perf_counter()
        for step, (batch_images, batch_labels) in enumerate(batches, start=1):
            session.run(train_step, feed_dict={x: batch_images, labels: batch_labels, **(also_feed or {})})
            if save_every and step % save_every == 0:
                saver.save(session, str(Path(folder) / "model.ckpt"), global_step=step)
        seconds = time.perf_counter() - start
        test = {x: mnist.test_images, labels: mnist.test_labels}
        return Outcome(seconds, float(session.run(accuracy, feed_dict=test)))


if __name__ == "__main__":
    tf.disable_eager_execution()
    recipes = {
        "softmax": softmax,
        "softmax-sum": softmax_sum,
        "mlp": mlp,
        "scratch": scratch,
        "lstm": lstm,
        "mlp-deep": mlp_deep,
        "lenet5": lenet5,
    }
    main(recipes, __doc__)
