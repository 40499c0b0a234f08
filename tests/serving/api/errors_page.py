"""Renew the page of errors: ``python -m tests.serving.api.errors_page``."""

from serving.api.problem_types import errors_markdown
from tests.serving.conftest import ROOT

PAGE = ROOT / "docs" / "errors.md"

if __name__ == "__main__":
    PAGE.write_text(errors_markdown(), encoding="utf-8")
