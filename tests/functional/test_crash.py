"""kill -9 in the middle of concurrent uploads, deletes and listings, round after round on one store.

After each restart: what was acknowledged is there and whole, what was acknowledged as deleted is gone,
and the listing shows both. A request that was under way at the kill may have happened or not, whole; as in
Swift, the listing may then lag behind the object until the next acknowledged change of that name.
"""

import hashlib
import os
import pathlib
import random
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

ROUNDS = int(os.environ.get("APUS_CRASH_ROUNDS", 200))
SEED = int(os.environ.get("APUS_CRASH_SEED", 20261122))
WRITERS = 4
NAMES_EACH = 12


class Writer(threading.Thread):
    """Owns its names; remembers for each what the store acknowledged and what it left open."""

    def __init__(self, store, number, seed):
        super().__init__()
        self.store, self.number, self.random = store, number, random.Random(seed)
        self.known = {}      # name -> digest, or None for "deleted"
        self.uncertain = {}  # name -> digest or None of a request without an answer
        self.wrong, self.acknowledged, self.stopping = [], 0, threading.Event()

    def run(self):
        try:
            client = Client(self.store.port, timeout=20).authenticate(ApusUp.USER, ApusUp.KEY)
            while not self.stopping.is_set():
                self.step(client)
        except (OSError, RuntimeError, EOFError):
            return  # the kill
        except Exception as error:  # http.client's family for a connection cut in the middle
            if type(error).__module__ != "http.client":
                self.wrong.append(repr(error))

    def step(self, client):
        name = f"w{self.number}-{self.random.randrange(NAMES_EACH)}"
        path = f"{client.account}/crash/{name}"
        choice = self.random.random()
        if choice < 0.6:
            body = self.random.randbytes(self.random.choice((0, 10, 1024, 100_000)))
            self.uncertain[name] = hashlib.md5(body).hexdigest()
            answer = client.request("PUT", path, body)
            self.settle(name, answer.status == 201, answer)
        elif choice < 0.85:
            self.uncertain[name] = None
            answer = client.request("DELETE", path)
            self.settle(name, answer.status in (204, 404), answer)
        else:
            answer = client.request("GET", f"{client.account}/crash", query={"prefix": f"w{self.number}-"})
            if answer.status not in (200, 204):
                self.wrong.append(f"listing: {answer}")

    def settle(self, name, expected, answer):
        if not expected:
            self.wrong.append(f"{name}: {answer}")
        self.known[name] = self.uncertain.pop(name)
        self.acknowledged += 1


class Crash(unittest.TestCase):
    def test_acknowledged_is_kept(self):
        print(f"seed {SEED}, {ROUNDS} rounds, {WRITERS} writers", flush=True)
        chance = random.Random(SEED)
        with ApusUp() as store:
            setup = Client(store.port).authenticate(ApusUp.USER, ApusUp.KEY)
            self.assertEqual(setup.request("PUT", setup.account + "/crash").status, 201)
            setup.close()
            known, acknowledged, lagging = {}, 0, set()
            for number in range(ROUNDS):
                writers = [Writer(store, w, chance.random()) for w in range(WRITERS)]
                for writer in writers:
                    writer.start()
                threading.Event().wait(chance.uniform(0.05, 0.4))
                store.kill()
                for writer in writers:
                    writer.stopping.set()
                    writer.join(30)
                    self.assertEqual(writer.wrong, [])
                    known.update(writer.known)
                    lagging -= writer.known.keys()
                    acknowledged += writer.acknowledged
                uncertain = {n: d for writer in writers for n, d in writer.uncertain.items()}
                store.start()
                lagging |= uncertain.keys()
                self.verify(store, number, known, uncertain, lagging)
            print(f"{acknowledged} acknowledged changes, none lost", flush=True)
            self.assertGreater(acknowledged, ROUNDS * 5)

    def verify(self, store, number, known, uncertain, lagging):
        client = Client(store.port).authenticate(ApusUp.USER, ApusUp.KEY)
        listed = set(client.request("GET", client.account + "/crash").body.decode().split())
        for name in sorted(known.keys() | uncertain.keys()):
            answer = client.request("GET", f"{client.account}/crash/{name}")
            self.assertIn(answer.status, (200, 404), f"round {number}, {name}: {answer}")
            found = hashlib.md5(answer.body).hexdigest() if answer.status == 200 else None
            allowed = {known.get(name)} | ({uncertain[name]} if name in uncertain else set())
            self.assertIn(found, allowed, f"round {number}, {name}")
            if name in uncertain:
                known[name] = found
            if name not in lagging:
                self.assertEqual(name in listed, found is not None, f"round {number}: listing of {name}")
        client.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
