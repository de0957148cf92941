"""The recipes in Keras: networks, losses and optimizers; and the one that is written without it."""

import os
from collections.abc import Callable, Sequence

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from mnist_files import Mnist


def softmax(steps: int) -> keras.Model:
    model = keras.Sequential([keras.Input((784,)), layers.Dense(10, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.5), cross_entropy(), metrics=["accuracy"])
    return model


class SummedCrossEntropy(keras.losses.Loss):
    """-Σ log(y + 1e-10) of the true class, over probabilities y."""

    def __init__(self) -> None:
        super().__init__(reduction="sum")

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        one_hot = tf.one_hot(tf.cast(tf.reshape(y_true, [-1]), tf.int64), 10)
        return -tf.reduce_sum(one_hot * tf.math.log(y_pred + 1e-10), axis=1)


def softmax_sum(steps: int) -> keras.Model:
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(10, activation="softmax", kernel_initializer="zeros")]
    )
    model.compile(keras.optimizers.SGD(0.001), SummedCrossEntropy(), metrics=["accuracy"])
    return model


def mlp(steps: int) -> keras.Model:
    normal = keras.initializers.TruncatedNormal(stddev=0.1)
    # Keras's penalty is l2·Σw², so that half of 1e-4 gives 1e-4·Σw²/2.
    penalty = keras.regularizers.L2(0.5e-4)
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(500, "relu", kernel_initializer=normal, kernel_regularizer=penalty),
            layers.Dense(10, kernel_initializer=normal, kernel_regularizer=penalty),
        ]
    )
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 275, 0.99, staircase=True)
    # Keras's average has a decay of 0.99 from the second step on, where the recipe's climbs to it during
    # the first 890 steps: the same average from about step 1,500. `fit` ends by putting it into the model.
    optimizer = keras.optimizers.SGD(schedule, use_ema=True, ema_momentum=0.99)
    model.compile(optimizer, cross_entropy(), metrics=["accuracy"])
    return model


def lstm(steps: int) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Reshape((28, 28)),
            layers.LSTM(150, unit_forget_bias=True),
            layers.Dense(10, kernel_initializer=keras.initializers.RandomNormal(stddev=1.0)),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), cross_entropy(), metrics=["accuracy"])
    return model


def mlp_deep(steps: int) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, "relu"),
            layers.Dropout(0.2),
            layers.Dense(512, "relu"),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), cross_entropy(), metrics=["accuracy"])
    return model


def lenet5(steps: int) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, "relu"),
            layers.Dense(84, "relu"),
            layers.Dense(10),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile(keras.optimizers.Adam(schedule), cross_entropy(), metrics=["accuracy"])
    return model


def cross_entropy() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


MODELS: dict[str, Callable[[int], keras.Model]] = {
    "softmax": softmax,
    "softmax-sum": softmax_sum,
    "mlp": mlp,
    "lstm": lstm,
    "mlp-deep": mlp_deep,
    "lenet5": lenet5,
}
SAVE_EVERY = {"mlp": 1_000}  # steps


def checkpoints(model: keras.Model, folder: str) -> tf.train.CheckpointManager:
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    return tf.train.CheckpointManager(checkpoint, folder, max_to_keep=5)


# The book "Deep Learning with Python" builds these two to show what Keras does.
class NaiveDense:
    def __init__(self, n_inputs: int, n_outputs: int, activation: Callable[[tf.Tensor], tf.Tensor]) -> None:
        self.activation = activation
        self.W = tf.Variable(tf.random.uniform((n_inputs, n_outputs), minval=0, maxval=1e-1))
        self.b = tf.Variable(tf.zeros((n_outputs,)))

    def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.activation(tf.matmul(inputs, self.W) + self.b)

    @property
    def weights(self) -> list[tf.Variable]:
        return [self.W, self.b]


class NaiveSequential:
    def __init__(self, layers: Sequence[NaiveDense]) -> None:
        self.layers = layers

    def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    @property
    def weights(self) -> list[tf.Variable]:
        return [weight for layer in self.layers for weight in layer.weights]


def naive_model() -> NaiveSequential:
    return NaiveSequential([NaiveDense(784, 512, tf.nn.relu), NaiveDense(512, 10, tf.nn.softmax)])


def one_training_step(model: NaiveSequential, images: tf.Tensor, labels: tf.Tensor) -> None:
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(labels, model(images))
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.weights)
    for weight, gradient in zip(model.weights, gradients, strict=True):
        weight.assign_sub(1e-3 * gradient)


def share_right(model: Callable[[np.ndarray], tf.Tensor], mnist: Mnist) -> float:
    predicted = model(mnist.test_images).numpy().argmax(axis=1)
    return float((predicted == mnist.test_labels).mean())
