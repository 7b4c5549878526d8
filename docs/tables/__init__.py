"""Tables of defaults and of times, written into the pages that show them."""
