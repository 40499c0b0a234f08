"""The operations guide shows a unit of systemd that a strict operator would accept."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
MOST_EXPOSURE = 3.0


def test_the_unit_of_systemd_exposes_little(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    (unit,) = re.findall(
        r"```ini\n# /etc/systemd/system/leadscore\.service\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL
    )
    file = tmp_path / "leadscore.service"
    file.write_text(unit, encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (exposure,) = re.findall(r"exposure level for leadscore\.service: ([0-9.]+)", done.stdout)
    assert float(exposure) <= MOST_EXPOSURE
    for limit in ("LimitNOFILE=", "MemoryMax=", "WatchdogSec=10", "Type=notify"):
        assert limit in unit
