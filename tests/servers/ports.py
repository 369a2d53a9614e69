"""Ports of servers that do not listen for a while."""

import socket


class KeptPort:
    """A port of 127.0.0.1 that refuses connections, and that no other program is given meanwhile."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def keep(self, port: int) -> None:
        """Keep a port that is listened at no more."""
        self.release()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))

    def release(self) -> None:
        """Give the port up; harmless if it is not kept."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
