"""
Pages for people: ``/docs`` shows the operations, ``/docs/errors`` lists the types of problems.

They need no internet: Swagger UI is shipped as the files of its npm package ``swagger-ui-dist``, with their licence. A
newer one is a folder of its own under ``static``, so its address changes and browsers may cache a file for good.
"""

import base64
import re
from hashlib import sha256
from html import escape
from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException

from serving.api.problem_types import ERRORS_PATH, INTRODUCTION, PROBLEM_TYPES, ProblemType

DOCS_PATH, ASSETS_PATH = "/docs", "/docs/assets"
_FOLDER = Path(__file__).parent / "static" / "swagger-ui-5.35.0"
_ASSETS = {
    f"{_FOLDER.name}/{name}": media_type
    for name, media_type in {
        "swagger-ui-bundle.js": "text/javascript",
        "swagger-ui-bundle.js.LICENSE.txt": "text/plain",
        "swagger-ui.css": "text/css",
        "favicon-32x32.png": "image/png",
        "LICENSE": "text/plain",
        "NOTICE": "text/plain",
    }.items()
}
_NOT_FOUND = 404

router = APIRouter(include_in_schema=False)


def _operations_page() -> str:
    assets = f"{ASSETS_PATH}/{_FOLDER.name}".lstrip("/")  # relative, so that it holds behind a proxy's path too
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="leadscore API",
        swagger_js_url=f"{assets}/swagger-ui-bundle.js",
        swagger_css_url=f"{assets}/swagger-ui.css",
        swagger_favicon_url=f"{assets}/favicon-32x32.png",
        swagger_ui_parameters={"validatorUrl": None},
    )
    return bytes(page.body).decode()


def _script_hash(page: str) -> str:
    """
    Return the hash of a page's inline script, as a content security policy names it.

    >>> _script_hash("<script>alert(1)</script>")
    'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='
    """
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return f"sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}"


def _errors_page() -> str:
    paragraphs = "".join(f"<p>{_html(text)}</p>\n" for text in INTRODUCTION)
    sections = "".join(map(_section, PROBLEM_TYPES))
    style = "<style>body{font:1em/1.5 sans-serif;max-width:45em;margin:2em auto;padding:0 1em}</style>"
    head = f'<head><meta charset="utf-8"><title>Errors of leadscore</title>{style}</head>'
    body = f"<body>\n<h1>Errors</h1>\n{paragraphs}{sections}</body>"
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def _section(kind: ProblemType) -> str:
    return (
        f'<h2 id="{kind.slug}">{kind.slug}</h2>\n<p><b>{kind.status} · {_html(kind.title)}</b></p>\n'
        f"<p>Cause: {_html(kind.cause)}</p>\n<p>Cure: {_html(kind.cure)}</p>\n"
    )


def _html(text: str) -> str:
    """
    Return a text with code in backticks as HTML.

    >>> _html("Send `a < b`.")
    'Send <code>a &lt; b</code>.'
    """
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text, quote=False))


_OPERATIONS, _ERRORS = _operations_page(), _errors_page()
SCRIPT_HASH = _script_hash(_OPERATIONS)
"""The one inline script that a page may run."""


@router.get(DOCS_PATH)
async def show_operations() -> HTMLResponse:
    """Return the page that shows the operations."""
    return HTMLResponse(_OPERATIONS)


@router.get(ERRORS_PATH)
async def show_errors() -> HTMLResponse:
    """Return the page that lists the types of problems."""
    return HTMLResponse(_ERRORS)


@router.get(ASSETS_PATH + "/{name:path}")
async def read_asset(name: str) -> FileResponse:
    """Return a file that the page of operations needs."""
    if name not in _ASSETS:
        raise HTTPException(_NOT_FOUND)
    return FileResponse(_FOLDER.parent / name, media_type=_ASSETS[name])
