"""
The JSON body of a request, read more strictly than FastAPI reads one, and documented from the model it is read as.

FastAPI parses a body before it asks a dependency whether the caller may call at all, keeps the last of two fields with
one name, takes NaN, and goes by the content type. Here a body is a dependency like any other, asked for after the key.
What a body would build is measured first, and large bodies are read on another thread: no body holds up other callers.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from data.strict_json import DEEPEST, DuplicateNameError, JsonError, NotUtf8Error, parse_flat
from data.words.id_rules import IdForms
from serving.api.json_size import LONGEST_NUMBER_BYTES, MOST_FEW_NODES, MOST_NODES, excess_of, size_of
from serving.errors import InvalidError, TooLargeError, UnreadableError
from serving.facts import read_as
from serving.service import service_of
from serving.validation_messages import safe_name

LARGEST_BODY_BYTES = 8 * 2**20
MOST_ITEMS = 1000
_MOST_NAMED = 5
_READ_AT_ONCE_BYTES = 16 * 2**10
"""Larger bodies are read on another thread."""
_LARGE_BODY_BYTES = 2**20
_one_large_body = threading.Lock()
"""Larger bodies are read one after another: each takes several times its size while it is read."""
_REFERENCE = "#/components/schemas/{model}"
Model = TypeVar("Model", bound=BaseModel)
Content = TypeVar("Content")


class RawBody:
    """
    A dependency: the bytes of a body.

    Attributes:
        request_body: the body as the OpenAPI document describes it.
        schemas: the schemas that the description refers to.
    """

    def __init__(self, request_body: dict[str, Any], schemas: dict[str, Any]) -> None:
        self.request_body = request_body
        self.schemas = schemas

    async def __call__(self, request: Request) -> Any:
        """Return the body of a request."""
        return await request.body()


class JsonBody(RawBody, Generic[Model]):
    """
    A dependency: the body as a model.

    Args:
        model: what the body is.
        example: a body.
    """

    def __init__(self, model: type[Model], example: object) -> None:
        reference, schemas = schemas_of(model)
        super().__init__(json_content(reference, one=example), schemas)
        self._model = model

    async def __call__(self, request: Request) -> Model:
        """
        Return the body of a request.

        Raises:
            RequestError: it is not strict JSON, or not the model's.
        """
        forms = service_of(request).playbook.business.id_forms
        return await off_the_loop(partial(self.read, forms=forms), await request.body())

    def read(self, body: bytes, forms: IdForms) -> Model:
        """
        Return a body as the model; ids of leads and accounts in the form of the playbook's rules.

        Raises:
            RequestError: it is not strict JSON, or not the model's.
        """
        return read_as(self._model, parsed(body, most_nodes=MOST_FEW_NODES), forms)


class LaterBody(RawBody):
    """
    A dependency: the bytes of a body that is read later, since what is wrong with it is kept under the request's key.

    Args:
        of: how the body is read and described.
    """

    def __init__(self, of: RawBody) -> None:
        super().__init__(of.request_body, of.schemas)


def items_body(item: type[BaseModel], example: object) -> RawBody:
    """Return the dependency for a body that is one object of a kind, or a list of at most 1,000."""
    reference, schemas = schemas_of(item)
    anything = {"description": "anything else is rejected in its place, and the others are kept"}
    items = {"type": "array", "items": {"anyOf": [reference, anything]}, "maxItems": MOST_ITEMS}
    return RawBody(json_content({"anyOf": [reference, items]}, one=example, several=[example]), schemas)


def schemas_of(model: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the reference to a model's schema, and the schemas of it and of all models in it."""
    references, definitions = models_json_schema([(model, "validation")], ref_template=_REFERENCE)
    return dict(references[model, "validation"]), definitions["$defs"]


def json_content(schema: dict[str, Any], **examples: object) -> dict[str, Any]:
    """Return a body of JSON as the OpenAPI document describes it."""
    shown = {name: {"summary": name, "value": example} for name, example in examples.items()}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": shown}}}


async def off_the_loop(read: Callable[[bytes], Content], body: bytes) -> Content:
    """Read a body: a small one at once, a large one on another thread, so that other requests go on."""
    if len(body) <= _READ_AT_ONCE_BYTES:
        return read(body)
    return await asyncio.to_thread(read if len(body) <= _LARGE_BODY_BYTES else _read_alone(read), body)


def _read_alone(read: Callable[[bytes], Content]) -> Callable[[bytes], Content]:
    def read_it(body: bytes) -> Content:
        with _one_large_body:
            return read(body)

    return read_it


def parsed(body: bytes, *, most_nodes: int = MOST_NODES) -> Any:
    """
    Return the content of a body of strict JSON.

    >>> parsed(b'{"lead_id": "L-1"}')
    {'lead_id': 'L-1'}

    Raises:
        TooLargeError: it would take more time or memory than any body that is expected; nothing of it is built.
        UnreadableError: it is not JSON as RFC 8259 defines it: not UTF-8, NaN, nested too deep.
        InvalidError: an object names a field twice, so that it is unclear which of the two is meant.
    """
    size = size_of(body)
    if size.levels > DEEPEST:
        message = "The body is nested too deep: send the object that /openapi.json describes."
        raise UnreadableError(message)
    if size.longest_number_bytes > LONGEST_NUMBER_BYTES:
        message = f"The body has a number of more than {LONGEST_NUMBER_BYTES} digits: send numbers up to 1e15."
        raise UnreadableError(message)
    excess = excess_of(size, most_nodes=most_nodes)
    if excess is not None:
        message = f"The body has {excess}: send less at once."
        raise TooLargeError(message)
    return _parsed(body)


def _parsed(body: bytes) -> Any:
    try:
        return parse_flat(body)
    except DuplicateNameError as error:
        names = ", ".join(sorted({safe_name(name) for name in error.names})[:_MOST_NAMED])
        message = f"The body names a field twice in one object ({names}): send each field once."
        raise InvalidError(message) from None
    except NotUtf8Error:
        message = "The body is not UTF-8: encode it as UTF-8."
    except JsonError:
        message = "The body is not JSON (NaN and Infinity are not JSON either): send a JSON object or list."
    raise UnreadableError(message)


def items_of(content: object) -> list[object]:
    """
    Return the items of a body that is one object or a list of at most 1,000.

    Raises:
        InvalidError: it is neither.
    """
    if isinstance(content, dict):
        return [content]
    if not isinstance(content, list):
        message = "The body must be a JSON object, or a list of them."
        raise InvalidError(message)
    if len(content) > MOST_ITEMS:
        message = f"The body has {len(content):,} items, more than {MOST_ITEMS:,}: send several requests."
        raise InvalidError(message)
    return content
