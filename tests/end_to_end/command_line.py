"""The command line, run in this process as a shell would run it."""

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from leadscore import app


@dataclass(frozen=True)
class Done:
    """How a run of the command line ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Read the last line of stdout."""
        return json.loads(self.stdout.strip().splitlines()[-1])


def leadscore(*arguments: str, home, **environment: str) -> Done:
    """Run one verb."""
    result = CliRunner().invoke(app, list(arguments), env={"LEADSCORE_HOME": str(home), **environment})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
