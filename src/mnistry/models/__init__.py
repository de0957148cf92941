"""Models: one file a family, each with its configuration beside it.

A configuration is a frozen dataclass whose `build(random)` draws the initial weights with NumPy (nothing
needs compiling for that). A model is an Equinox module: data with a `__call__`. What is trained is a `Model`;
its method `folded` gives the `FoldedModel` that is used. Models know nothing of optimizers, data sets or
storage.
"""

from mnistry.models.committee import Committee, CommitteeConfig, FoldedCommittee
from mnistry.models.conv import ConvNet, ConvNetConfig, FoldedConvNet, LeNet5, LeNet5Config
from mnistry.models.detector import Detector, DetectorConfig, FoldedDetector
from mnistry.models.lstm import RowLstm, RowLstmConfig
from mnistry.models.model import FoldedModel, Model, Trainable
from mnistry.models.own import OwnModel, OwnNet
from mnistry.models.perceptron import Perceptron, PerceptronConfig
from mnistry.models.pooled import PooledNet, PooledNetConfig
from mnistry.models.reader import Reader, ReaderConfig
from mnistry.models.scratch import Scratch, ScratchConfig
from mnistry.models.separable import FoldedSeparableNet, SeparableNet, SeparableNetConfig
from mnistry.models.softmax import SoftmaxConfig, SoftmaxRegression
from mnistry.models.verifier import FoldedVerifier, Verifier, VerifierConfig

PageConfig = DetectorConfig | VerifierConfig | ReaderConfig
"""Of models that learn from whole pages."""

ModelConfig = (
    SoftmaxConfig
    | PerceptronConfig
    | ScratchConfig
    | RowLstmConfig
    | LeNet5Config
    | ConvNetConfig
    | PooledNetConfig
    | SeparableNetConfig
    | CommitteeConfig
    | PageConfig
    | OwnModel
)

__all__ = [
    "Committee",
    "CommitteeConfig",
    "ConvNet",
    "ConvNetConfig",
    "Detector",
    "DetectorConfig",
    "FoldedCommittee",
    "FoldedConvNet",
    "FoldedDetector",
    "FoldedModel",
    "FoldedSeparableNet",
    "FoldedVerifier",
    "LeNet5",
    "LeNet5Config",
    "Model",
    "ModelConfig",
    "OwnModel",
    "OwnNet",
    "PageConfig",
    "Perceptron",
    "PerceptronConfig",
    "PooledNet",
    "PooledNetConfig",
    "Reader",
    "ReaderConfig",
    "RowLstm",
    "RowLstmConfig",
    "Scratch",
    "ScratchConfig",
    "SeparableNet",
    "SeparableNetConfig",
    "SoftmaxConfig",
    "SoftmaxRegression",
    "Trainable",
    "Verifier",
    "VerifierConfig",
]
