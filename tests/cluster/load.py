"""Steady load on a store, which remembers what was promised."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp, wait_until  # noqa: E402


class Asked:
    """One request: when it began and ended (seconds of the monotonic clock), and its status or error."""

    def __init__(self, method, name):
        self.method, self.name = method, name
        self.begin, self.end, self.status, self.wrong = time.monotonic(), None, None, None

    def __repr__(self):
        return f"<{self.method} {self.name}: {self.wrong or self.status}, {self.end - self.begin:.2f} s>"


class Worker(threading.Thread):
    """Puts, reads, posts to and deletes objects of its own, one request after the other, on a kept connection. A
    refused connect is tried again: no request was sent. Any other end of a connection is a failure."""

    def __init__(self, port, headers, container, number, pause):
        super().__init__(daemon=True)
        self.port, self.headers, self.container, self.number, self.pause = port, headers, container, number, pause
        self.over, self.may, self.rests = threading.Event(), threading.Event(), threading.Event()
        self.may.set()
        self.asked = []
        self.promised = {}  # name -> MD5 of what was acknowledged last; None once deleted
        self.settled = {}  # the same of names that are left alone by now
        self.unknown = set()  # names whose last write failed
        self._connection = None
        self._random = random.Random(number)

    def run(self):
        count = 0
        while not self.over.is_set():
            if not self.may.is_set():
                self.close()  # no server keeps an idle connection for ever
                self.rests.set()
                self.may.wait()
            count += 1
            name = f"{self.number}-{count}"
            body = self._random.randbytes(self._random.randrange(1, 8192))
            self.write("PUT", name, 201, hashlib.md5(body).hexdigest(), body)
            there = [one for one, digest in self.promised.items() if digest]
            if there:
                self.read("GET", self._random.choice(there))
                self.read("HEAD", self._random.choice(there))
            if count % 3 == 0 and there:
                one = self._random.choice(there)
                self.write("POST", one, 202, self.promised[one])
            if count % 4 == 0 and there:
                self.write("DELETE", self._random.choice(there), 204, None)
            if count % 5 == 0:
                self.ask("GET", "?limit=10", 200)
            self.over.wait(self.pause)
        self.close()

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, method, name, status, digest, body=None):
        if self.ask(method, name, status, body) is None:
            self.unknown.add(name)
            self.promised.pop(name, None)
        elif name not in self.unknown:
            self.promised[name] = digest

    def read(self, method, name):
        body = self.ask(method, name, 200)
        if method == "GET" and body is not None and hashlib.md5(body).hexdigest() != self.promised[name]:
            self.asked[-1].wrong = "another body"

    def ask(self, method, name, status, body=None):
        """The body of the answer; None when the request failed or its status is another."""
        asked = Asked(method, name)
        self.asked.append(asked)
        try:
            self.connect(asked)
            path = self.container + (name if name[0] == "?" else f"/{name}")
            self._connection.request(method, path, body, {**self.headers, "X-Object-Meta-Color": "blue"})
            answer = self._connection.getresponse()
            data = answer.read()
            asked.status = answer.status
            if answer.status != status:
                asked.wrong = f"{answer.status} {data[:80]}"
            if answer.will_close:
                self._connection = None
        except (OSError, http.client.HTTPException) as error:
            asked.wrong = repr(error)
            self._connection = None
            data = b""
        asked.end = time.monotonic()
        return None if asked.wrong else data

    def connect(self, asked):
        while self._connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.connect()
                self._connection = connection
            except ConnectionRefusedError:
                if time.monotonic() > asked.begin + 60:
                    raise
                time.sleep(0.01)


class Load:
    """`workers` threads on a container of its own. A context manager: runs inside."""

    def __init__(self, port, container, workers=4, pause=0.05):
        client = Client(port).authenticate(ApusUp.USER, ApusUp.KEY)
        self.port, self.headers = port, client.headers
        self.container = f"{client.account}/{container}"
        answer = client.request("PUT", self.container)
        if answer.status != 201:
            raise RuntimeError(f"no new container: {answer}")
        client.close()
        self.workers = [Worker(port, client.headers, self.container, number, pause) for number in range(workers)]

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        for worker in self.workers:
            worker.over.set()
        for worker in self.workers:
            worker.join(120)

    @contextlib.contextmanager
    def resting(self):
        """No request is under way inside."""
        for worker in self.workers:
            worker.rests.clear()
            worker.may.clear()
        try:
            wait_until(lambda: all(worker.rests.is_set() or not worker.is_alive() for worker in self.workers), 120)
            yield
        finally:
            for worker in self.workers:
                worker.may.set()

    def go_on(self, requests, seconds=120):
        """Returns once each worker has done so many more."""
        counts = [len(worker.asked) for worker in self.workers]
        wait_until(lambda: all(len(worker.asked) > count + requests
                               for worker, count in zip(self.workers, counts)), seconds)

    def wrong(self, *struck):
        """Failed requests but those that were under way in one of the moments `struck`, each (begin, end)."""
        return [asked for worker in self.workers for asked in worker.asked
                if asked.wrong and not any(asked.begin <= end and (asked.end or end) >= begin for begin, end in struck)]

    def all_wrong(self):
        return self.wrong()

    def done(self):
        return sum(len(worker.asked) for worker in self.workers)

    def slowest(self):
        return max(asked.end - asked.begin for worker in self.workers for asked in worker.asked if asked.end)

    def promised(self):
        return {name: digest for worker in self.workers for name, digest in worker.promised.items()}

    def all_promised(self):
        return {name: digest for worker in self.workers
                for name, digest in (worker.settled | worker.promised).items()}

    def unknown(self):
        return set().union(*(worker.unknown for worker in self.workers))

    def settle(self):
        """What was written so far is not touched again, but must be there in the end; for a load that rests."""
        for worker in self.workers:
            worker.settled.update(worker.promised)
            worker.promised.clear()

    def lost(self, promised):
        """What of it is not so, as the newest of all replicas has it; for a load that rests."""
        local = threading.local()

        def check(item):
            name, digest = item
            if not hasattr(local, "client"):
                local.client = Client(self.port)
            answer = local.client.request("GET", f"{self.container}/{name}",
                                          headers={**self.headers, "X-Newest": "true"})
            found = (answer.status, hashlib.md5(answer.body).hexdigest() if answer.status == 200 else None)
            return None if found == ((404, None) if digest is None else (200, digest)) else (name, digest, found)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return [bad for bad in pool.map(check, promised.items()) if bad]
