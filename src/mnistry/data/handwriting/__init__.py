"""Handwriting of many people, from where it is published to the arrays that pages are drawn with."""

from mnistry.data.handwriting.fetch import fetch_set, find_handwriting
from mnistry.data.handwriting.published import HandwritingSet
from mnistry.data.handwriting.sets import PAGE_SETS, SETS

__all__ = ["PAGE_SETS", "SETS", "HandwritingSet", "fetch_set", "find_handwriting"]
