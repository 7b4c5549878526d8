"""What a signal or its spectrum is like, in a number or a few for each frame."""
