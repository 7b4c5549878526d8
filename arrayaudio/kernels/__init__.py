"""Fast versions of primitives; `primitive` finds them by name."""
