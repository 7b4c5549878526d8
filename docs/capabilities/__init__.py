"""What each primitive and each transform can do, found by running it: docs/capabilities.md."""
