"""The recognizer as an object: which models it takes, that it travels, what it gives up, what it notes."""

import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from mnistry.data import Dataset
from mnistry.errors import PictureSizeError, RunError
from mnistry.reading import recognizer as reader
from mnistry.reading import scales
from mnistry.reading.classifier import SHIPPED_MODEL, Classifier
from mnistry.reading.detector import SHIPPED_DETECTOR, WEIGHTS, Detector
from mnistry.reading.recognizer import PRESENT, Recognizer


def test_the_classifiers_answers_are_at_hand(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    images = optdigits.test.images[:50]
    np.testing.assert_array_equal(recognizer.logits(images), recognizer.classifier.logits(images))
    np.testing.assert_array_equal(
        recognizer.probabilities(images), recognizer.classifier.probabilities(images)
    )


def test_it_can_be_pickled(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    again = pickle.loads(pickle.dumps(recognizer))
    picture = np.kron(255 - optdigits.test.images[0], np.ones((4, 4), np.uint8))
    assert again.read(picture) == recognizer.read(picture)
    assert again.read(picture).digits


def row_of(optdigits: Dataset, count: int) -> np.ndarray:
    """A row of digits, dark on light."""
    digits = optdigits.test.images[:count]
    return np.kron(255 - np.concatenate(list(digits), axis=1), np.ones((3, 3), np.uint8))


# ---------------------------------------------------------------- models


def permuted(path: Path) -> Path:
    """The shipped 28×28 model with its answers in another order: what is a 1 to it, this one calls a 2."""
    model = onnx.load(SHIPPED_MODEL)
    (logits,) = [node for node in model.graph.node if "logits" in node.output]
    logits.output[list(logits.output).index("logits")] = "in_order"
    order = onnx.numpy_helper.from_array(np.array([9, *range(9), 10, 11]), "order")
    model.graph.initializer.append(order)
    model.graph.node.append(onnx.helper.make_node("Gather", ["in_order", "order"], ["logits"], axis=1))
    onnx.save(model, path)
    return path


def test_a_model_of_ones_own_says_which_digit_each_is(optdigits: Dataset, tmp_path: Path) -> None:
    """In a run folder or as a file; where the digits are the shipped detector says."""
    permuted(tmp_path / "model.onnx")
    row = row_of(optdigits, 5)
    usual = Recognizer.load(threads=1).read(row)
    assert len(usual.digits) == 5
    for source in (tmp_path, str(tmp_path), tmp_path / "model.onnx"):
        own = Recognizer.load(source, threads=1)
        assert own.detector.weights.tolist() == Detector.load().weights.tolist()
        answers = own.read(row)
        assert [digit.box for digit in answers.digits] == [digit.box for digit in usual.digits]
        assert [digit.digit for digit in answers.digits] == [(digit.digit + 1) % 10 for digit in usual.digits]
        assert own.read(row) == pickle.loads(pickle.dumps(own)).read(row)


def test_a_detector_of_ones_own_takes_the_place_of_the_shipped_one(
    optdigits: Dataset, tmp_path: Path
) -> None:
    model = onnx.load(SHIPPED_DETECTOR)
    onnx.helper.set_model_props(model, {WEIGHTS: "[1, 0, 0, -20]"})  # so that it finds nothing
    onnx.save(model, tmp_path / "model.onnx")
    row = row_of(optdigits, 5)
    own = Recognizer.load(tmp_path, threads=1)
    assert own.read(row).lines == ()
    np.testing.assert_array_equal(
        own.probabilities(optdigits.test.images[:5]),
        Classifier.load().probabilities(optdigits.test.images[:5]),
    )
    own = Recognizer.load(SHIPPED_DETECTOR, threads=1)
    assert own.read(row) == Recognizer.load(threads=1).read(row)


@pytest.mark.parametrize(
    ("model", "metadata", "message"),
    [
        (SHIPPED_MODEL, {"class_names": '["a"'}, r"model\.onnx: its metadata are damaged"),
        (SHIPPED_DETECTOR, {WEIGHTS: "[1, 2"}, r"model\.onnx: its metadata are damaged"),
        (SHIPPED_DETECTOR, {WEIGHTS: "[1, 2]"}, r"damaged: weights_of_evidence are not 4 numbers"),
    ],
)
def test_damaged_metadata_of_either(
    tmp_path: Path, model: Path, metadata: dict[str, str], message: str
) -> None:
    damaged = onnx.load(model)
    del damaged.metadata_props[:]
    onnx.helper.set_model_props(damaged, metadata)
    onnx.save(damaged, tmp_path / "model.onnx")
    with pytest.raises(RunError, match=message):
        Recognizer.load(tmp_path)


def test_what_is_no_model_of_either_kind(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no model\.onnx in it"):
        Recognizer.load(tmp_path)
    with pytest.raises(RunError, match=r"absent\.onnx: there is no such model or run folder"):
        Recognizer.load(tmp_path / "absent.onnx")
    (tmp_path / "model.onnx").write_bytes(SHIPPED_DETECTOR.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"model\.onnx: not an ONNX model"):
        Recognizer.load(tmp_path)
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "other", values[:1], values[1:])
    other = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(other, tmp_path / "model.onnx")
    with pytest.raises(RunError, match=r"model\.onnx: expected the inputs \{'images'.*found \{'x'"):
        Recognizer.load(tmp_path)


# ---------------------------------------------------------------- bounds


def test_a_deadline(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    row = row_of(optdigits, 8)
    assert recognizer.read(row, deadline=time.monotonic() + 60) == recognizer.read(row)
    with pytest.raises(PictureSizeError, match="takes too long to read"):
        recognizer.read(row, deadline=time.monotonic() - 1)


@pytest.mark.parametrize("classes", ["0123456789", "OIcdefghjk"])
@pytest.mark.parametrize("slow", ["cut", "classifier"])
def test_a_deadline_that_comes_while_digits_are_told(
    optdigits: Dataset, monkeypatch: pytest.MonkeyPatch, classes: str, slow: str
) -> None:
    """The clock stands still until what is slow, and then jumps."""
    recognizer = Recognizer.load(threads=1)
    recognizer.classifier.class_names = tuple(classes)
    now = 0.0

    def late(function):  # type: ignore[no-untyped-def]
        def called(*arguments):  # type: ignore[no-untyped-def]
            nonlocal now
            now = 100.0
            return function(*arguments)

        return called

    monkeypatch.setattr(scales.time, "monotonic", lambda: now)
    if slow == "cut":
        monkeypatch.setattr(reader, "cut", late(reader.cut))
    else:
        monkeypatch.setattr(recognizer.classifier, "probabilities", late(recognizer.classifier.probabilities))
    with pytest.raises(PictureSizeError, match="takes too long to read"):
        recognizer._found(row_of(optdigits, 8).astype(np.float32) / 255, 50.0)


def test_of_more_than_can_be_looked_at_the_likeliest_are_and_it_is_said(
    optdigits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer.load(threads=1)
    row = row_of(optdigits, 8)
    whole = recognizer.read(row)
    assert (len(whole.digits), whole.notes) == (8, ())
    for module in (scales, reader):
        monkeypatch.setattr(module, "MOST_DIGITS", 4)
    reading = recognizer.read(row)
    assert len(reading.digits) == 4
    assert {digit.box for digit in reading.digits} <= {digit.box for digit in whole.digits}
    note, left_out = reading.notes
    assert note.startswith(
        "4 places or more may be digits; the likeliest were looked at. If this is writing, cut"
    )
    assert left_out == "4 pieces of ink were left out, as letters or signs"


def test_what_was_found_on_the_way(optdigits: Dataset) -> None:
    examination = Recognizer.load(threads=1).examine(row_of(optdigits, 5))
    digits = [one for row in examination.rows for one in row.digits]
    assert len(digits) == len(examination.reading.digits) == 5
    assert set(digits) <= set(examination.found)
    assert all((one.present >= PRESENT) == (one in digits) for one in examination.found)
    for one, digit in zip(digits, examination.reading.digits, strict=True):
        assert digit.probabilities == tuple(one.probabilities.tolist())
        assert digit.confidence == max(digit.probabilities) <= one.present


def test_a_drawing_made_on_a_screen_needs_the_classifier_alone(
    optdigits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its box is where its ink is; what is no single digit, or a photo, is looked for."""
    recognizer = Recognizer.load(threads=1)
    seven = optdigits.test.images[optdigits.test.labels == 7][0]
    rows, columns = (np.flatnonzero(seven.any(axis=axis)) for axis in (1, 0))
    drawn = np.full((900, 700), 255, np.uint8)
    drawn[200:620, 130:550] -= np.kron(seven, np.ones((15, 15), np.uint8))
    looked = list[tuple[int, ...]]()
    heat = Detector.heat

    def counted(self: Detector, page: np.ndarray) -> np.ndarray:
        looked.append(page.shape)
        return heat(self, page)

    monkeypatch.setattr(Detector, "heat", counted)
    (digit,) = recognizer.read(drawn).digits
    assert (digit.digit, looked) == (7, [])
    x, y, width, height = digit.box
    assert (x, y) == pytest.approx((130 + 15 * columns[0], 200 + 15 * rows[0]), abs=15)
    assert (width, height) == pytest.approx((15 * len(columns), 15 * len(rows)), abs=31)
    close = drawn[185:635, 115:565]  # more than a quarter of it is ink
    assert (recognizer.read(close).lines, looked) == (("7",), [])
    assert recognizer.examine(drawn).reading.lines == ("7",)
    assert len(looked) > 0
    for other in (drawn - np.arange(900, dtype=np.uint8)[:, None] // 64, row_of(optdigits, 5)):
        looked.clear()
        recognizer.read(other)
        assert len(looked) > 0
    taught = Recognizer(recognizer.classifier, recognizer.detector, recognizer.verifier, trust=0.2)
    looked.clear()
    assert taught.read(drawn).lines == ("7",)
    assert len(looked) > 0


# ---------------------------------------------------------------- classes that are no digits


def test_classes_are_called_by_their_names(optdigits: Dataset) -> None:
    """Letters stand side by side, as digits do; words are parted, and groups further."""
    zero, one = (optdigits.test.images[optdigits.test.labels == label][0] for label in (0, 1))
    space = np.zeros((28, 90), np.uint8)
    picture = 255 - np.pad(np.hstack([zero, one, space, one, zero]), 30)
    recognizer = Recognizer.load(threads=1)
    digits = recognizer.read(picture)
    assert digits.lines == ("01 10",)
    assert {digit.name for digit in digits.digits} == {None}
    assert "name" not in digits.to_json()["digits"][0]
    for names, line in (
        (("O", "I", *["(none)"] * 8), "OI IO"),
        (("circle", "bar", *"cdefghij"), "circle bar  bar circle"),
    ):
        recognizer.classifier.class_names = names
        reading = recognizer.read(picture)
        assert reading.lines == (line,)
        assert [digit.name for digit in reading.digits] == [names[0], names[1], names[1], names[0]]
        assert [digit.digit for digit in reading.digits] == [0, 1, 1, 0]
        assert reading.to_json()["digits"][1]["name"] == names[1]
        unsure = recognizer.read(picture, min_confidence=1).digits[0]
        assert (unsure.digit, unsure.name) == (None, None)


@pytest.mark.parametrize("scale", [1, 4, 40])
def test_each_piece_of_ink_is_a_sign_where_the_classes_are_no_digits(optdigits: Dataset, scale: int) -> None:
    """No detector knows the signs of others, however large they are drawn."""
    zero, one = (optdigits.test.images[optdigits.test.labels == label][0] for label in (0, 1))
    recognizer = Recognizer.load(threads=1)
    recognizer.classifier.class_names = tuple("OIcdefghjk")
    small = np.pad(np.hstack([zero, one, zero]), 8)
    picture = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for page in (picture, 255 - picture):
        reading = recognizer.read(page)
        assert reading.lines == ("OIO",)
        assert reading.notes == (
            "the model's classes are no digits, so each piece of ink was taken for one sign",
        )
        for place, digit in enumerate(reading.digits):
            x, y, width, height = digit.box
            assert (8 + 28 * place) * scale <= x < x + width <= (36 + 28 * place) * scale
            assert 8 * scale <= y < y + height <= 36 * scale
    assert recognizer.read(np.full((200, 300), 255, np.uint8)).lines == ()
