"""Digits as OpenCV's samples read them: threshold, contours, moments, histograms of gradients, and an SVM.

Source: samples/python/digits.py and digits_video.py of OpenCV 4 (Apache 2), trained here on MNIST and made
kinder where the samples count on a webcam's picture of 640×480: Otsu's threshold takes the place of the local
one of 31 pixels, in which wide strokes become hollow; contours are chosen by their size relative to the
largest one; and digits are sorted into lines, which the samples need not do. The SVM is scikit-learn's, with
the samples' kernel and constants, as OpenCV 5 has none.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from mnistry.data.decode import Picture, open_picture
from mnistry.reading.recognizer import Reading

SIDE = 20  # the samples' SZ
BINS = 16
LONGEST_SIDE = 640
SMALLEST = 0.3  # of the tallest contour's height; less is dust
Binary = NDArray[np.uint8]


class OpenCvDigits:
    """Reads pictures; its `read` stands beside `Recognizer.read`."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[Any]) -> None:
        """
        Args:
            images: digits to learn from, white on black, uint8 `[n, 28, 28]`.
            labels: their classes, `[n]`.
        """
        self._svm = SVC(C=2.67, gamma=5.383)
        self._svm.fit(np.stack([features(threshold(image)) for image in images]), labels)

    def read(self, picture: Picture, *, min_confidence: float = 0.0) -> Reading:
        """Reads all digits; the SVM tells no confidence, so `min_confidence` has no effect.

        Raises:
            PictureError: it cannot be read.
        """
        binary = threshold(
            np.rint(255 * open_picture(picture, longest_side=LONGEST_SIDE).grey).astype(np.uint8)
        )
        lines = []
        for line in find_lines(binary):
            samples = np.stack([features(binary[y : y + h, x : x + w]) for x, y, w, h in line])
            lines.append("".join(str(int(answer)) for answer in self._svm.predict(samples)))
        return Reading(tuple(lines), ())


def threshold(grey: NDArray[np.uint8]) -> Binary:
    """Ink as 255: the side of Otsu's threshold that has fewer pixels."""
    _, binary = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(255 - binary if binary.mean() > 127 else binary, np.uint8)


def find_lines(binary: Binary) -> list[list[tuple[int, int, int, int]]]:
    """The boxes (x, y, width, height) of the outer contours, by lines from above, each from the left."""
    contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [cv2.boundingRect(contour) for contour in contours]
    tallest = max((h for *_, h in found), default=0)
    boxes = [(x, y, w, h) for x, y, w, h in found if h >= SMALLEST * tallest and w <= 1.2 * h]
    lines: list[list[tuple[int, int, int, int]]] = []
    for box in sorted(boxes, key=lambda box: box[1] + box[3] / 2):
        middle = box[1] + box[3] / 2
        if lines and any(y <= middle <= y + h for _, y, _, h in lines[-1]):
            lines[-1].append(box)
        else:
            lines.append([box])
    return [sorted(line) for line in lines]


def features(binary: Binary) -> NDArray[np.float32]:
    """The samples' 64 features of one digit: centred, set upright, and four histograms of its gradients."""
    moments = cv2.moments(binary)
    scale = 1.5 * binary.shape[0] / SIDE
    centre = np.array([moments["m10"], moments["m01"]]) / max(moments["m00"], 1e-6)
    placed = np.hstack([scale * np.eye(2), (centre - scale * SIDE / 2)[:, None]])
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    digit = cv2.warpAffine(binary, placed, (SIDE, SIDE), flags=flags)
    moments = cv2.moments(digit)
    if abs(moments["mu02"]) >= 1e-2:
        skew = moments["mu11"] / moments["mu02"]
        upright = np.array([[1, skew, -0.5 * SIDE * skew], [0, 1, 0]])
        digit = cv2.warpAffine(digit, upright, (SIDE, SIDE), flags=flags)
    magnitude, angle = cv2.cartToPolar(cv2.Sobel(digit, cv2.CV_32F, 1, 0), cv2.Sobel(digit, cv2.CV_32F, 0, 1))
    bins = (BINS * angle / (2 * np.pi)).astype(np.int32) % BINS
    half = SIDE // 2
    quarters = [(rows, columns) for rows in np.s_[:half, half:] for columns in np.s_[:half, half:]]
    histogram = np.hstack([np.bincount(bins[at].ravel(), magnitude[at].ravel(), BINS) for at in quarters])
    histogram = np.sqrt(histogram / (histogram.sum() + 1e-7))
    return np.asarray(histogram / (np.linalg.norm(histogram) + 1e-7), np.float32)
