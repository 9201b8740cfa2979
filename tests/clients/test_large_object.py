"""5 GiB in and out of one object, the server's memory watched."""

import hashlib
import http.client
import os
import unittest

from journey import Journey

SIZE = int(os.environ.get("APUS_LARGE_OBJECT", 5 * 1024**3))
PIECE = 1024 * 1024
MEMORY_LIMIT_MIB = 150


class LargeObject(Journey):
    def test_it_streams(self):
        client = self.client()
        self.assertIn(client.request("PUT", client.account + "/large").status, (201, 202))
        path = client.account + "/large/object"
        pattern = os.urandom(PIECE)
        sent, digest = 0, hashlib.md5()

        connection = http.client.HTTPConnection("127.0.0.1", self.store.port, timeout=120)
        connection.putrequest("PUT", path)
        connection.putheader("X-Auth-Token", client.headers["X-Auth-Token"])
        connection.putheader("Content-Length", str(SIZE))
        connection.endheaders()
        while sent < SIZE:
            piece = (sent.to_bytes(8, "big") + pattern[8:])[: SIZE - sent]
            digest.update(piece)
            connection.send(piece)
            sent += len(piece)
        answer = connection.getresponse()
        answer.read()
        self.assertEqual((answer.status, answer.headers["Etag"]), (201, digest.hexdigest()))

        connection.request("GET", path, headers=client.headers)
        answer, back, received = connection.getresponse(), hashlib.md5(), 0
        while piece := answer.read(PIECE):
            back.update(piece)
            received += len(piece)
        connection.close()
        self.assertEqual((received, back.hexdigest()), (SIZE, digest.hexdigest()))
        peak = self.store.child.peak_memory_mib()
        print(f"{SIZE / 1024**3:.1f} GiB in and out, peak memory {peak:.0f} MiB")
        self.assertLess(peak, MEMORY_LIMIT_MIB)


if __name__ == "__main__":
    unittest.main(verbosity=2)
