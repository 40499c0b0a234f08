"""The example of the client's README runs."""

import re

from tests.serving.conftest import ROOT


def test_the_example_runs_against_a_service(process, monkeypatch, capsys):
    server = process().wait()
    monkeypatch.setenv("LEADS_URL", server.url)
    monkeypatch.setenv("LEADS_KEY", server.headers["Authorization"].removeprefix("Bearer "))
    text = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(example, {})  # noqa: S102 - it is ours
    assert re.match(r"\d+ \[", capsys.readouterr().out)
