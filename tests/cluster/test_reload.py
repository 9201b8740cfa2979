"""Servers are renewed and exchanged under load: no request is lost."""

import signal
import unittest

from under_load import UnderLoad

from harness.own_cluster import NODES
from harness.processes import wait_until

TIMES = 3


class Reload(UnderLoad):
    def setUp(self):
        self.begin()

    def renewals(self, which):
        return self.cluster.children[which].output().count("Started worker")

    def renew(self, which):
        before = self.renewals(which)
        self.cluster.send(which, signal.SIGUSR1)
        wait_until(lambda: self.renewals(which) > before, 60)
        self.load.go_on(10)

    def exchange(self, which, start, *arguments):
        """The old process leaves with its port, a new one takes it; the old serves what it has begun."""
        old = self.cluster.children[which]
        old.process.send_signal(signal.SIGHUP)
        self.assertEqual(old.process.wait(60), 0)
        start(*arguments)
        self.load.go_on(10)

    def test_usr1_renews_the_proxy(self):
        for _ in range(TIMES):
            self.renew("proxy")
        self.end()

    def test_usr1_renews_each_node(self):
        for node in NODES:
            self.renew(node)
        self.end()

    def test_hup_makes_way_for_another_proxy(self):
        for _ in range(TIMES):
            self.exchange("proxy", self.cluster.start_proxy)
        self.end()

    def test_hup_makes_way_for_another_of_each_node(self):
        for node in NODES:
            self.exchange(node, self.cluster.start_node, node)
            self.well_again()
        self.end()


if __name__ == "__main__":
    unittest.main(verbosity=2)
