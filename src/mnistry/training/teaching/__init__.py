"""Teaching a detector its user's hand: labelled pictures without boxes, mixed with what it knows."""
