"""Every type of problem is described, once, on the page that its URL names."""

import re

from serving.api.problem_types import PROBLEM_TYPES, errors_markdown, type_url
from serving.api.problems import problem
from serving.errors import RequestError
from tests.serving.api.errors_page import PAGE
from tests.serving.api.test_fast_path import store

__all__ = ["store"]


def refusals(base=RequestError):
    return {base} | {kind for child in base.__subclasses__() for kind in refusals(child)}


def test_every_error_of_a_request_has_its_entry_and_the_other_way_round():
    """Those without a class are what the framework, the store and the HTTP server refuse."""
    of_classes = {kind.slug for kind in refusals()}
    others = {"incomplete", "not-found", "method-not-allowed", "request-timeout", "request-header-fields-too-large"}
    assert {kind.slug for kind in PROBLEM_TYPES} == of_classes | others | {"internal-error", "store-unavailable"}


def test_no_slug_is_listed_twice():
    slugs = [kind.slug for kind in PROBLEM_TYPES]
    assert sorted(slugs) == sorted(set(slugs))


def test_the_page_of_errors_is_up_to_date():
    """Renew it with ``python -m tests.serving.api.errors_page``."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == errors_markdown()
    assert re.findall(r'<a id="([\w-]+)">', text) == [kind.slug for kind in PROBLEM_TYPES]


def test_the_service_answers_at_the_address_of_every_type(store):
    page = store.client.get(type_url("unknown-lead").partition("#")[0])
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r'<h2 id="([\w-]+)">', page.text) == [kind.slug for kind in PROBLEM_TYPES]


def test_a_problem_that_is_in_no_list_has_the_type_that_http_has_for_it():
    assert b'"type": "about:blank"' in problem("im-a-teapot", "I'm a Teapot", status=418, detail="No coffee.").body
