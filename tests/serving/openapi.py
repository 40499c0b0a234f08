"""Renew the golden OpenAPI document: ``python -m tests.serving.openapi``."""

import json
import tempfile
from pathlib import Path

from serving.app import create_app
from tests.serving.conftest import settings_in

GOLDEN = Path(__file__).with_name("openapi.json")


def document():
    """Give the document as the service gives it, written so that a change is a readable diff."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings_in(Path(folder)))
        try:
            return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        finally:
            app.state.service.close()


if __name__ == "__main__":
    GOLDEN.write_text(document(), encoding="utf-8")
