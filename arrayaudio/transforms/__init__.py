"""What a user holds: frozen dataclasses, one family a file, called on a signal."""
