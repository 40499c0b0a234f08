"""The README and the guides keep their word: commands run, links lead somewhere, numbers are measured."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.pages import DOCS, README, ROOT, pages
from tests.house.test_house import committed

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
GUIDES = ("draft-a-playbook", "operate-the-models", "compare-rules-and-model", "integrate-the-crm", "read-a-score")
MOST_LINES_OF_THE_README = 80


def blocks(*files: Path) -> list[str]:
    """Return the shell blocks of some pages, in order."""
    return [block for file in files for block in BLOCK.findall(file.read_text(encoding="utf-8"))]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run shell commands as a reader would, with the command line of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"LEADSCORE_HOME": str(folder / "home"), "PATH": path}
    return subprocess.run(
        ["bash", "-c", f"set -euxo pipefail\n{script}"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )


def anchors(text: str) -> set[str]:
    """Return the fragments that the headings of a page can be reached by."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text)}


def test_the_numbers_are_those_that_a_command_wrote():
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is not what `make pages` writes"


def test_every_guide_is_walked_through():
    assert sorted(file.stem for file in (DOCS / "guides").glob("*.md")) == sorted(GUIDES)


def test_every_link_between_pages_leads_somewhere():
    broken = []
    for page in (file for file in committed() if file.suffix == ".md"):
        for target, fragment in LINK.findall(page.read_text(encoding="utf-8")):
            place = page.parent / target
            if not place.exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
            elif fragment and place.suffix == ".md" and fragment not in anchors(place.read_text(encoding="utf-8")):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{fragment}")
    assert broken == []


def test_the_front_page_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_THE_README


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    named = [file.relative_to(DOCS).as_posix() for file in (*DOCS.glob("*.md"), *DOCS.glob("guides/*.md"))]
    assert [name for name in named if name != "README.md" and f"({name})" not in index] == []


@pytest.mark.slow
def test_every_block_of_the_readme_runs(tmp_path):
    found = blocks(README)
    assert found
    done = run("\n".join(found), tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (tmp_path / "scores.parquet").exists()


@pytest.mark.slow
def test_the_guides_run_one_after_the_other(tmp_path):
    """They share one simulated company, as a reader's guides would."""
    found = blocks(*(DOCS / "guides" / f"{name}.md" for name in GUIDES))
    assert len(found) >= len(GUIDES)
    done = run("\n".join(found), tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    for name in ("report.html", "learned.yaml", "scores.csv", "dossier.md"):
        assert (tmp_path / name).exists(), name
