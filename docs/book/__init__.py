"""What the pages of the book share: figures, printed numbers, and what Sphinx is taught."""
