import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.errors import InvalidValueError


@pytest.mark.parametrize("form", [AS_MNIST, ImageForm(invert=True), ImageForm(True, True)])
def test_stored_images_become_as_mnist_stores_them(small: Dataset, form: ImageForm) -> None:
    images = small.test.images
    expected = 255 - images if form.invert else images
    expected = np.stack([image.T for image in expected]) if form.transpose else expected
    np.testing.assert_array_equal(form.upright(images), expected)
    np.testing.assert_array_equal(form.upright(form.upright(images)), images)


def test_another_form_is_another_content(small: Dataset) -> None:
    inverted = ImageForm(invert=True).applied(small)
    assert inverted.source == "made up, inverted"
    assert inverted.sha256 != ImageForm(transpose=True).applied(small).sha256
    np.testing.assert_array_equal(inverted.train.images, 255 - small.train.images)
    np.testing.assert_array_equal(inverted.train.labels, small.train.labels)
    assert AS_MNIST.applied(small) is small


def test_arguments() -> None:
    assert ImageForm(True, True, 16).arguments() == "`invert=True`, `transpose=True`, `full_scale=16`"
    assert ImageForm.from_json(ImageForm(full_scale=1.5).to_json()) == ImageForm(full_scale=1.5)
    with pytest.raises(InvalidValueError, match="`full_scale` must be above 0"):
        ImageForm(full_scale=0)
