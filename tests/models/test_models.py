"""One contract over all models."""

from collections.abc import Callable
from dataclasses import asdict, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.errors import InvalidValueError
from mnistry.losses import cross_entropy
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    FoldedModel,
    LeNet5Config,
    Model,
    ModelConfig,
    PerceptronConfig,
    PooledNetConfig,
    RowLstmConfig,
    ScratchConfig,
    SeparableNetConfig,
    SoftmaxConfig,
)
from mnistry.models.layers import convolve
from mnistry.models.separable import SeparableConvolution

# Small kernels, because each of their places is a product that the compiler sees.
SMALL_NET = ConvNetConfig(features=(5, 7), sizes=(3, 2), strides=(3, 2))
COMMITTEE = CommitteeConfig((SMALL_NET, replace(SMALL_NET, features=(4, 8))))
CONFIGS: dict[str, ModelConfig] = {
    "softmax": SoftmaxConfig(),
    "perceptron": PerceptronConfig(hidden=(40,)),
    "perceptron-deep": PerceptronConfig(hidden=(30, 20), initialization="he", dropout=0.2),
    "scratch": ScratchConfig(hidden=20),
    "row-lstm": RowLstmConfig(units=9),
    "lenet5": LeNet5Config(),
    "pooled-net": PooledNetConfig(features=(5, 17, 4), dense=(9,)),
    "convnet": ConvNetConfig(features=(5, 18, 7), dropout=0.2, no_digit=True),
    "convnet-residual": ConvNetConfig((5, 7, 7), (3, 2, 3), (3, 2, 1), residual=(2,), views=5),
    "separable": SeparableNetConfig(features=(5, 4, 6)),
    "separable-upright": SeparableNetConfig(features=(5, 4), upright=True),
    "committee": COMMITTEE,
}


SLOW = ("separable",)  # all of it but its first layers is in the one that sets digits upright


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(config, id=name, marks=pytest.mark.slow if name in SLOW else ())
        for name, config in CONFIGS.items()
    ],
)
def config(request: pytest.FixtureRequest) -> ModelConfig:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def build(config: ModelConfig) -> Callable[[int], Model]:
    return lambda seed: config.build(np.random.default_rng(seed))


@pytest.fixture(scope="module")
def model(build: Callable[[int], Model]) -> Model:
    return build(0)


@pytest.fixture(scope="module")
def images() -> jax.Array:
    return jax.random.uniform(jax.random.key(5), (6, 28, 28))


@pytest.fixture(scope="module")
def folded(model: Model, images: jax.Array) -> FoldedModel:
    return fold(model, images)


KEY = jax.random.key(0)


@jax.jit
def fold(model: Model, images: jax.Array) -> FoldedModel:
    return model.folded(images[None])


@jax.jit
def logits(model: FoldedModel, images: jax.Array) -> jax.Array:
    return model(images)


@jax.jit
def training_logits(
    model: Model, images: jax.Array, key: jax.Array = KEY, present: jax.Array | None = None
) -> jax.Array:
    return model(images, key, present)


def test_logits_have_a_row_for_each_image(
    config: ModelConfig, model: Model, folded: FoldedModel, images: jax.Array
) -> None:
    for found in (logits(folded, images), training_logits(model, images)):
        assert found.shape == (6, 12 if getattr(config, "no_digit", False) else 10)
        assert found.dtype == jnp.float32
        assert np.isfinite(found).all()


def test_the_same_seed_draws_the_same_weights_and_another_seed_others(
    config: ModelConfig, build: Callable[[int], Model]
) -> None:
    first, again, other = (list(map(np.asarray, jax.tree.leaves(build(seed)))) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    if not isinstance(config, SoftmaxConfig):  # which starts from zeros whatever the seed
        assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_an_image_is_classified_alone_as_in_a_batch(folded: FoldedModel, images: jax.Array) -> None:
    alone = np.concatenate([logits(folded, images[index : index + 1]) for index in range(len(images))])
    np.testing.assert_allclose(alone, logits(folded, images), rtol=1e-5, atol=1e-5)


def test_places_without_an_image_do_not_influence_the_others(config: ModelConfig, images: jax.Array) -> None:
    """Under normalisation, too: the last places of a short batch repeat an image, which counts once."""
    if hasattr(config, "dropout"):  # what is dropped depends on the shape of the batch
        config = replace(config, dropout=0.0)
    model = config.build(np.random.default_rng(0))
    padded = jnp.concatenate([images, jnp.repeat(images[-1:], 4, axis=0)])
    found = training_logits(model, padded, KEY, jnp.arange(10) < 6)[:6]
    np.testing.assert_allclose(found, training_logits(model, images), rtol=1e-4, atol=1e-4)


def test_a_model_is_a_tree_of_float32_arrays(model: Model, folded: FoldedModel) -> None:
    leaves = jax.tree.leaves(model)
    assert leaves
    assert {leaf.dtype for leaf in (*leaves, *jax.tree.leaves(folded))} == {jnp.dtype("float32")}
    assert model.parameters == sum(np.asarray(leaf).size for leaf in leaves) > 0
    assert [a.shape for a in jax.tree.leaves(folded)] == [a.shape for a in leaves]


def test_the_gradient_agrees_with_finite_differences(folded: FoldedModel, images: jax.Array) -> None:
    """Along random directions, in double precision, where a difference quotient is worth something."""
    with jax.enable_x64(True):
        labels = jnp.array([3, 1, 4, 1, 5, 9])
        pixels = np.asarray(images, np.float64)
        noise = np.random.default_rng(9)  # without it, paper would lie on the kink of a ReLU
        model = jax.tree.map(lambda a: np.asarray(a) + 0.1 * noise.normal(size=a.shape), folded)

        @jax.jit
        @jax.value_and_grad
        def loss_and_gradient(model: object) -> jax.Array:
            return cross_entropy(model(pixels), labels).mean()  # type: ignore[operator]

        _, gradient = loss_and_gradient(model)
        for seed in range(3):
            random = np.random.default_rng(seed)
            direction = jax.tree.map(lambda leaf, random=random: random.normal(size=leaf.shape), model)
            # Short steps, lest one of the ReLUs or maxima switches on the way.
            (ahead, _), (behind, _) = (
                loss_and_gradient(
                    jax.tree.map(lambda w, d, step=step: np.asarray(w) + step * d, model, direction)
                )
                for step in (1e-8, -1e-8)
            )
            slope = sum(
                float(np.vdot(g, d))
                for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
            )
            assert slope == pytest.approx(float(ahead - behind) / 2e-8, rel=1e-4, abs=1e-6)


NORMALIZED = [SMALL_NET, SeparableNetConfig(features=(5, 4))]


@pytest.mark.parametrize("config", NORMALIZED)
def test_only_what_trains_depends_on_the_batch(config: ModelConfig, images: jax.Array) -> None:
    """In training, a convolutional net normalises by the batch; for use, an image's logits are its own."""
    model = config.build(np.random.default_rng(0))
    folded = fold(model, images)
    for function, net, depends in ((training_logits, model, True), (logits, folded, False)):
        alone, together = function(net, images[:1]), function(net, images)[:1]
        assert np.allclose(alone, together, rtol=1e-5, atol=1e-5) != depends


@pytest.mark.parametrize("config", NORMALIZED)
def test_folding_puts_the_moments_of_the_images_into_the_weights(
    config: ModelConfig, images: jax.Array
) -> None:
    """One batch normalised by itself gives what the folded model gives without normalisation."""
    random = np.random.default_rng(3)
    model = config.build(random)
    model = jax.tree.map(lambda leaf: leaf + 0.1 * random.normal(size=leaf.shape).astype("f4"), model)
    folded = fold(model, images)
    np.testing.assert_allclose(logits(folded, images), training_logits(model, images), rtol=1e-4, atol=1e-4)
    assert not isinstance(folded, Model), "what is folded cannot be trained any further"


@pytest.mark.parametrize("config", NORMALIZED)
def test_the_gradient_of_normalisation_agrees_with_finite_differences(
    config: ModelConfig, images: jax.Array
) -> None:
    with jax.enable_x64(True):
        random = np.random.default_rng(5)
        model = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), config.build(random))
        pixels, key = np.asarray(images, np.float64), jax.random.key(0)

        @jax.jit
        @jax.value_and_grad
        def loss_and_gradient(model: Model) -> jax.Array:
            return cross_entropy(model(pixels, key), jnp.array([3, 1, 4, 1, 5, 9])).mean()

        direction = jax.tree.map(lambda leaf: random.normal(size=leaf.shape), model)
        (ahead, _), (behind, _) = (
            loss_and_gradient(
                jax.tree.map(lambda w, d, step=step: np.asarray(w) + step * d, model, direction)
            )
            for step in (1e-8, -1e-8)
        )
        _, gradient = loss_and_gradient(model)
        pairs = zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
        slope = sum(float(np.vdot(g, d)) for g, d in pairs)
        assert slope == pytest.approx(float(ahead - behind) / 2e-8, rel=1e-4, abs=1e-6)


def test_each_member_of_a_committee_learns_from_its_own_share(images: jax.Array) -> None:
    model = COMMITTEE.build(np.random.default_rng(0))
    assert model.shares == 2
    together = training_logits(model, images)
    for place, member in enumerate(model.members):
        alone = training_logits(member, images[place::2])
        np.testing.assert_allclose(together[place::2], alone, rtol=1e-5, atol=1e-5)
    folded = fold(model, images)
    answers = [jax.nn.log_softmax(logits(fold(member, images), images)) for member in model.members]
    np.testing.assert_allclose(logits(folded, images), np.mean(answers, axis=0), rtol=1e-5, atol=1e-5)


def test_a_residual_convolution_adds_to_what_it_is_given(images: jax.Array) -> None:
    config = ConvNetConfig((4, 4), (3, 3), (3, 1), residual=(1,))
    model = config.build(np.random.default_rng(3))
    silent = eqx.tree_at(lambda net: net.convolutions[1].bias, model, jnp.full(4, -100.0))
    one = ConvNetConfig((4,), (3,), (3,)).build(np.random.default_rng(0))
    parts = model.convolutions[:1], model.output
    short = eqx.tree_at(lambda net: (net.convolutions, net.output), one, parts)
    np.testing.assert_array_equal(training_logits(silent, images), training_logits(short, images))
    assert not np.array_equal(training_logits(model, images), training_logits(short, images))


def test_five_views_are_the_mean_of_the_log_probabilities_of_moved_images(images: jax.Array) -> None:
    once = ConvNetConfig((4,), (3,), (2,)).build(np.random.default_rng(3))
    single = fold(once, images)
    several = type(single)(single.convolutions, single.output, replace(single.config, views=5))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = [padded[:, 1 - y : 29 - y, 1 - x : 29 - x] for y, x in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    expected = np.mean([jax.nn.log_softmax(logits(single, view)) for view in views], axis=0)
    np.testing.assert_allclose(logits(several, images), expected, rtol=1e-5, atol=1e-5)


def test_a_convolutional_net_that_does_not_fit_the_image_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="one number a convolution; they have 2, 3 and 3"):
        ConvNetConfig(features=(8, 8))
    with pytest.raises(InvalidValueError, match="leave nothing of the image's 28 rows"):
        ConvNetConfig(sizes=(20, 9, 3), strides=(1, 2, 1))
    with pytest.raises(InvalidValueError, match=r"`model\.strides` must be at least 1"):
        ConvNetConfig(strides=(2, 0, 1))
    with pytest.raises(InvalidValueError, match="after the first, 1 to 2, not 3"):
        ConvNetConfig(residual=(3,))
    with pytest.raises(InvalidValueError, match="as many features as it is given, 24, not 48"):
        ConvNetConfig(residual=(1,))
    with pytest.raises(InvalidValueError, match="an odd size and a stride of 1, not 2 and 1"):
        ConvNetConfig((24, 24), (6, 2), (2, 1), residual=(1,))
    with pytest.raises(InvalidValueError, match="must be two or more numbers, each at least 1"):
        SeparableNetConfig(features=(8,))
    with pytest.raises(InvalidValueError, match="at most 7 numbers, not 8"):
        SeparableNetConfig(features=(5,) * 8)


def test_a_separable_convolution_is_one_of_each_channel_and_then_sums() -> None:
    random = np.random.default_rng(8)
    layer = SeparableConvolution.create(random, 3, 2)
    image = random.normal(size=(1, 3, 3, 3)).astype("f4")
    own = (image[0] * layer.depthwise).sum(axis=(0, 1))
    found = convolve(jnp.asarray(image), layer.kernel, "VALID")
    np.testing.assert_allclose(found[0, 0, 0], own @ layer.pointwise, rtol=1e-5)


def test_only_dropout_depends_on_the_key(
    config: ModelConfig, model: Model, folded: FoldedModel, images: jax.Array
) -> None:
    first, second = (np.asarray(training_logits(model, images, jax.random.key(seed))) for seed in (1, 2))
    assert (first == second).all() != bool(getattr(config, "dropout", 0))
    if not getattr(config, "dropout", 0) and isinstance(model, FoldedModel):
        np.testing.assert_array_equal(first, logits(folded, images))


def test_a_size_of_zero_is_refused(config: ModelConfig) -> None:
    for name, value in asdict(config).items():
        if name in ("hidden", "units", "features"):
            with pytest.raises(InvalidValueError, match=f"`model.{name}` .*must be .*at least 1"):
                replace(config, **{name: (0,) * len(value) if isinstance(value, tuple) else 0})


def test_a_share_of_dropout_outside_its_range_is_refused(config: ModelConfig) -> None:
    for value in (-0.1, 1.0, float("nan")):
        if hasattr(config, "dropout"):
            with pytest.raises(
                InvalidValueError, match=r"`model\.dropout` must be at least 0 and below 1, not"
            ):
                replace(config, dropout=value)
