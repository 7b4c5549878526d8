"""Write the tables into their pages: `python -m docs.tables`, or `make pages`."""

from docs.tables.page import PAGES, rendered


def main() -> None:
    """Write every page that has tables."""
    for path in PAGES:
        path.write_text(rendered(path.read_text()))


if __name__ == "__main__":
    main()
