"""Listens in front of a server and keeps what each connection carried, both ways."""

import socket
import threading


class Recorder:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target`. `connections` are [sent, answered] in the order they came;
    a connection is whole once both sides have closed it, which `wait` waits for."""

    def __init__(self, port, target):
        self.target = target
        self.connections = []
        self._busy = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def wait(self, seconds=20):
        """All connections that carry an SSYNC are over."""
        for kept, threads in list(self._busy):
            if kept[0].startswith(b"SSYNC"):
                for thread in threads:
                    thread.join(seconds)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            kept = [b"", b""]
            threads = [threading.Thread(target=self._carry, args=(kept, side, *ends), daemon=True)
                       for side, ends in enumerate(((near, far), (far, near)))]
            self.connections.append(kept)
            self._busy.append((kept, threads))
            for thread in threads:
                thread.start()

    @staticmethod
    def _carry(kept, side, source, sink):
        try:
            while piece := source.recv(65536):
                kept[side] += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def unchunk(body):
    """The text of a chunked body, and whether its last chunk was there; an empty chunk before is an error."""
    text = b""
    while body:
        size, found, rest = body.partition(b"\r\n")
        if not found:
            return text, False
        length = int(size, 16)
        if length == 0:
            if rest != b"\r\n":
                raise AssertionError(f"{rest!r} behind the last chunk")
            return text, True
        text += rest[:length]
        if rest[length:length + 2] != b"\r\n":
            return text, False
        body = rest[length + 2:]
    return text, False
