"""The OpenAPI document is what callers build on: a change to it is seen in review."""

import json

import pytest

from serving.facts import Preview, read_as
from tests.serving.openapi import GOLDEN, document

DOCUMENT = json.loads(GOLDEN.read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
VERBS = {"check", "deploy", "discard", "erase", "explain", "list", "merge", "preview", "read", "release", "remove"}
VERBS |= {"create", "replay", "revoke", "rotate", "score", "send"}
OTHER_MEDIA = {"read_metrics": "text/plain"}


def operations():
    return [
        pytest.param(operation, id=f"{method} {path}")
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_the_golden_one():
    """Renew it with ``python -m tests.serving.openapi`` and read the diff."""
    assert document() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("operation", operations())
def test_every_operation_says_what_it_does_and_how_it_fails(operation):
    assert operation["summary"]
    assert operation["description"].endswith(".")
    for status, answer in operation["responses"].items():
        usual = OTHER_MEDIA.get(operation["operationId"], "application/json")
        media = usual if status.startswith("2") else "application/problem+json"
        assert list(answer["content"]) == [media]


def test_operation_ids_are_verbs_and_name_one_operation_each():
    ids = [operation.values[0]["operationId"] for operation in operations()]
    assert len(set(ids)) == len(ids)
    assert {operation_id.partition("_")[0] for operation_id in ids} == VERBS


@pytest.mark.parametrize("operation", operations())
def test_every_parameter_has_a_description_and_an_example(operation):
    for parameter in operation.get("parameters", []):
        assert parameter["description"]
        assert parameter["schema"]["examples"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_a_description_and_an_example(name):
    """A field that holds other models has the examples of theirs."""
    assert SCHEMAS[name]["description"].endswith(".")
    for field in SCHEMAS[name]["properties"].values():
        assert field["description"]
        assert "$ref" in json.dumps(field) or field["examples"]


@pytest.mark.parametrize("operation", operations())
def test_every_body_has_an_example_and_a_preview_one_that_is_understood(operation):
    content = operation.get("requestBody", {"content": {}})["content"]
    for media in (content[name] for name in content if name.endswith("json")):
        assert media["examples"]
        if media["schema"].get("$ref", "").endswith("/Preview"):
            read_as(Preview, media["examples"]["one"]["value"])


def test_the_examples_of_facts_are_taken(store):
    store.clock.pass_days(10)
    for kind in ("leads", "activities", "outcomes"):
        body = DOCUMENT["paths"][f"/v1/{kind}"]["post"]["requestBody"]
        examples = body["content"]["application/json"]["examples"]
        assert store.client.post(f"/v1/{kind}", json=examples["one"]["value"]).status_code == 202
        assert store.client.post(f"/v1/{kind}", json=examples["several"]["value"]).json()["duplicates"] == 1
