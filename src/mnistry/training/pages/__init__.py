"""Pages drawn while the detector trains: writing, print and lines on paper, as a camera sees them."""
