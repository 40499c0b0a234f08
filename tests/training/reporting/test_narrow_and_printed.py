"""On a telephone log loss is in sight, and on paper a heading stays with what it heads."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.training.reporting.sample import evaluation
from training import reporting
from training.reporting.report import render_report

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TELEPHONE_PX = 390
MEASURING = """
<script>onload = () => {
  const page = document.querySelector("iframe").contentDocument;
  const heads = [...page.querySelectorAll(".scroll thead th")].filter(each => each.innerText.startsWith("log loss\\n"));
  const ends = heads.filter(each => each.offsetParent).map(each => Math.round(each.getBoundingClientRect().right));
  document.title = JSON.stringify({ends, wide: page.documentElement.scrollWidth});
}</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed on this machine")
def test_a_telephone_shows_log_loss_without_scrolling_sideways(tmp_path):
    frame = f'<iframe width="{TELEPHONE_PX}" height="900" srcdoc="{html.escape(render_report(evaluation()))}"></iframe>'
    (tmp_path / "page.html").write_text(f"<!doctype html><body>{frame}{MEASURING}</body>", encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path}", "--dump-dom", (tmp_path / "page.html").as_uri()]
    dom = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    seen = json.loads(html.unescape(re.search("<title>(.*?)</title>", dom)[1]))
    assert len(seen["ends"]) >= 3
    assert max(seen["ends"]) <= TELEPHONE_PX
    assert seen["wide"] <= TELEPHONE_PX


def test_on_paper_headings_and_the_words_below_them_stay_with_their_tables():
    styles = Path(reporting.__path__[0], "templates", "page.css").read_text(encoding="utf-8")
    printed = styles[styles.index("@media print") :]
    kept = re.search(r"([^{}]*)\{break-after:avoid\}", printed)[1].split(",")
    assert {"h2", "h3", "h4", "summary", "figcaption", "thead", "p:has(+.scroll)"} <= {each.strip() for each in kept}
    assert "tbody tr:first-child{break-before:avoid}" in printed
