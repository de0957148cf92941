"""Runs as repositories on the Hugging Face Hub: pushed with a model card, pulled and checked."""

from mnistry.hub.repository import pull, push

__all__ = ["pull", "push"]
