"""What a result prints, as text."""

from io import StringIO

from rich.console import Console


def shown(result):
    """Return what a result shows on a wide screen."""
    console = Console(file=StringIO(), width=400)
    result.show(console)
    return console.file.getvalue()
