"""The programs that mnistry is compared with, and the environments that they run in."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Literal, NamedTuple

from mnistry import atomic
from peers.openblas import compiled

PeerName = Literal[
    "tensorflow", "keras", "tensorflow-xla", "pytorch", "pytorch-tensors", "pytorch-compiled", "openblas"
]


class Peer(NamedTuple):
    source: str
    environment: str
    only: str | None = None
    """The one recipe that it has; by default it has all."""


PEERS: dict[PeerName, Peer] = {
    "tensorflow": Peer("tensorflow_v1.py", "tensorflow"),
    "keras": Peer("keras_fit.py", "tensorflow"),
    "tensorflow-xla": Peer("tensorflow_xla.py", "tensorflow"),
    "pytorch": Peer("pytorch_loop.py", "pytorch"),
    "pytorch-tensors": Peer("pytorch_tensors.py", "pytorch"),
    "pytorch-compiled": Peer("pytorch_compiled.py", "pytorch"),
    "openblas": Peer("openblas_mlp.c", "openblas", only="mlp"),
}

# tf_keras has BasicLSTMCell, which the old tutorials use and Keras 3 lacks.
REQUIREMENTS = {
    "tensorflow": ["tensorflow==2.21.0", "keras==3.15.1", "tf_keras==2.21.0", "numpy==2.4.6"],
    "pytorch": ["torch==2.13.0", "numpy==2.4.6"],
    "openblas": ["scipy-openblas32==0.3.34.481.3"],
    "rapidocr": [
        "rapidocr-onnxruntime==1.4.4",
        "onnxruntime==1.32.0",
        "numpy==2.4.6",
        "opencv-python==5.0.0.93",
    ],
    # What `mnistry.reading` imports, and two ways to put it behind HTTP.
    "services": [
        "fastapi==0.165.0",
        "litserve==0.2.19",
        "uvicorn==0.54.0",
        "uvloop==0.23.0",
        "httptools==0.9.0",
        "onnxruntime==1.31.1",
        "numpy==2.4.6",
        "opencv-python-headless==5.0.0.93",
        "pillow==13.0.0",
    ],
}

_PEERS_FOLDER = Path(__file__).resolve().parent


def peer_command(name: PeerName) -> list[str]:
    """The interpreter and the script of a peer, or the program compiled from its source.

    Makes the environment if it is not there as required.

    Raises:
        SystemExit: the environment or the program cannot be made.
    """
    peer = PEERS[name]
    python, source = interpreter(peer.environment), _PEERS_FOLDER / peer.source
    if source.suffix != ".c":
        return [str(python), str(source)]
    try:
        return [str(compiled(source, python.parent / source.stem, python))]
    except OSError as error:
        raise SystemExit(f"{error}; --peers can name the others only") from None


def interpreter(environment: str) -> Path:
    """The interpreter of an environment. Makes it if it is not there as required.

    Raises:
        SystemExit: it cannot be made.
    """
    folder = _PEERS_FOLDER.parent / ".environments" / environment
    places = {"base": str(folder), "installed_base": str(folder)}
    interpreter = Path(sysconfig.get_path("scripts", "venv", places)) / Path(sys.executable).name
    requirements = REQUIREMENTS[environment]
    done = folder / "requirements.txt"  # written last: an interrupted installation is made anew
    if done.is_file() and done.read_text().split() == requirements:
        return interpreter
    print(f"making the environment {folder}: {', '.join(requirements)}", file=sys.stderr, flush=True)
    create = [sys.executable, "-m", "venv", "--clear", str(folder)]
    install = [str(interpreter), "-m", "pip", "install", "--quiet", *requirements]
    for command in (create, install):
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise SystemExit(f"{folder} could not be made; --peers can name the others only")
    atomic.write_text(done, "\n".join(requirements) + "\n")
    return interpreter
