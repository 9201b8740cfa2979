"""A relay whose answers are garbage: truncated, of another length, stalled, with another's ETag, noise."""

import random
import re

from harness.relay import Relay, Then

LIES = ("truncated", "wrong length", "stalled", "noise", "one answer too many", "lying etag")
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nEtag: 4034a346ccee15292d823416f7510a2f\r\n\r\nevil"


class Liar(Relay):
    """Tells the truth until `lie` is one of LIES. Head and body of small answers come in one piece."""

    def __init__(self, host, target, seed=1):
        super().__init__(host, target)
        self.lie, self.told = None, 0
        self._random = random.Random(seed)

    def spoil(self, piece):
        if self.lie is None or not piece.startswith(b"HTTP/1.1 ") or piece.startswith(b"HTTP/1.1 100"):
            return piece, Then.GO_ON
        out = self._lied(piece)
        self.told += out[0] != piece
        return out

    def _lied(self, piece):
        if self.lie == "truncated":
            return piece[:self._random.randrange(len(piece))], Then.CLOSE
        if self.lie == "stalled":
            return piece[:self._random.randrange(len(piece))], Then.STALL
        if self.lie == "wrong length":
            return re.sub(rb"(?i)(content-length: *)(\d+)", lambda it: it[1] + str(int(it[2]) + 7).encode(), piece), \
                Then.CLOSE
        if self.lie == "lying etag":
            # A read's body breaks off: who goes on must not take it for the same entity.
            spoilt = re.sub(rb"(?i)(etag: *\"?)[0-9a-f]{32}", rb"\g<1>" + b"0" * 32, piece)
            if spoilt == piece or piece.startswith(b"HTTP/1.1 201"):
                return spoilt, Then.GO_ON
            return spoilt[:-1], Then.CLOSE
        if self.lie == "noise":
            return self._random.randbytes(len(piece)), Then.CLOSE
        return piece + EVIL, Then.GO_ON
