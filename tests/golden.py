"""Golden files: output that people or programs read, saved so that review sees every change."""

import os
from pathlib import Path


def assert_golden(path: Path, text: str) -> None:
    """Hold a text against its golden file; ``LEADSCORE_RENEW_GOLDEN=1`` writes it anew."""
    if os.environ.get("LEADSCORE_RENEW_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run the test once with LEADSCORE_RENEW_GOLDEN=1 and look at it"
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: look, then LEADSCORE_RENEW_GOLDEN=1"
