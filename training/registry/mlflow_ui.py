"""MLflow's own pages over the registry on this machine; ``make mlflow`` opens them."""

import argparse
import os
import sys

from data.errors import LeadscoreError
from data.home import Home
from training.registry.mlflow_registry import Registry

_PORT = 5000


def open_pages(home: Home, *, port: int) -> None:
    """
    Print where the pages are, and become the server that shows them.

    Args:
        home: its registry is shown.
        port: on this machine alone.

    Raises:
        RegistryError: nothing was trained here yet, or the registry is damaged.
    """
    registry = Registry(home, "")
    registry.require_existing()
    registry.require_readable()
    where = f"MLflow shows the trainings of {home.registry} at http://127.0.0.1:{port} until Ctrl-C."
    print(where, flush=True)  # noqa: T201 - a line for whoever opens the pages
    options = ["--backend-store-uri", registry.tracking_uri, "--registry-store-uri", registry.tracking_uri]
    server = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *options, *server])  # noqa: S606 - no shell is wanted


def main() -> None:
    """Read the port from the command line, and open the pages."""
    parser = argparse.ArgumentParser(prog="make mlflow", description="Open MLflow's pages over the registry.")
    parser.add_argument("--port", type=int, default=_PORT, help="the port on this machine (default: %(default)s)")
    try:
        open_pages(Home.from_environment(), port=parser.parse_args().port)
    except LeadscoreError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
