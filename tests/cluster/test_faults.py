"""Nodes fail under load: no acknowledged write is lost, and clients see nothing of it but in what was under way."""

import signal
import unittest

from under_load import UnderLoad

from harness.own_cluster import NODES
from harness.processes import wait_until
from harness.small_disk import NoMount

AWHILE = 20  # requests of each worker
DELAY = 1.0  # seconds there, and as many back


class Faults(UnderLoad):
    def until_limited(self, node):
        """The load goes on until the proxy leaves the node alone, and a while after."""
        before = self.cluster.limited(node)
        wait_until(lambda: self.cluster.limited(node) > before, 120)
        self.load.go_on(AWHILE)

    def test_each_node_is_killed(self):
        self.begin()
        for node in NODES:
            self.strike(self.cluster.children[node].signal_all, signal.SIGKILL)
            self.cluster.children[node].kill()
            self.until_limited(node)
            self.assertTrue(self.cluster.handed_off(node % 4 + 1))
            self.nothing_lost()
            self.cluster.start_node(node)
            self.well_again()
        self.end()


    def test_a_node_is_cut_off(self):
        self.begin()
        for relay in self.cluster.relays.values():
            self.strike(relay.cut)
        self.until_limited(1)
        self.nothing_lost()
        for relay in self.cluster.relays.values():
            relay.mend()
        self.well_again()
        self.end()

    def test_a_node_is_stopped(self):
        self.begin()
        self.strike(self.cluster.children[2].signal_all, signal.SIGSTOP)
        self.until_limited(2)
        self.nothing_lost()
        self.cluster.children[2].signal_all(signal.SIGCONT)
        self.well_again()
        self.end()

    def test_a_node_is_slow(self):
        self.begin()
        for relay in self.cluster.relays.values():
            relay.delay = DELAY
        self.load.go_on(12)
        for relay in self.cluster.relays.values():
            relay.delay = 0.0
        self.well_again()
        self.assertGreater(self.load.slowest(), 2 * DELAY)
        self.end()


    def test_a_disk_is_full(self):
        try:
            self.begin(small_disk_of=3)
        except NoMount as error:
            self.skipTest(f"no mount is allowed here: {error}")
        self.strike(self.cluster.small_disk.fill)
        self.until_limited(3)
        self.assertIn("ERROR Insufficient Storage", self.cluster.proxy_log())
        self.assertTrue(self.cluster.handed_off(1) + self.cluster.handed_off(2) + self.cluster.handed_off(4))
        self.nothing_lost()
        self.cluster.small_disk.clear()
        self.well_again()
        self.end()


if __name__ == "__main__":
    unittest.main(verbosity=2)
