"""Starts the server under test, Broker or nats-server, from one description.

SERVER_UNDER_TEST names the program: `broker:PATH` or `nats-server:PATH`.
"""

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from typing import Optional, Tuple

# Time limit in seconds for a server to listen: far more than it needs on a busy machine.
START = 20

LISTENING = re.compile(r"(?:listening|for client connections) on 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Tls:
    """The TLS files of a server."""

    certificate: str
    key: str
    # The authority of required client certificates; None requires none.
    clients_ca: Optional[str] = None


@dataclass(frozen=True)
class Description:
    """The server settings of a test, independent of the program's flags."""

    user: Optional[Tuple[str, str]] = None
    token: Optional[str] = None
    tls: Optional[Tls] = None
    max_payload: Optional[int] = None


def _broker(path, described, port, _folder):
    command = [path, "serve", "--listen", f"127.0.0.1:{port}"]
    if described.user:
        command += ["--user", described.user[0], "--password", described.user[1]]
    if described.token:
        command += ["--token", described.token]
    if described.tls:
        command += ["--tls-cert", described.tls.certificate]
        command += ["--tls-key", described.tls.key]
        if described.tls.clients_ca:
            command += ["--tls-ca", described.tls.clients_ca]
    if described.max_payload:
        command += ["--max-payload", str(described.max_payload)]
    return command


def _nats_server(path, described, port, folder):
    # Port -1 means any free port; 0 is the default port.
    command = [path, "--addr", "127.0.0.1", "--port", str(port or -1)]
    if described.user:
        command += ["--user", described.user[0], "--pass", described.user[1]]
    if described.token:
        command += ["--auth", described.token]
    if described.tls:
        command += ["--tls", "--tlscert", described.tls.certificate]
        command += ["--tlskey", described.tls.key]
        if described.tls.clients_ca:
            command += ["--tlsverify", "--tlscacert", described.tls.clients_ca]
    if described.max_payload:
        # There is no flag for this.
        file = os.path.join(folder, "nats-server.conf")
        with open(file, "w", encoding="utf-8") as config:
            config.write(f"max_payload: {described.max_payload}\n")
        command += ["--config", file]
    return command


COMMANDS = {"broker": _broker, "nats-server": _nats_server}


class Server:
    """A running server; `close` ends it."""

    def __init__(self, described=Description()):
        named = os.environ.get("SERVER_UNDER_TEST", "")
        program, _, self._path = named.partition(":")
        if program not in COMMANDS or not self._path:
            raise ValueError(
                "SERVER_UNDER_TEST must be broker:PATH or nats-server:PATH, "
                f"not {named!r}"
            )
        self._command = COMMANDS[program]
        self._described = described
        self._folder = tempfile.TemporaryDirectory(prefix="broker-clients-")
        self._running = None
        self._log = []
        self._readers = []
        self.port = 0
        self.start()

    def start(self):
        """Starts the server on its previous port, or on any free port the first time,
        and returns when it answers."""
        assert self._running is None, "the server is running"
        command = self._command(
            self._path, self._described, self.port, self._folder.name
        )
        self._running = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self._listening = False
        told = threading.Event()
        reader = threading.Thread(
            target=self._read_log, args=(self._running.stderr, told), daemon=True
        )
        reader.start()
        self._readers.append(reader)
        if not told.wait(START) or not self._listening:
            self.close()
            raise RuntimeError(f"{command} does not listen:\n{self.log()}")
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, timeout=START) as stream:
            greeting = stream.recv(5, socket.MSG_WAITALL)
        assert greeting == b"INFO ", greeting

    def _read_log(self, stderr, told):
        with stderr:
            for line in stderr:
                self._log.append(line)
                found = LISTENING.search(line)
                if found:
                    self.port = int(found.group(1))
                    self._listening = True
                    told.set()
        # The server has ended, perhaps before it listened.
        told.set()

    def log(self):
        return "".join(self._log)

    @property
    def address(self):
        return f"nats://127.0.0.1:{self.port}"

    def end(self, number):
        """Sends a signal and waits until the server has ended."""
        self._running.send_signal(number)
        self._running.wait(START)
        self._running = None

    def kill(self):
        """Ends the server at once, like a crash."""
        self.end(signal.SIGKILL)

    def terminate(self):
        """Ends the server like a service manager."""
        self.end(signal.SIGTERM)

    def close(self):
        if self._running is not None:
            self.kill()
        for reader in self._readers:
            reader.join()
        self._folder.cleanup()
