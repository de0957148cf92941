"""`python -m mnistry` is the command line."""

import sys

from mnistry.cli import main

sys.exit(main())
