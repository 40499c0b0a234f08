"""A crew: several processes answer at one address; one that dies is replaced, and none outlives the crew."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from data.errors import LeadscoreError
from serving.errors import ServingError
from serving.observability.prometheus import SHARED_FOLDER
from serving.server.graceful_shutdown import turn_away
from serving.settings import Settings

_LOG = logging.getLogger("leadscore.serving")
_LOOK_S = 0.1
_PAUSE_S = 1.0
_TIDY_S = 15
_PIECE_BYTES = 64 * 2**10
_READY = "ready"
_ROOT = str(Path(__file__).resolve().parents[2])
_CHILD = "import sys; sys.path.append(sys.argv[1]); from serving.server.supervisor import answer; answer(*map(int, sys.argv[2:]))"


@dataclass
class Member:
    """
    A process that answers.

    Attributes:
        process: the process.
        channel: tells it its settings, and hears whether it can answer; its end tells it that the crew is gone.
        is_up: whether it ever answered.
        refusal: why it cannot.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket
    is_up: bool = False
    refusal: str = ""
    _heard: bytes = field(default=b"", repr=False)

    def listen(self) -> None:
        """Hear what it has said since."""
        try:
            while piece := self.channel.recv(_PIECE_BYTES, socket.MSG_DONTWAIT):
                self._heard += piece
        except (BlockingIOError, ConnectionResetError):
            pass
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            said = json.loads(line)
            self.is_up |= said == _READY
            self.refusal = "" if said == _READY else said


class Supervisor:
    """
    Several processes that answer at one address.

    Args:
        settings: the settings of each; they hold passwords, so they never stand on a command line.
        listener: where callers arrive.
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._members: list[Member] = []
        self._due_at: list[float] = []
        self._was_up = False
        self._is_stopping = False

    def stop(self) -> None:
        """Let the work end soon."""
        self._is_stopping = True

    def work(self) -> None:
        """
        Keep the processes answering until told to stop.

        Raises:
            ServingError: none of them could ever answer.
        """
        with tempfile.TemporaryDirectory(prefix="leadscore-metrics-") as folder:
            try:
                while not self._is_stopping:
                    self._fill(folder)
                    time.sleep(_LOOK_S)
                    self._look(folder)
            finally:
                turn_away(self._listener)
                self._listener.close()
                self._end()

    def _fill(self, folder: str) -> None:
        """Start processes until there are enough; after one that could not answer, a moment passes first."""
        now = time.monotonic()
        self._due_at = [at for at in self._due_at if at > now]
        for _ in range(self._settings.workers - len(self._members) - len(self._due_at)):
            self._members.append(_started(self._settings, self._listener, folder))

    def _look(self, folder: str) -> None:
        for member in tuple(self._members):
            member.listen()
            self._was_up |= member.is_up
            if member.process.poll() is not None:
                self._bury(member, folder)

    def _bury(self, member: Member, folder: str) -> None:
        """Take leave of a process that ended by itself."""
        self._members.remove(member)
        member.listen()
        member.channel.close()
        mark_process_dead(member.process.pid, folder)  # type: ignore[no-untyped-call]
        if self._is_stopping:
            return
        said = member.refusal or "its log says why"
        if not self._was_up:
            message = f"a process of the service ended before it could answer: {said}"
            raise ServingError(member.refusal or f"{message}.")
        _LOG.error("a process of the service ended (%d) and is replaced", member.process.returncode)
        if not member.is_up:
            self._due_at.append(time.monotonic() + _PAUSE_S)

    def _end(self) -> None:
        """Tell every process to stop, and wait as long as its callers may still take."""
        for member in self._members:
            member.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + self._settings.drain_s + _TIDY_S
        for member in self._members:
            try:
                member.process.wait(max(0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                _LOG.error("a process of the service did not end in time and is killed")
                member.process.kill()
                member.process.wait()
            member.channel.close()


def _started(settings: Settings, listener: socket.socket, folder: str) -> Member:
    ours, theirs = socket.socketpair()
    with theirs:
        numbers = (theirs.fileno(), listener.fileno())
        process = subprocess.Popen(  # noqa: S603 - ourselves, with two numbers
            [sys.executable, "-P", "-c", _CHILD, _ROOT, *map(str, numbers)],
            env={**os.environ, SHARED_FOLDER: folder},
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
        )
    ours.sendall(settings.model_dump_json().encode() + b"\n")
    return Member(process, ours)


def answer(channel_number: int, listener_number: int) -> None:
    """
    Answer as a member of a crew, until told to stop or the crew is gone.

    Args:
        channel_number: file descriptor of the channel to the crew.
        listener_number: file descriptor of the socket where callers arrive.
    """
    from serving.observability.logs import write_logs  # noqa: PLC0415 - only a member needs what answers
    from serving.server.run import answer_on, hear_stops  # noqa: PLC0415

    stop = hear_stops()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the crew says when to stop
    channel, listener = socket.socket(fileno=channel_number), socket.socket(fileno=listener_number)
    told = channel.makefile("rb")
    settings = Settings.model_validate_json(told.readline())
    write_logs(settings.log_format)
    threading.Thread(target=_outlive_nobody, args=(told,), name="crew", daemon=True).start()

    def say(what: str) -> None:
        with suppress(OSError):  # the crew is gone; this process is about to hear of it
            channel.sendall(json.dumps(what).encode() + b"\n")

    try:
        answer_on(listener, settings, stop=stop, on_ready=lambda: say(_READY))
    except LeadscoreError as error:
        say(str(error))
        sys.exit(2)


def _outlive_nobody(told: "socket.SocketIO") -> None:
    """Stop this process once the crew is gone, however it went."""
    told.read()
    os.kill(os.getpid(), signal.SIGTERM)
