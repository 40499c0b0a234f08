"""What the doctor asks the running service, if it answers."""

from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families

from serving.settings import Settings
from serving.verbs.examination import ExaminationResult, fine, warning, wrong

_PATIENCE_S = 5
_OK, _UNAVAILABLE = 200, 503
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - addresses to ask, not to listen on
_TROUBLE = {
    "leadscore_receipts_lost_total": "receipts lost",
    "leadscore_store_errors_total": "store errors",
    "leadscore_processes_replaced_total": "processes replaced",
    "leadscore_connections_cut_off_total": "connections cut off",
    "leadscore_rejected_items_total": "items rejected",
}


def examine_service(settings: Settings, *, key: str | None) -> Iterator[ExaminationResult]:
    """
    Yield whether the service is ready, and what its metrics count of trouble.

    Args:
        settings: where it listens.
        key: an API key of any scope, for the metrics; None leaves them out.
    """
    url = f"http://{_EVERYWHERE.get(settings.host, settings.host)}:{settings.port}"
    with httpx.Client(base_url=url, timeout=_PATIENCE_S, trust_env=False) as http:
        try:
            ready = http.get("/health/ready")
            yield _readiness(ready, url)
            yield _metrics(http, key)
        except httpx.HTTPError as error:
            says = f"nothing answers at {url} ({type(error).__name__})"
            yield wrong("service", says, cure="systemctl status leadscore; journalctl -u leadscore")


def _readiness(answer: httpx.Response, url: str) -> ExaminationResult:
    content = _json(answer)
    if answer.status_code == _OK and content.get("status") == "ok":
        if content.get("degraded"):
            cure = "GET /v1/model says why; with no model yet, train and promote one"
            return warning("service", f"ready at {url}; a stand-in for the model answers", cure=cure)
        return fine("service", f"ready at {url}")
    if answer.status_code == _UNAVAILABLE:
        return wrong("service", str(content.get("detail", "not ready")), cure="docs/errors.md has the cure")
    return wrong("service", f"{url} answers {answer.status_code}", cure="is another program listening there?")


def _metrics(http: httpx.Client, key: str | None) -> ExaminationResult:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = http.get("/metrics", headers=headers)
    if answer.status_code != _OK:
        return fine("metrics", "not read: LEADSCORE_KEY holds no key of this service")
    sums = dict.fromkeys(_TROUBLE, 0.0)
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name in sums:
                sums[sample.name] += sample.value
    trouble = ", ".join(f"{count:,.0f} {_TROUBLE[name]}" for name, count in sums.items() if count)
    if trouble:
        cure = "docs/operations.md, What to watch: see whether they still grow"
        return warning("metrics", f"since the start: {trouble}", cure=cure)
    return fine("metrics", "no trouble counted since the start")


def _json(answer: httpx.Response) -> dict[str, object]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
