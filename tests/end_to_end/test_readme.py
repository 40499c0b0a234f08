"""Every block of the README runs, and its numbers are those of the committed files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import README, with_figures

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_numbers_are_those_that_a_command_wrote():
    readme = README.read_text(encoding="utf-8")
    assert "| `features_vs_sql` |" in readme
    assert with_figures(readme) == readme, "run make figures"


@pytest.mark.slow
def test_every_block_runs_one_after_the_other(tmp_path):
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    script = "set -euxo pipefail\n" + "\n".join(blocks)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"LEADSCORE_HOME": str(tmp_path / "home"), "PATH": path}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert '"routes"' in done.stdout
    assert (tmp_path / "scores.parquet").exists()
