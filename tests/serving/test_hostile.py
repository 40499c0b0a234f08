"""Whatever is sent, the answer is a problem that repeats nothing, and others are answered meanwhile."""

import json
import select
import socket
import threading
from contextlib import contextmanager, suppress

import httpx
import pytest
import uvicorn

from serving.app import create_app
from serving.server.http_limits import Connection
from serving.verbs.load_and_serve import listening
from tests.serving.api.test_problems import is_problem
from tests.serving.conftest import key_in, opened, settings_in

SECRET = "hunter2"
TAKE_BODIES = ["/v1/leads", "/v1/activities", "/v1/outcomes", "/v1/scores", "/v1/scores/preview"]
LARGEST = 8 * 2**20
ALWAYS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
BODIES = {
    "NaN": (b'{"lead_id": "hunter2", "x": NaN}', 400),
    "Infinity": (b'{"lead_id": "hunter2", "x": -Infinity}', 400),
    "NaN in words": (b"nan", 400),
    "1e999": (b'{"lead_id": "hunter2", "lead_ids": 1e999, "x": 1e999}', 422),
    "-1e999": (b"-1e999", 422),
    "lone surrogate": (b'{"lead_ids": ["\\ud800 hunter2"], "lead_id": "\\ud800 hunter2"}', 422),
    "reversed surrogates": (b'{"lead_ids": ["\\udc00\\ud800"], "lead_id": "\\udc00\\ud800"}', 422),
    "surrogate name": (b'{"\\udfff hunter2": 1}', 422),
    "surrogates as bytes": (b'{"lead_id": "\xed\xa0\x80"}', 400),
    "NUL": (b'{"lead_ids": ["a\\u0000hunter2"], "lead_id": "a\\u0000hunter2"}', 422),
    "NUL byte": (b'{"lead_id": "a\x00hunter2"}', 400),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, 400),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "deep and never closed": (b'{"lead_id":' * 100_000, 400),
    "a field twice": (b'{"lead_id": "a", "lead_id": "hunter2"}', 422),
    "a field twice inside": (b'{"lead": {"hunter2 x": 1, "hunter2 x": 2}}', 422),
    "byte order mark": (b'\xef\xbb\xbf{"lead_id": "hunter2"}', 400),
    "UTF-16": ('{"lead_id": "hunter2"}'.encode("utf-16"), 400),
    "two values": (b'{"lead_id": "hunter2"} {"lead_id": "b"}', 400),
    "comments": (b'{"lead_id": "hunter2" /* hunter2 */}', 400),
    "endless digits": (b'{"lead_id": ' + b"9" * 5_000 + b"}", 400),
    "control characters": (b'{"lead_id": "hunter2\x1b[31m"}', 400),
    "form": (b"lead_id=hunter2&attributes=1", 400),
    "form of parts": (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhunter2\r\n--x--', 400),
    "XML": (b"<!DOCTYPE a [<!ENTITY hunter2 SYSTEM 'file:///etc/passwd'>]><a>&hunter2;</a>", 400),
    "pickle": (b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00", 400),
    "prototype": (b'{"__proto__": {"hunter2": 1}, "lead_id": {"$gt": "hunter2"}}', 422),
    "boolean": (b"true", 422),
    "number": (b"7", 422),
}
LARGE = {"ten megabytes": 10_000_000, "one byte too many": LARGEST + 1}


@pytest.fixture
def engine():
    """Name SQLite alone: nothing that is refused here reaches a store."""
    return "sqlite"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give one service on SQLite for all of them: what is refused leaves nothing behind."""
    found = opened(settings_in(tmp_path_factory.mktemp("hostile"), requests_per_s=0))
    with found.client:
        yield found


def chunks(size):
    """Give a body of a size that is not said beforehand, piece by piece."""
    whole, rest = divmod(size, 2**16)
    return iter([b" " * 2**16] * whole + [b" " * rest])


@pytest.mark.parametrize("path", TAKE_BODIES)
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_a_problem(store, path, name):
    content, status = BODIES[name]
    answer = store.client.post(path, content=content, headers={"content-type": "application/json"})
    is_problem(answer, status)


@pytest.mark.parametrize("path", TAKE_BODIES)
@pytest.mark.parametrize("name", LARGE)
def test_a_large_body_is_refused_whether_its_size_is_said_or_not(store, path, name):
    said = store.client.post(path, content=b" " * LARGE[name])
    unsaid = store.client.post(path, content=chunks(LARGE[name]))
    assert "content-length" in said.request.headers
    assert unsaid.request.headers["transfer-encoding"] == "chunked"
    assert is_problem(said, 413) == is_problem(unsaid, 413)
    for answer in (said, unsaid):
        assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


def test_the_largest_body_that_is_taken_is_taken_in_both_framings(store):
    content = json.dumps({"lead_ids": []}).encode().ljust(LARGEST)
    assert store.client.post("/v1/scores", content=content).status_code == 200
    assert store.client.post("/v1/scores", content=iter([content[:-1], content[-1:]])).status_code == 200


@pytest.mark.parametrize("path", ["/v1/routes", "/v1/leads/L-1/score", "/v1/audit", "/health/live", "/v1/nothing"])
def test_an_address_that_takes_no_body_refuses_a_large_one(store, path):
    answer = store.client.request("GET", path, content=b" " * 100_000)
    is_problem(answer, 413 if answer.status_code != 404 else 404)


def test_a_size_that_is_a_lie_is_no_way_around_the_limit(store):
    for said in ("-1", "1e3", "0x10", "9" * 400, "hunter2"):
        answer = store.client.post("/v1/leads", content=chunks(LARGEST + 1), headers={"content-length": said})
        is_problem(answer, 413)


@pytest.mark.parametrize(
    "said", ["text/plain", "application/x-www-form-urlencoded", "image/png; hunter2", "hunter2", ""]
)
def test_what_a_body_is_called_makes_it_nothing_else(store, said):
    """A body is JSON or it is refused, whatever its content type claims."""
    headers = {"content-type": said}
    assert store.client.post("/v1/scores", content=b'{"lead_ids": []}', headers=headers).status_code == 200
    is_problem(store.client.post("/v1/scores", content=b"hunter2=1", headers=headers), 400)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HUNTER2"])
@pytest.mark.parametrize("path", ["/v1/leads", "/v1/scores/preview", "/v1/outcomes"])
def test_a_method_on_the_wrong_address_is_a_problem_that_names_the_right_ones(store, method, path):
    answer = store.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        is_problem(answer, 405)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/hunter2", 404),
        ("/v1/leads/", 404),
        ("//v1/routes", 404),
        ("/v1/../../etc/hunter2", 404),
        ("/v1/%2e%2e/%2e%2e/hunter2", 404),
        ("/v1/leads/%00/score", 404),
        ("/v1/leads/%ED%A0%80/score", 404),
        ("/v1/leads/%FF%FE/score", 404),
        ("/v1/leads/%F0%28%8C%BC/score", 404),
        ("/v1/leads//score", 404),
        ("/v1/leads/hunter2%0d%0aSet-Cookie:%20a=b/score", 404),
        ("/v1/leads/" + "a" * 30_000 + "/score", 404),
        ("/v1/leads/%27%20OR%201=1;--/score", 404),
        ("/v1/routes?limit=%00", 422),
        ("/v1/routes?limit=%ED%A0%80", 422),
        ("/v1/routes?%00hunter2=1", 422),
        ("/v1/routes?limit=1&limit=hunter2", 422),
        ("/v1/routes?limit=1e3", 422),
        ("/v1/routes?limit=NaN", 422),
        ("/v1/routes?limit=" + "9" * 10_000, 422),
        ("/v1/leads/L-1/score?as_of=%ED%A0%80hunter2", 422),
        ("/v1/leads/L-1/score?as_of=hunter2%00", 422),
        ("/v1/leads/L-1/score?reasons=1e999", 422),
    ],
)
def test_a_strange_address_is_a_problem(store, path, status):
    answer = store.client.get(path)
    told = is_problem(answer, status)
    assert "set-cookie" not in answer.headers
    assert "\x00" not in told["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hunter2": "a" * 60_000},
        {"accept": "hunter2/*"},
        {"accept-encoding": "hunter2"},
        {"range": "bytes=0-1"},
        {"if-none-match": "*"},
        {"x-http-method-override": "DELETE"},
        {"x-forwarded-host": "hunter2.example"},
        {"host": "hunter2.example"},
        {"cookie": "hunter2=\xff".encode("latin-1")},
        {"content-encoding": "gzip"},
        {"expect": "hunter2"},
    ],
)
def test_headers_that_mean_nothing_here_change_nothing(store, headers):
    answer = store.client.get("/v1/routes", headers=headers)
    assert answer.status_code == 200
    assert SECRET not in answer.text + str(answer.headers)


@pytest.mark.parametrize("path", ["/v1/routes", "/health/live", "/nothing", "/openapi.json", "/v1/routes?a=1"])
def test_every_answer_carries_the_headers_and_none_names_the_server(store, path):
    for answer in (
        store.client.get(path),
        store.client.post(path),
        store.client.get(path, headers={"authorization": ""}),
    ):
        assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
        assert "server" not in answer.headers


def test_a_mistake_of_ours_carries_the_headers_too(store, monkeypatch):
    monkeypatch.setattr("serving.api.routes.respond", lambda *_given: 1 / 0)
    answer = store.client.get("/v1/routes")
    is_problem(answer, 500)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


def test_the_page_of_documentation_may_load_what_it_shows_itself_with(store):
    answer = store.client.get("/docs")
    policy = answer.headers["content-security-policy"]
    for part in ("script-src 'self'", "frame-ancestors 'none'", "default-src 'none'", "connect-src 'self'"):
        assert part in policy
    assert "://" not in policy, "nothing is loaded from another host"


class Unread(Connection):
    """A connection whose answers must be read within a fifth of a second."""

    unread_s = 0.2
    look_again_s = 0.2


class Impatient(Connection):
    """A connection on which a request must arrive within a fifth of a second."""

    within_s = 0.2


@contextmanager
def running(settings, connections=Connection):
    """Run a real server in a thread; give its address and a key."""
    app = create_app(settings)
    key = key_in(app.state.service.database)
    with listening("127.0.0.1", 0) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**14)  # small, so that unread answers show at once
        server = uvicorn.Server(
            uvicorn.Config(app, http=connections, ws="none", server_header=False, log_level="error")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname(), key
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running(settings_in(tmp_path_factory.mktemp("sockets"))) as found:
        yield found


@pytest.fixture(scope="module")
def impatient_address(tmp_path_factory):
    with running(settings_in(tmp_path_factory.mktemp("impatient")), Impatient) as found:
        yield found


def said(address, *parts):
    """Send bytes over a connection of their own and give everything that is answered until it is closed."""
    with socket.create_connection(address[0], timeout=20) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:  # it was closed before all was sent
                break
        answer = b""
        try:
            while more := connection.recv(2**16):
                answer += more
        except ConnectionResetError:
            pass
    return answer


def raw_problem(answer, status):
    """Check an answer as it left the socket; give its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert first.split(" ")[1] == str(status), answer[:500]
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers
    assert SECRET.encode() not in answer
    assert int(headers["content-length"]) == len(body)
    return json.loads(body)


POST = b"POST /v1/leads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
HALVES = {
    "nothing": b"",
    "half a line": b"GET /v1/rou",
    "half a head": b"GET /v1/routes HTTP/1.1\r\nHost: hunter2\r\nX-A",
    "line ends": b"\r\n\r\n",
    "half a body": POST + b"Content-Length: 99\r\n\r\n{",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("name", HALVES)
def test_a_caller_that_stalls_is_told_so_and_let_go_of(impatient_address, name):
    content = HALVES[name]
    answer = said(impatient_address, content % impatient_address[1].encode() if b"%s" in content else content)
    assert raw_problem(answer, 408)["type"] == "/docs/errors#request-timeout"


@pytest.mark.parametrize("leads", [1000, 130])
def test_a_caller_that_does_not_read_is_cut_off(tmp_path, leads):
    """Also where the whole answer fits into what the system holds for the connection."""
    with running(settings_in(tmp_path, requests_per_s=0), Unread) as (address, key), socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.settimeout(5)
        caller.connect(address)
        body = json.dumps({"lead_ids": [f"lead {number} " + "x" * 150 for number in range(leads)]}).encode()
        head = b"POST /v1/scores HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
        request = head % (key.encode(), len(body)) + body
        watched = select.poll()
        watched.register(caller, select.POLLHUP | select.POLLERR)
        caller.sendall(request)
        assert watched.poll(20_000), "the connection must have been cut off"


def test_half_requests_that_take_every_connection_keep_nobody_out(tmp_path):
    settings = settings_in(tmp_path, connections=20, connections_per_address=15)
    with running(settings) as (address, key):
        halves = [socket.create_connection(address) for _ in range(60)]
        try:
            for half in halves:
                with suppress(OSError):
                    half.sendall(HALVES["half a head"])
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", headers=headers) as client:
                assert client.get("/v1/routes").status_code == 200
                metrics = client.get("/metrics").text
        finally:
            for half in halves:
                half.close()
    counted = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    assert float(counted["leadscore_connections_cut_off_total"]) >= 45
    assert float(counted["leadscore_connections"]) <= 20


def test_others_are_answered_while_many_callers_stall(tmp_path, process):
    """A real process with the usual patience: fifty connections hang in the middle of a request."""
    server = process(settings_in(tmp_path)).wait()
    host, port = server.url.removeprefix("http://").split(":")
    half = HALVES["half a body"] % server.headers["Authorization"].split()[1].encode()
    stalled = [socket.create_connection((host, int(port))) for _ in range(50)]
    try:
        for connection in stalled:
            connection.sendall(half)
        answers = [server.client.get("/v1/routes") for _ in range(50)]
        assert {answer.status_code for answer in answers} == {200}
        assert "server" not in answers[0].headers
        assert server.client.post("/v1/leads", content=b" " * 10_000_000).status_code == 413
        assert server.client.post("/v1/leads", content=chunks(10_000_000)).status_code == 413
        assert server.client.post("/v1/leads", json={"lead_id": "L-1"}).status_code == 202
    finally:
        for connection in stalled:
            connection.close()
    assert server.client.get("/v1/routes").status_code == 200


NOT_HTTP = {
    "words": b"hunter2\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "a space in a name": b"GET / HTTP/1.1\r\nHost : hunter2\r\n\r\n",
    "two sizes": b"POST /v1/leads HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "both framings": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a size below nothing": b"POST /v1/leads HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "NUL in a header": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: \x00hunter2\r\n\r\n",
    "bytes in the address": b"GET /\xff\xfehunter2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "no address": b"OPTIONS * HTTP/1.1\r\nHost: hunter2\r\nConnection: close\r\n\r\n",
    "no host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: hunter2\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_what_is_not_http_is_a_problem(address, name):
    answer = said(address, NOT_HTTP[name])
    status = int(answer.split(b" ")[1])
    raw_problem(answer, status)
    assert status in (400, 401, 404, 405)
    assert status == 400 or name in ("bytes in the address", "no address")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Hunter2: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-Hunter2: a\r\n" * 10_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Hunter2: " + b"a" * 5_000_000,
        b"POST /health/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 5_000_000,
    ],
    ids=["address", "one header", "many headers", "endless header", "endless chunk extension"],
)
def test_a_head_without_end_is_refused_and_not_kept(address, head):
    answer = said(address, head)
    assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 405", b""), answer[:100]  # none where sending was cut off


def test_trailers_are_no_way_to_add_headers_without_end(address):
    head = POST % address[1].encode() + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = said(address, head + b"2\r\n[]\r\n0\r\n", b"X-Hunter2: a\r\n" * 10_000, b"\r\n")
    assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 202", b""), answer[:100]


def test_the_server_goes_on_after_all_of_them(address):
    url = f"http://127.0.0.1:{address[0][1]}/v1/routes"
    assert httpx.get(url, headers={"Authorization": f"Bearer {address[1]}"}).status_code == 200
