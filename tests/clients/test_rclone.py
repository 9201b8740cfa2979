"""rclone sync and check, up and down."""

import unittest

from journey import ApusUp, Journey, checksums, make_tree, run


class Rclone(Journey):
    def rclone(self, *words, **options):
        env = {**self.environment, "RCLONE_CONFIG_APUS_TYPE": "swift",
               "RCLONE_CONFIG_APUS_AUTH": self.store.auth_url,
               "RCLONE_CONFIG_APUS_USER": ApusUp.USER, "RCLONE_CONFIG_APUS_KEY": ApusUp.KEY,
               "RCLONE_CONFIG_APUS_AUTH_VERSION": "1"}
        return run("rclone", "--config", self.scratch / "none", *words, env=env, **options)

    def test_sync_and_check_both_ways(self):
        tree, back = self.scratch / "tree", self.scratch / "back"
        make_tree(tree, 400, seed=2)
        self.rclone("sync", tree, "apus:tree")
        self.assertIn("0 differences found", self.rclone("check", tree, "apus:tree").stdout)
        self.rclone("sync", "apus:tree", back)
        self.assertEqual(checksums(tree), checksums(back))
        self.assertIn("0 differences found", self.rclone("check", "apus:tree", back).stdout)

        victims = sorted(path for path in tree.rglob("*.h") if path.is_file())[:10]
        for number, path in enumerate(victims):
            path.unlink() if number % 2 else path.write_bytes(b"changed %d" % number)
        self.rclone("sync", tree, "apus:tree")
        self.assertIn("0 differences found", self.rclone("check", tree, "apus:tree").stdout)
        self.rclone("sync", "apus:tree", back)
        self.assertEqual(checksums(tree), checksums(back))

    def test_a_wrong_key_is_told(self):
        env = {"RCLONE_CONFIG_APUS_KEY": "wrong"}
        done = run("env", *(f"{k}={v}" for k, v in env.items()), "rclone", "--config",
                   self.scratch / "none", "--retries", 1, "--swift-auth", self.store.auth_url,
                   "--swift-user", ApusUp.USER, "--swift-key", "wrong", "--swift-auth-version", 1,
                   "lsd", ":swift:", check=False)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
