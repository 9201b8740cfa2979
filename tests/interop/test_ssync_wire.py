"""SSYNC on the wire: every bad request read by raw socket, and what is said between Swift's server and Apus's, word by
word. An exchange is between a sender of one kind and a receiver of the other."""

import contextlib
import fcntl
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.object_pair import ObjectPair  # noqa: E402
from harness.processes import free_port  # noqa: E402
from harness.recorder import Recorder, unchunk  # noqa: E402

BASE = 1_700_000_000
OPENING = b"SSYNC %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%s\r\n"


def at(seconds):
    return f"{BASE + seconds}.00000"


def chunk(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


class Raw:
    """One SSYNC by hand. A context manager."""

    def __init__(self, port, path, fields=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.sendall(OPENING % (path.encode(), fields))
        self.heard = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def until(self, mark):
        while mark not in self.heard:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"closed after {self.heard!r}")
            self.heard += piece
        return self.heard

    def status(self):
        return self.until(b"\r\n\r\n").split(b"\r\n")[0].decode()

    def body(self):
        """Of an answer with a length."""
        head, _, rest = self.heard.partition(b"\r\n\r\n")
        [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(rest) < length:
            rest += self.socket.recv(65536)
        return rest.decode()

    def rest(self):
        """The text of the answer up to its end, whatever else may come."""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                self.heard += piece
                if self.heard.endswith(b"\r\n0\r\n\r\n"):
                    break
        return unchunk(self.heard.partition(b"\r\n\r\n")[2])[0].decode()


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class BadRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair = cls.enterClassContext(ObjectPair(
            app="replication_concurrency = 2\nreplication_lock_timeout = 1\n"))

    def test_before_the_exchange_both_answer_alike(self):
        for path, fields, status, body in (
                ("/d%d/3", b"X-Backend-Storage-Policy-Index: 7\r\n", "HTTP/1.1 503 Service Unavailable",
                 "No policy with index 7"),
                ("/d%d", b"", "HTTP/1.1 400 Bad Request", "Invalid path: /d%d"),
                ("/d%d/3/a", b"", "HTTP/1.1 400 Bad Request", "Invalid path: /d%d/3/a"),
                ("/d%d/..", b"", "HTTP/1.1 400 Bad Request", "Invalid pa"),
                ("/d%d/3", b"X-Backend-Ssync-Frag-Index: foo\r\n", "HTTP/1.1 400 Bad Request",
                 "Invalid X-Backend-Ssync-Frag-Index 'foo'"),
                ("/gone%d/3", b"", "HTTP/1.1 507 Insufficient Storage", "gone%d")):
            for node in (1, 2):
                where = path.replace("%d", str(node))
                with self.subTest(path=where, fields=fields, node=node):
                    with Raw(self.pair.node_ports[node], where, fields) as raw:
                        self.assertEqual(raw.status(), status)
                        self.assertIn(body.replace("%d", str(node)), raw.body())

    def test_busy_is_an_answer_too(self):
        """Swift says it only behind its 200."""
        port = self.pair.node_ports[2]
        folder = self.pair.device(2) / "objects" / "5"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / ".lock-replication", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with Raw(port, "/d2/5") as raw:
                self.assertEqual(raw.status(), "HTTP/1.1 503 Service Unavailable")
                self.assertEqual(raw.body(), "another replicates this partition\n")
        with open(self.pair.device(2) / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with Raw(port, "/d2/5") as raw:
                self.assertEqual(raw.status(), "HTTP/1.1 503 Service Unavailable")
                self.assertEqual(raw.body(), "another replicates this device\n")
        with Raw(port, "/d2/5") as one:
            self.assertEqual(one.status(), "HTTP/1.1 200 OK")
            with Raw(port, "/d2/5") as two:
                self.assertEqual(two.status(), "HTTP/1.1 503 Service Unavailable")

    def said(self, node, *pieces):
        with Raw(self.pair.node_ports[node], f"/d{node}/6") as raw:
            self.assertEqual(raw.status(), "HTTP/1.1 200 OK")
            for piece in pieces:
                raw.socket.sendall(chunk(piece))
            return raw.rest()

    def test_within_the_exchange_an_error_is_a_line(self):
        checked = (b":MISSING_CHECK: START\r\n", b":MISSING_CHECK: END\r\n")
        updates = (*checked, b":UPDATES: START\r\n")
        for pieces, code in (
                ((b"HELLO\r\n",), 0),
                ((b":MISSING_CHECK: START\r\n", b"garbage\r\n", b":MISSING_CHECK: END\r\n"), 0),
                ((*checked, b"HELLO\r\n"), 0),
                ((*updates, b"GET /a/c/o\r\n\r\n"), 0),
                ((*updates, b"PUT /a/c/o\r\nX-Timestamp: 1\r\n\r\n"), 0),
                ((*updates, b"DELETE /a/c/o\r\nContent-Length: 4\r\n\r\n"), 0),
                ((*updates, b"PUT /a/c/o\r\nContent-Length: 1\r\nContent-Type: t/p\r\nETag: wrong\r\nX-Timestamp: 1\r\n\r\nx",
                  b":UPDATES: END\r\n"), 500)):
            for node in (1, 2):
                with self.subTest(pieces=pieces[-1], node=node):
                    said = self.said(node, *pieces)
                    self.assertIn(f":ERROR: {code} ", said)
                    self.assertTrue(said.endswith("\n"), said)
        self.assertNotIn("Traceback", self.pair.children["2"].output())


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Refusals(unittest.TestCase):
    def test_a_refusal_is_read_and_reported(self):
        """The receiver's partition is busy; no sender drops a line about it."""
        with ObjectPair(app="replication_lock_timeout = 1\n") as pair:
            for sender, said in ((1, "Expected status 200; got 503 (b'another replicates this partition\\n')"),
                                 (2, "Unexpected response: \":ERROR: 0 '1 second: ")):
                name = f"from {sender}"
                pair.put(sender, name, at(1))
                folder = pair.device(3 - sender) / "objects" / str(pair.partition(name))
                folder.mkdir(parents=True, exist_ok=True)
                with open(folder / ".lock-replication", "w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    lines = pair.push(sender, sender == 2, words=("--partitions", str(pair.partition(name))))
                self.assertIn(f"/d{3 - sender}/{pair.partition(name)} {said}", lines)
                self.assertIn("0 successes, 1 failures", lines)
                self.assertEqual(pair.files_of(3 - sender, name), [])
                pair.push(sender, sender == 2)
                self.assertEqual(pair.files_of(3 - sender, name), [at(1) + ".data"], pair.output())
            self.assertNotIn("Traceback", pair.output())


# S is what the sender says, R the receiver. What of a head depends on the moment or the client is left out.
HEADS = """\
S SSYNC /D/{partition} HTTP/1.1
S Transfer-Encoding: chunked
S X-Backend-Storage-Policy-Index: 0
R HTTP/1.1 200 OK
R Content-Type: text/html; charset=UTF-8
R Transfer-Encoding: chunked
R X-Backend-Accept-No-Commit: True
"""
NOTHING = """\
S :MISSING_CHECK: START
S 28fea60847139c18a67678e93c4d317c 1700000001.00000
S :MISSING_CHECK: END
R :MISSING_CHECK: START
R :MISSING_CHECK: END
S :UPDATES: START
S :UPDATES: END
R :UPDATES: START
R :UPDATES: END"""
ONE_OF_EACH = """\
S :MISSING_CHECK: START
S 4253b3fecdae9f60060062f32aebc442 1700000001.00000 m:30d40,t:30d40
S 43c331e190fc10263fd50c8500e944c7 1700000001.00000 m:186a0
S 53d1e061d67358ef9ba6cfc5949b5a22 1700000002.00000
S 59ba6f1178679231cb101a35e5b012b9 1700000001.00000
S 5d17643b884bdcc4ce97edff76335a58 1700000001.00000 m:30d40
S 5f14bb8370716d01570d4ad50532d56d 1700000001.00000
S :MISSING_CHECK: END
R :MISSING_CHECK: START
R 4253b3fecdae9f60060062f32aebc442 m
R 43c331e190fc10263fd50c8500e944c7 m
R 53d1e061d67358ef9ba6cfc5949b5a22 dm
R 59ba6f1178679231cb101a35e5b012b9 dm
R 5d17643b884bdcc4ce97edff76335a58 dm
R 5f14bb8370716d01570d4ad50532d56d dm
R :MISSING_CHECK: END
S :UPDATES: START
S DELETE /AUTH_a/c/gone%202
S X-Timestamp: 1700000002.00000
S POST /AUTH_a/c/both%2013
S X-Object-Meta-Color: blue
S X-Timestamp: 1700000003.00000
S POST /AUTH_a/c/meta%200
S X-Object-Meta-Color: red
S X-Timestamp: 1700000002.00000
S POST /AUTH_a/c/type%204
S Content-Type: image/png
S Content-Type-Timestamp: 1700000003.00000
S X-Timestamp: 1700000003.00000
S PUT /AUTH_a/c/both%2013
S Content-Length: 4
S Content-Type: text/plain
S ETag: f6cb3e816496528d4187db53bc66567f
S X-Timestamp: 1700000001.00000
S 'both'
S PUT /AUTH_a/c/empty%209
S Content-Length: 0
S Content-Type: text/plain
S ETag: d41d8cd98f00b204e9800998ecf8427e
S X-Timestamp: 1700000001.00000
S ''
S PUT /AUTH_a/c/missing%20%E2%98%83%207
S Content-Length: 11
S Content-Type: text/plain
S ETag: 5eb63bbbe01eeed093cb22bb8f5acdc3
S X-Delete-At: 2100000000
S X-Object-Meta-Color: red
S X-Timestamp: 1700000001.00000
S 'hello world'
S :UPDATES: END
R :UPDATES: START
R :UPDATES: END"""
ERROR = """\
S :MISSING_CHECK: START
S 635bc8643449097455021c99415cffff 1700000001.00000
S 6973461e12de826ba8351c4895950689 1700000001.00000
S :MISSING_CHECK: END
R :MISSING_CHECK: START
R 635bc8643449097455021c99415cffff dm
R 6973461e12de826ba8351c4895950689 dm
R :MISSING_CHECK: END
S :UPDATES: START
S PUT /AUTH_a/c/good%208
S Content-Length: 4
S Content-Type: text/plain
S ETag: 755f85c2723bb39381c7379a604160d8
S X-Timestamp: 1700000001.00000
S 'good'
S PUT /AUTH_a/c/spoiled%2011
S Content-Length: 7
S Content-Type: text/plain
S ETag: 8bd5fa0f9490e5d093ac6a9550c7e751
S X-Timestamp: 1700000001.00000
S 'Spoiled'
S :UPDATES: END
"""


def updates_of(text):
    """The requests between the two lines around them, each as lines and its body."""
    out = []
    while text:
        head, _, text = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        length = next((int(line.split(": ")[1]) for line in lines if line.startswith("Content-Length: ")), 0)
        if lines[0].startswith("PUT "):
            lines.append(repr(text[:length]))
            text = text[length:]
        out.append(lines)
    return out


def head_of(text, left_out):
    lines = text.split("\r\n")
    return [lines[0].replace("/d1/", "/D/").replace("/d2/", "/D/"),
            *sorted(line for line in lines[1:] if line.split(":")[0].lower() not in left_out)]


def transcript(kept):
    """What both said, one text; blocks whose order is that of a folder are sorted."""
    sent, answered = (side.partition(b"\r\n\r\n") for side in kept)
    out = [f"S {line}" for line in head_of(sent[0].decode(), ("host", "accept-encoding"))]
    out += [f"R {line}" for line in head_of(answered[0].decode(), ("date", "x-trans-id", "x-openstack-request-id"))]
    said, in_order = (text.decode() if isinstance(text, bytes) else text for text in unchunk(sent[2]))
    heard, _ = unchunk(answered[2])
    assert in_order, sent
    offers, _, rest = said.partition(":MISSING_CHECK: END\r\n")
    offers = offers.split("\r\n")[:-1]
    out += [f"S {line}" for line in (offers[0], *sorted(offers[1:]), ":MISSING_CHECK: END")]
    wants, _, end = heard.decode().partition(":MISSING_CHECK: END\r\n")
    wants = [line for line in wants.split("\r\n") if line]
    out += [f"R {line}" for line in (wants[0], *sorted(wants[1:]), ":MISSING_CHECK: END")]
    start, _, rest = rest.partition("\r\n")
    assert rest.endswith(":UPDATES: END\r\n"), rest
    out.append(f"S {start}")
    for lines in sorted(updates_of(rest.removesuffix(":UPDATES: END\r\n"))):
        out += [f"S {line}" for line in lines]
    out.append("S :UPDATES: END")
    out += [f"R {line}" for line in end.splitlines()]
    return "\n".join(out)


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Transcripts(unittest.TestCase):
    """Three passes of a sender's replicator, each over one partition; both kinds of sender and receiver say the same."""

    def setUp(self):
        nodes, rings = ({1: free_port(), 2: free_port()} for _ in range(2))
        self.recorders = {node: Recorder(rings[node], nodes[node]) for node in (1, 2)}
        for recorder in self.recorders.values():
            self.addCleanup(recorder.close)
        self.pair = self.enterContext(ObjectPair(node_ports=nodes, ring_ports=rings))

    def name(self, what, partition):
        """The first such name in the partition."""
        return next(name for name in (f"{what} {number}" for number in range(1000))
                    if self.pair.partition(name) == partition)

    def exchange(self, sender, partition):
        recorder = self.recorders[3 - sender]
        before = len(recorder.connections)
        self.pair.push(sender, sender == 2, words=("--partitions", str(partition)))
        recorder.wait()
        [kept] = [kept for kept in recorder.connections[before:] if kept[0].startswith(b"SSYNC")]
        return transcript(kept)

    def nothing(self, sender, receiver):
        name = self.name("newer there", 1)
        self.pair.put(sender, name, at(1))
        self.pair.put(receiver, name, at(2))
        return self.exchange(sender, 1)

    def one_of_each(self, sender, receiver):
        pair, name = self.pair, lambda what: self.name(what, 2)
        pair.put(sender, name("missing ☃"), at(1), b"hello world", X_Object_Meta_Color="red", X_Delete_At=str(BASE + 400_000_000))
        pair.put(sender, name("empty"), at(1), b"")
        pair.put(sender, name("both"), at(1), b"both")
        pair.post(sender, name("both"), at(3), X_Object_Meta_Color="blue")
        for node in (sender, receiver):
            for what in ("gone", "meta", "type"):
                pair.put(node, name(what), at(1), what.encode())
        pair.delete(sender, name("gone"), at(2))
        pair.post(sender, name("meta"), at(2), X_Object_Meta_Color="red")
        pair.post(sender, name("type"), at(3), Content_Type="image/png")
        return self.exchange(sender, 2)

    def error(self, sender, receiver):
        for what in ("good", "spoiled"):
            self.pair.put(sender, self.name(what, 3), at(1), what.encode())
        [path] = self.pair.device(sender).glob(f"objects/3/*/{self.pair.hash_of(self.name('spoiled', 3))}/*.data")
        with open(path, "r+b") as data:
            data.write(b"S")
        said = self.exchange(sender, 3)
        self.assertEqual(self.pair.files_of(receiver, self.name("spoiled", 3)), [])
        self.assertEqual(self.pair.files_of(receiver, self.name("good", 3)), [at(1) + ".data"])
        return said

    def check(self, sender, receiver, error):
        self.assertEqual(self.nothing(sender, receiver), HEADS.format(partition=1) + NOTHING)
        self.assertEqual(self.one_of_each(sender, receiver), HEADS.format(partition=2) + ONE_OF_EACH)
        self.assertEqual([], self.pair.complaints(), self.pair.output())
        self.assertEqual(self.error(sender, receiver), HEADS.format(partition=3) + ERROR + error)
        self.assertNotIn("Traceback", self.pair.output())

    def test_swift_sends(self):
        self.check(1, 2, "R :ERROR: 500 'ERROR: With :UPDATES: 1 failures to 1 successes'")

    def test_apus_sends(self):
        self.check(2, 1, "R :ERROR: 500 b'ERROR: With :UPDATES: 1 failures to 1 successes'")


if __name__ == "__main__":
    unittest.main(verbosity=2)
