"""Where arrayaudio meets other software: one optional dependency a file."""
