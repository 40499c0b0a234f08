"""Writing a file whole: whoever reads it sees the old content or the new, never half of either."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """
    Put text into a file in one step, on disk when this returns.

    Args:
        path: its folder is made where there is none.
        text: written as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with building.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        building.replace(path)
    finally:
        building.unlink(missing_ok=True)
