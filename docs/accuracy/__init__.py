"""The accuracy page: what is measured, how, and how it is written down. `python -m docs.accuracy` does it all."""
