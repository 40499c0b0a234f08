"""The pages for people need no internet."""

import json
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving.api.test_fast_path import store

__all__ = ["store"]

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
OFFLINE = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--proxy-server=direct://"]
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


@pytest.fixture
def engine():
    """The pages do not depend on the engine under the store."""
    return "sqlite"


def test_the_page_names_no_address_but_its_own(store):
    page = store.client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"|url: \'([^\']+)\'', page.text)
    assert sorted(path.rpartition("/")[2] for pair in links for path in pair if path) == [
        "favicon-32x32.png",
        "openapi.json",
        "swagger-ui-bundle.js",
        "swagger-ui.css",
    ]
    assert not [path for pair in links for path in pair if "//" in path]
    policy = page.headers["content-security-policy"]
    assert "http" not in policy
    assert "script-src 'self' 'sha256-" in policy


def test_assets_are_cached_for_good_and_come_with_their_licence(store):
    folder = "/docs/assets/swagger-ui-5.35.0"
    types = {
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "swagger-ui.css": "text/css; charset=utf-8",
        "favicon-32x32.png": "image/png",
        "LICENSE": "text/plain; charset=utf-8",
        "swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
    }
    for name, media_type in types.items():
        answer = store.client.get(f"{folder}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["nothing", "swagger-ui-5.35.0", "../documentation.py", "%2e%2e/documentation.py", "/etc/passwd"]
)
def test_nothing_else_is_served_from_there(store, name):
    answer = store.client.get(f"/docs/assets/{name}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed on this machine")
def test_a_browser_without_internet_shows_the_operations(process, tmp_path):
    server = process().wait()
    log = tmp_path / "network.json"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", f"--log-net-log={log}"]
    command = [BROWSER, *options, *OFFLINE, *QUIET, "--virtual-time-budget=20000", "--dump-dom", f"{server.url}/docs"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    summary = httpx.get(f"{server.url}/openapi.json").json()["paths"]["/v1/leads/{lead_id}/score"]["get"]["summary"]
    assert summary in shown
    assert "opblock opblock-get" in shown
    asked = page_requests(log, origin=server.url)
    assert {urlsplit(url).path for url in asked} >= {"/docs", "/openapi.json"}
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


def page_requests(log, *, origin):
    """Return the addresses that the page itself, not the browser around it, asked for."""
    content = json.loads(log.read_text(encoding="utf-8"))
    starts = [event["params"] for event in content["events"] if "url" in event.get("params", {})]
    return {
        params["url"]
        for params in starts
        if params.get("initiator", "").startswith(origin) or params["url"].startswith(origin)
    }
