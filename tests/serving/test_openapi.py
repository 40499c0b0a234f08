"""The OpenAPI document is what callers build on: a change to it is seen in review."""

import json

import pytest

from serving.facts import Preview, read_as
from tests.serving.openapi import GOLDEN, document


def operations():
    paths = json.loads(GOLDEN.read_text(encoding="utf-8"))["paths"]
    return [
        pytest.param(operation, id=f"{method} {path}")
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_the_document_is_the_golden_one():
    """Renew it with ``python -m tests.serving.openapi`` and read the diff."""
    assert document() == GOLDEN.read_text(encoding="utf-8")


OTHER_MEDIA = {"Say how the service is doing": "text/plain"}


@pytest.mark.parametrize("operation", operations())
def test_every_operation_says_what_it_does_and_how_it_fails(operation):
    assert operation["summary"]
    assert operation["description"].endswith(".")
    for status, answer in operation["responses"].items():
        usual = OTHER_MEDIA.get(operation["summary"], "application/json")
        media = usual if status.startswith("2") else "application/problem+json"
        assert list(answer["content"]) == [media]


@pytest.mark.parametrize("operation", operations())
def test_every_body_has_an_example_and_a_preview_one_that_is_understood(operation):
    content = operation.get("requestBody", {"content": {}})["content"]
    for media in (content[name] for name in content if name.endswith("json")):
        assert media["examples"]
        if media["schema"].get("$ref", "").endswith("/Preview"):
            read_as(Preview, media["examples"]["one"]["value"])


def test_the_examples_of_facts_are_taken(store):
    paths = json.loads(GOLDEN.read_text(encoding="utf-8"))["paths"]
    store.clock.pass_days(10)
    for kind in ("leads", "activities", "outcomes"):
        examples = paths[f"/v1/{kind}"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert store.client.post(f"/v1/{kind}", json=examples["one"]["value"]).status_code == 202
        assert store.client.post(f"/v1/{kind}", json=examples["several"]["value"]).json()["duplicates"] == 1
