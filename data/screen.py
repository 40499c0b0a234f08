"""Tables on a screen: what must stay whole is never cut, however narrow the screen is."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000


def print_table(console: Console, table: Table) -> None:
    """
    Print a table so that no word in it is cut or split.

    Rich shortens a column that must not wrap if the screen is too narrow for all of them. Here such a table is wider
    than the screen instead, and the terminal wraps or scrolls its lines.
    """
    widest = console.options.update(width=_WIDEST)
    wanted = Measurement.get(console, widest, table)
    screen = console.width
    console.width = max(screen, wanted.minimum)
    try:
        console.print(table, crop=False)
    finally:
        console.width = screen
