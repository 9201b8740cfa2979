"""python-swiftclient as its users run it: trees up and down, segments, listings, metadata."""

import hashlib
import unittest

from journey import Journey, checksums, make_tree, run


class SwiftClient(Journey):
    def swift(self, *words, **options):
        return run("swift", *words, env=self.environment, **options)

    def test_a_tree_of_real_files_comes_back_whole(self):
        tree, back = self.scratch / "tree", self.scratch / "back"
        count = make_tree(tree, 3000, seed=1)
        self.swift("upload", "tree", ".", cwd=tree)
        names = self.swift("list", "tree").stdout.splitlines()
        self.assertEqual(len(names), count)
        self.swift("download", "tree", "-D", back)
        self.assertEqual(checksums(tree), checksums(back))
        stat = self.swift("stat", "tree").stdout
        self.assertIn(f"Objects: {count}", stat)
        self.swift("delete", "tree")
        self.assertEqual(self.swift("list").stdout.split(), [])

    def test_segments_of_a_gibibyte(self):
        big = self.scratch / "big"
        piece = hashlib.sha512(b"apus").digest() * 16384  # 1 MiB
        with open(big, "wb") as out:
            for number in range(1024):
                out.write(number.to_bytes(8, "big") + piece[8:])
        digest = hashlib.md5(big.read_bytes()).hexdigest()
        self.swift("upload", "big", "big", "-S", 128 * 1024 * 1024, cwd=self.scratch)
        names = self.swift("list", "big_segments").stdout.splitlines()
        self.assertEqual(len(names), 8)
        # Segments are read back one by one: whoever joins them is not this test's subject.
        joined = hashlib.md5()
        for name in sorted(names):
            target = self.scratch / "segment"
            self.swift("download", "big_segments", name, "-o", target)
            joined.update(target.read_bytes())
        self.assertEqual(joined.hexdigest(), digest)

    def test_metadata_and_acl(self):
        self.swift("post", "meta", "-m", "color:bleu é", "-r", ".r:*,.rlistings")
        stat = self.swift("stat", "meta").stdout
        self.assertIn("Meta Color: bleu é", stat)
        self.assertIn("Read ACL: .r:*,.rlistings", stat)
        anonymous = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                        f"http://127.0.0.1:{self.store.port}/v1/AUTH_test/meta").stdout
        self.assertEqual(anonymous, "204")


if __name__ == "__main__":
    unittest.main(verbosity=2)
