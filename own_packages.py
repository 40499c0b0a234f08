"""
Refuse to run with packages of other projects that have the names of leadscore's own, such as ``data``.

``leadscore.py`` imports this module before all others: ``python -m leadscore`` and ``PYTHONPATH`` put folders before
leadscore's own, and a foreign ``data`` in one of them would otherwise fail with an import error that explains nothing.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("data", "features", "models", "training", "serving")
_HERE = Path(__file__).resolve().parent


def foreign_package(folder: Path = _HERE) -> str | None:
    """
    Return where Python finds one of the packages outside a folder; None where all are inside.

    >>> foreign_package() is None
    True
    """
    for name in PACKAGES:
        spec = find_spec(name)
        origin = spec.origin if spec is not None else None
        if origin is None or Path(origin).resolve().parent.parent != folder:
            return origin or f"no file at all, for {name}"
    return None


def refuse_foreign_packages() -> None:
    """
    End the program where a package of another project would be imported as leadscore's.

    Raises:
        SystemExit: names the file, and what to do.
    """
    found = foreign_package()
    if found is not None:
        message = (
            f"Python finds {found} in place of leadscore's own package: run the command `leadscore`, "
            "not `python -m leadscore`, in this folder, and keep the folder out of PYTHONPATH."
        )
        print(message, file=sys.stderr)  # noqa: T201 - the console of the command line is not imported yet
        raise SystemExit(2)


refuse_foreign_packages()
