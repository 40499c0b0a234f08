"""The command line prints where the service listens, or in one sentence why it cannot."""

import socket

import pytest
from typer.testing import CliRunner

import leadscore
from serving.errors import AddressError
from serving.verbs.load_and_serve import listening


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def serve(tmp_path, *arguments, **environment):
    given = {"LEADSCORE_HOME": str(tmp_path), **environment}
    return CliRunner().invoke(leadscore.app, ["serve", *arguments], env=given)


def test_a_port_that_is_taken_is_one_sentence_and_nothing_is_made(tmp_path, taken):
    done = serve(tmp_path, "--port", str(taken))
    assert done.exit_code == 2
    assert done.stderr == (
        f"port {taken} of 127.0.0.1 is taken: another program listens there. "
        "Stop it, or give a free port with --port or LEADSCORE_PORT.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_environment_says_where_to_listen_unless_the_command_line_does(tmp_path, taken):
    done = serve(tmp_path, LEADSCORE_PORT=str(taken))
    assert (done.exit_code, f"port {taken}" in done.stderr) == (2, True)
    done = serve(tmp_path, "--host", "192.0.2.1", LEADSCORE_PORT=str(taken), LEADSCORE_HOST="127.0.0.1")
    assert (done.exit_code, "192.0.2.1 is not an address" in done.stderr) == (2, True)


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
def test_an_address_that_is_not_this_machine_s_is_one_sentence(host):
    with pytest.raises(AddressError, match=r"^\S+ is not an address that this machine .*: give one .*\.$"):
        listening(host, 0)


def test_a_free_port_is_found():
    with listening("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
