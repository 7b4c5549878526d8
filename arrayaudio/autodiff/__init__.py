"""A small reverse-mode tape: functions of arrays, and of nested structures of arrays, and their gradients."""
