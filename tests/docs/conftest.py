"""What the pages of the book share is found as the pages find it."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs"))
