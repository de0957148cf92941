"""The table of recipes.

`mnistry.train`, `Recipe.changed` or a flag of `mnistry train` changes any field of one.
"""

from dataclasses import fields, replace

from mnistry.errors import UnknownNameError
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    DetectorConfig,
    LeNet5Config,
    PerceptronConfig,
    PooledNetConfig,
    RowLstmConfig,
    ScratchConfig,
    SeparableNetConfig,
    SoftmaxConfig,
    VerifierConfig,
)
from mnistry.recipe import Recipe

__all__ = ["RECIPES", "Recipe", "find_recipe", "own_values"]

_FOUR_CONVOLUTIONS = ConvNetConfig(features=(32, 64, 128, 128), sizes=(4, 3, 3, 3), strides=(2, 1, 2, 1))

_DASH = Recipe(
    name="dash",
    summary="Seconds to 99 %: three convolutions, two of them with a stride of two.",
    model=ConvNetConfig(),
    optimizer="adam",
    learning_rate=2e-2,
    schedule="triangular",
    label_smoothing=0.1,
    augmentation="affine",
    batch_size=128,
    steps=700,
    validate_every=700,
    reaches=(0.990, 1.0),
)

_LONG = replace(
    _DASH,
    model=replace(_FOUR_CONVOLUTIONS, dropout=0.3),
    shift=2.0,
    rotation=15.0,
    stretch=0.2,
    bend=0.6,
    validation=0,
    steps=16_000,
    validate_every=2000,
    reaches=(0.996, 1.0),
)

_MARATHON_NET = ConvNetConfig(
    features=(32, 64, 128, 128, 128),
    sizes=(4, 3, 3, 3, 3),
    strides=(2, 1, 2, 1, 1),
    dropout=0.3,
    residual=(3,),
    views=5,
)

_MARATHON = replace(
    _LONG,
    name="marathon",
    summary="A residual convolution more than mile, ten minutes on all images, five views of each in use.",
    model=_MARATHON_NET,
    bend=0.3,
    steps=15_000,
    validate_every=2500,
)

_EXTRA = replace(
    _LONG,
    name="extra",
    summary="The net of mile, five minutes, on MNIST and other handwriting: digits of 290 more people.",
    also=("unipen-digits", "pendigits", "optdigits-32"),
    reaches=(0.995, 1.0),
)

_SOFTMAX = Recipe(
    name="softmax",
    summary='Softmax regression: "MNIST for ML beginners" of the TensorFlow 1 tutorials.',
    model=SoftmaxConfig(),
    optimizer="sgd",
    learning_rate=0.5,
    batch_size=100,
    steps=1000,
    reaches=(0.916, 0.919),
)

_TABLE = (
    _SOFTMAX,
    replace(
        _SOFTMAX,
        name="softmax-squared",
        summary="Softmax regression that learns by the squared error of its probabilities.",
        loss="squared-error",
        reaches=None,
    ),
    Recipe(
        name="softmax-sum",
        summary="Softmax regression on the summed cross-entropy, log(y + 1e-10).",
        model=SoftmaxConfig(),
        optimizer="sgd",
        learning_rate=0.001,
        loss="probability-cross-entropy",
        reduction="sum",
        batch_size=64,
        steps=2000,
        reaches=(0.912, 0.913),
    ),
    Recipe(
        name="mlp",
        summary="784-500-10 with L2, a decaying learning rate and averaged weights: the textbooks' network.",
        model=PerceptronConfig(hidden=(500,)),
        optimizer="sgd",
        learning_rate=0.1,
        schedule="staircase",
        decay_rate=0.99,
        decay_steps=275,
        l2_penalty=1e-4,
        averaging=0.99,
        batch_size=200,
        steps=10_000,
        checkpoint_every=1000,
        keep_checkpoints=5,
        reaches=(0.977, 0.978),
    ),
    Recipe(
        name="scratch",
        summary="784-512-10 from arrays and a gradient only: ten epochs in file order.",
        model=ScratchConfig(hidden=512),
        optimizer="sgd",
        learning_rate=1e-3,
        loss="probability-cross-entropy",
        batch_size=128,
        steps=4690,
        order="file",
        validation=0,
        reaches=(0.81, 0.82),
    ),
    Recipe(
        name="first-look",
        summary="784-512-10 in five shuffled epochs of RMSprop: the first look of the from-scratch book.",
        model=PerceptronConfig(hidden=(512,), initialization="glorot"),
        optimizer="rmsprop",
        learning_rate=1e-3,
        batch_size=128,
        steps=2345,
        validation=0,
        validate_every=469,
    ),
    Recipe(
        name="lstm",
        summary="An LSTM of 150 units that reads the 28 rows one after the other.",
        model=RowLstmConfig(units=150),
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=128,
        steps=7813,
        validate_every=1000,
        devices=2,
        reaches=(0.986, 0.986),
    ),
    Recipe(
        name="mlp-deep",
        summary="784-512-512-10 with dropout and Adam: the network of Keras's mnist_mlp example.",
        model=PerceptronConfig(hidden=(512, 512), initialization="he", dropout=0.2),
        optimizer="adam",
        learning_rate=1e-3,
        schedule="cosine",
        batch_size=128,
        steps=4300,
    ),
    Recipe(
        name="mlp-fast",
        summary="784-500-10 as fast as it goes: Adam, a triangular rate, smoothed labels, shifted images.",
        model=PerceptronConfig(hidden=(500,), initialization="he"),
        optimizer="adam",
        learning_rate=4e-3,
        schedule="triangular",
        label_smoothing=0.1,
        augmentation="affine",
        batch_size=256,
        steps=800,
        validate_every=800,
        reaches=(0.980, 1.0),
    ),
    Recipe(
        name="lenet5",
        summary="LeNet-5 with ReLU and max-pooling.",
        model=LeNet5Config(),
        optimizer="adam",
        learning_rate=2e-3,
        schedule="cosine",
        batch_size=128,
        steps=4300,
        reaches=(0.990, 1.0),
    ),
    Recipe(
        name="cnn",
        summary="The Keras tutorials' CNN: convolutions 32-64-64, two poolings, dense 64, five epochs.",
        model=PooledNetConfig(),
        optimizer="adam",
        learning_rate=1e-3,
        batch_size=32,
        steps=9375,
        validation=0,
        validate_every=1875,
        checkpoint_every=1875,
        reaches=(0.99, 1.0),
    ),
    # Caffe's rates of the biases are twice those of the weights, and biases decay too; not so here.
    Recipe(
        name="caffe-lenet",
        summary="Caffe's example: LeNet of 20, 50 and 500 units, momentum, weight decay, rate policy inv.",
        model=PooledNetConfig(
            features=(20, 50),
            sizes=(5, 5),
            pools=(2, 2),
            dense=(500,),
            relu=False,
            initialization="caffe-xavier",
        ),
        optimizer="momentum",
        learning_rate=0.01,
        schedule="inv",
        l2_penalty=5e-4,
        batch_size=64,
        steps=10_000,
        order="file",
        validation=0,
        reaches=(0.9897, 0.991),
    ),
    _DASH,
    replace(
        _DASH,
        name="mile",
        summary="Under a minute to 99.5 %: four convolutions, images shifted by a pixel.",
        model=_FOUR_CONVOLUTIONS,
        steps=1500,
        validate_every=500,
        reaches=(0.995, 1.0),
    ),
    _MARATHON,
    _EXTRA,
    replace(
        _MARATHON,
        name="committee",
        summary="Three nets that look differently: marathon's, one that looks closer, one with 5×5 kernels.",
        model=CommitteeConfig(
            (
                _MARATHON_NET,
                replace(_MARATHON_NET, sizes=(3,) * 5, strides=(1, 2, 2, 1, 1)),
                replace(_MARATHON_NET, features=(32, 64, 128, 128), sizes=(4, 5, 5, 3), strides=(2, 1, 2, 1)),
            )
        ),
        batch_size=384,
        steps=10_000,
    ),
    Recipe(
        name="tiny",
        summary="99 % with as few parameters as it takes: digits set upright, separable convolutions.",
        model=SeparableNetConfig(features=(9, 9, 10, 10, 10), upright=True),
        optimizer="adam",
        learning_rate=5e-2,
        schedule="triangular",
        averaging=0.999,
        augmentation="affine",
        batch_size=128,
        steps=20_000,
        validate_every=2500,
        reaches=(0.99, 1.0),
    ),
    Recipe(
        name="record",
        summary="Ten 3×3 convolutions without pooling, 150 epochs: a published record recipe, for a GPU.",
        model=ConvNetConfig(features=tuple(range(32, 177, 16)), sizes=(3,) * 10, strides=(1,) * 10),
        optimizer="adam",
        learning_rate=1e-3,
        schedule="staircase",
        decay_rate=0.98,
        decay_steps=500,
        averaging=0.999,
        augmentation="affine",
        shift=5.6,
        rotation=20.0,
        batch_size=120,
        steps=75_000,
        validation=0,
    ),
    Recipe(
        name="classifier",
        summary='The model that reads pictures: a convolutional network that also knows "no digit".',
        model=ConvNetConfig(
            features=(48, 96, 96, 192), sizes=(5, 3, 3, 3), strides=(2, 1, 1, 2), no_digit=True
        ),
        optimizer="adam",
        learning_rate=5e-3,
        schedule="triangular",
        augmentation="paper",
        averaging=0.999,
        half_precision=True,
        batch_size=128,
        steps=60_000,
    ),
    Recipe(
        name="reader",
        summary="Finds digits on whole pages, which are drawn while it trains: lines, tables, forms, photos.",
        model=DetectorConfig(),
        optimizer="adam",
        learning_rate=3e-3,
        schedule="triangular",
        averaging=0.999,
        half_precision=True,
        batch_size=8,
        steps=30_000,
        validate_every=2000,
        checkpoint_every=500,
    ),
    Recipe(
        name="verifier",
        summary="Takes a second look at what the detector finds on pages: which digit it is, or none.",
        model=VerifierConfig(),
        optimizer="adam",
        learning_rate=2e-3,
        schedule="triangular",
        averaging=0.999,
        half_precision=True,
        batch_size=128,
        steps=20_000,
        validate_every=2000,
        checkpoint_every=500,
    ),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _TABLE}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UnknownNameError: there is none; the message suggests the nearest.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return RECIPES[name]


def own_values(recipe: Recipe) -> list[str]:
    """The fields whose values the recipe has neither from the table's recipe of its name nor by default."""
    base = RECIPES.get(recipe.name)
    return [
        item.name
        for item in fields(recipe)
        if (value := getattr(recipe, item.name)) != item.default
        and not (base and value == getattr(base, item.name))
    ]
