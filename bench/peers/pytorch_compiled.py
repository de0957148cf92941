"""The recipes as in `pytorch_tensors.py`, with network, loss and gradients through `torch.compile`."""

from functools import partial

from program import main
from pytorch_recipes import RECIPES
from pytorch_tensors import run

if __name__ == "__main__":
    main({name: partial(run, name, compiled=True) for name in RECIPES}, __doc__)
