"""Whatever the OpenAPI document allows, and much that it forbids, a real server answers as the document says."""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.pytest.lazy import get_all_tests

from tests.serving.conftest import Process, settings_in

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": (Phase.explicit, Phase.generate)}
DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text(encoding="utf-8"))
# All checks are on. Beyond JSON Schema are the playbook's kinds and attributes, instants that must have passed, and an
# idempotency key that stands for another request: 422 is a right answer to what the schema alone would allow.
ANSWERS = ["2xx", "401", "403", "404", "409", "410", "422", "429"]
# The key is never varied: a test sends its own, which would undo a case that leaves it out. The check `ignored_auth`
# repeats every request that is answered, without a key and with a wrong one, and expects 401.
CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {"positive_data_acceptance": {"expected-statuses": ANSWERS}},
        "generation": {"with-security-parameters": False},
    }
)
DOCUMENTED = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
OPERATIONS = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server with a few leads, so that not all that is asked about is unknown."""
    folder = tmp_path_factory.mktemp("schema")
    server = Process(settings_in(folder, requests_per_s=0), log=folder / "log").wait()
    server.client.post("/v1/leads", json=[{"lead_id": lead_id} for lead_id in ("L-1", "L-2", "0")])
    server.client.get("/v1/leads/L-1/score")
    yield server
    server.end()


def test_no_case_varies_a_header_that_the_tests_send():
    """A request is judged by what was sent: a case whose only mistake is replaced would be expected to fail."""
    varied = {header.name for result in DOCUMENTED.get_all_operations() for header in result.ok().headers}
    assert varied == {"Idempotency-Key"}


def call(case, served):
    case.call_and_validate(base_url=served.url, headers=served.headers)


def require_documented_answers(operation, served, *, examples):
    """Send an operation its cases, which are made here: made at collection, every worker would make all of them."""
    method, path = operation
    schema = DOCUMENTED.include(method=method, path=path)
    found = get_all_tests(
        schema=schema, test_func=call, settings=settings(max_examples=examples, **QUIET), given_kwargs=None
    )
    ((_, sends_cases),) = [each.ok() for each in found]
    sends_cases(served=served)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_every_operation_answers_as_documented(operation, served):
    require_documented_answers(operation, served, examples=5)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_every_operation_answers_as_documented_many_times(operation, served):
    require_documented_answers(operation, served, examples=300)
