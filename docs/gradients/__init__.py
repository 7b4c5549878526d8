"""The gradient page: how it is measured and written."""
