"""Auditors, Debian's and Apus's, over objects that servers of both kinds stored."""

import hashlib
import json
import os
import pathlib
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.debian_swift import missing_parts  # noqa: E402
from harness.http import Client  # noqa: E402
from harness.mixed_swift import MixedSwift, partition_of, timestamp  # noqa: E402

OLD = "1700000000.00000"
CHECKSUM = "user.swift.metadata_checksum"


def hash_of(name):
    return hashlib.md5(f"oracle/AUTH_a/c/{name}oracle".encode()).hexdigest()


def folder_of(root, name):
    """Where the object lies on d1."""
    digest = hash_of(name)
    return pathlib.Path(root) / "d1" / "objects" / str(partition_of(f"/AUTH_a/c/{name}")) / digest[29:] / digest


def change_metadata(path, **fields):
    """Sets, or with None removes, what the file's metadata says."""
    from swift.obj.diskfile import read_metadata, write_metadata
    with open(path, "r+b") as file:
        metadata = read_metadata(file)
        for name, value in fields.items():
            name = name.replace("_", "-")
            metadata.pop(name, None)
            if value is not None:
                metadata[name] = value
        write_metadata(file, metadata)


class Damage:
    """What befalls an object's folder, by the object's name."""

    def __init__(self, root):
        self.root = root

    def data(self, name):
        return folder_of(self.root, name) / f"{OLD}.data"

    def flipped(self, name):
        with open(self.data(name), "r+b") as file:
            file.write(b"X")

    def shorter(self, name):
        os.truncate(self.data(name), 3)

    def longer(self, name):
        with open(self.data(name), "ab") as file:
            file.write(b"more")

    def no_metadata(self, name):
        for attribute in os.listxattr(self.data(name)):
            os.removexattr(self.data(name), attribute)

    def no_pickle(self, name):
        os.setxattr(self.data(name), "user.swift.metadata", b"\x80\x02}q\x00nonsense")
        os.removexattr(self.data(name), CHECKSUM)

    def bad_checksum(self, name):
        os.setxattr(self.data(name), CHECKSUM, b"0" * 32)

    def no_checksum(self, name):
        os.removexattr(self.data(name), CHECKSUM)

    def no_length(self, name):
        change_metadata(self.data(name), Content_Length=None)

    def no_etag(self, name):
        change_metadata(self.data(name), ETag=None)

    def odd_expiry(self, name):
        change_metadata(self.data(name), X_Delete_At="soon")

    def another_name(self, name):
        change_metadata(self.data(name), name="/AUTH_a/c/nobody")

    def expired_and_flipped(self, name):
        change_metadata(self.data(name), X_Delete_At="1700000001")
        self.flipped(name)

    def bad_meta(self, name):
        [meta] = folder_of(self.root, name).glob("*.meta")
        os.setxattr(meta, CHECKSUM, b"0" * 32)

    def bad_tombstone(self, name):
        [tombstone] = folder_of(self.root, name).glob("*.ts")
        os.setxattr(tombstone, CHECKSUM, b"0" * 32)

    def a_file(self, name):
        folder = folder_of(self.root, name)
        shutil.rmtree(folder)
        folder.write_bytes(b"no folder")

    def temporaries(self, name):
        for file, age in ((".x.data.aB3_56", 2 * 86400), (".y.data.abcdef", 60), (".x.data.toolong", 2 * 86400)):
            path = folder_of(self.root, name) / file
            path.write_bytes(b"x")
            os.utime(path, (time.time() - age, time.time() - age))


KINDS_OF_DAMAGE = [name for name in vars(Damage) if not name.startswith("_") and name != "data"]


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class Auditors(unittest.TestCase):
    """The same damage in two copies of a device: what both auditors make of it is the same."""

    def fill(self, store):
        client = Client(store.ports["object"])

        def ask(method, name, when, body=None, **headers):
            headers = {key.replace("_", "-"): value for key, value in headers.items()}
            path = f"/d1/{partition_of('/AUTH_a/c/' + name)}/AUTH_a/c/{name}"
            answer = client.request(method, path, body, {"X-Timestamp": when, **headers})
            self.assertIn(answer.status // 100, (2, 4), f"{method} {path}: {answer}")
        for name in ["whole", "empty", "large", "wholly ü", *KINDS_OF_DAMAGE]:
            body = {"empty": b"", "large": os.urandom(3_000_000)}.get(name, b"some bytes")
            ask("PUT", name, OLD, body, Content_Type="text/plain", X_Object_Meta_Color="blue")
        for name in ("whole", "bad_meta"):
            ask("POST", name, "1700000005.00000", X_Object_Meta_Color="red")
        young = timestamp(time.time() - 1000)
        for name in ("bad_tombstone", "deleted lately"):
            ask("DELETE", name, young)
        client.close()
        # One that the auditors find past its reclaim age; a server would not have left it.
        folder = folder_of(store.devices_root, "deleted lately")
        [tombstone] = folder.glob("*.ts")
        long_gone = folder_of(store.devices_root, "deleted long ago")
        shutil.copytree(folder, long_gone)
        (long_gone / tombstone.name).rename(long_gone / "1700000001.00000.ts")
        damage = Damage(store.devices_root)
        for name in KINDS_OF_DAMAGE:
            getattr(damage, name)(name)
        for journal in pathlib.Path(store.devices_root).glob("d1/objects/*/hashes.invalid"):
            journal.unlink()

    def tree(self, root):
        """Every file below its name, with its checksum's presence where it counts; journals by their set of lines."""
        out = {}
        for path in sorted(pathlib.Path(root).rglob("*")):
            if path.is_dir() or path.name in (".lock", "hashes.pkl"):
                continue
            name = str(path.relative_to(root))
            if path.name == "hashes.invalid":
                out[name] = sorted(set(path.read_text().split()))
            else:
                out[name] = (hashlib.md5(path.read_bytes()).hexdigest(),
                             "quarantined" in name or CHECKSUM in os.listxattr(path))
        return out

    def audit(self, store, run, copy, words=(), **options):
        """One pass over a fresh copy of the devices: what is there afterwards, what recon has, what was said."""
        devices = store.folder / copy
        shutil.copytree(store.devices_root, devices, symlinks=True)
        (store.folder / "recon" / "object.recon").unlink(missing_ok=True)
        said = run("object", "object-auditor", words=words, devices=devices, files_per_second=0,
                   bytes_per_second=0, zero_byte_files_per_second=0, **options)
        recon = json.loads((store.folder / "recon" / "object.recon").read_text())
        return self.tree(devices), recon, said

    def compare(self, apus_kinds):
        with MixedSwift(apus_kinds=apus_kinds, only=("object",), memcache="127.0.0.1:1") as store:
            self.fill(store)
            debian, debian_recon, debian_said = self.audit(store, store.run_daemon, "debian")
            apus, apus_recon, apus_said = self.audit(store, store.run_apus_daemon, "apus")
            self.maxDiff = None
            self.assertEqual(apus, debian, f"{apus_said}\n{debian_said}")
            quarantined = {name.split("/")[3] for name in apus if name.startswith("d1/quarantined/objects/")}
            self.assertEqual(
                quarantined,
                {hash_of(name) for name in KINDS_OF_DAMAGE
                 if name not in ("no_checksum", "no_etag", "expired_and_flipped", "temporaries")})
            self.assertEqual(set(apus_recon), set(debian_recon))
            self.assertEqual(set(apus_recon["object_auditor_stats_ALL"]), set(debian_recon["object_auditor_stats_ALL"]))
            for said in (debian_said, apus_said):
                self.assertEqual(said.count("failed audit and was quarantined"), len(quarantined) - (said is debian_said))
                self.assertEqual(said.count("ERROR Trying to audit"), 1, said)  # the one without an ETag
            # Metadata alone, at the command line's word.
            debian, _, debian_said = self.audit(store, store.run_daemon, "debian-z", ("-z", "1000"))
            apus, _, apus_said = self.audit(store, store.run_apus_daemon, "apus-z", ("-z", "1000"))
            self.assertEqual(apus, debian, f"{apus_said}\n{debian_said}")
            self.assertNotIn("d1/quarantined/objects/" + hash_of("flipped") + f"/{OLD}.data", apus)

    def test_objects_of_debian(self):
        self.compare(())

    def test_objects_of_apus(self):
        self.compare(("object",))

    def test_each_goes_on_where_the_other_was_broken_off(self):
        with MixedSwift(only=("object",), memcache="127.0.0.1:1") as store:
            client = Client(store.ports["object"])
            names = [f"o{number}" for number in range(12)]
            for name in names:
                path = f"/d1/{partition_of('/AUTH_a/c/' + name)}/AUTH_a/c/{name}"
                headers = {"X-Timestamp": OLD, "Content-Type": "text/plain"}
                self.assertEqual(client.request("PUT", path, b"some bytes", headers).status, 201)
                Damage(store.devices_root).flipped(name)
            client.close()
            partitions = sorted({str(partition_of("/AUTH_a/c/" + name)) for name in names})
            left = partitions[:len(partitions) // 2]
            objects = pathlib.Path(store.devices_root) / "d1" / "objects"
            (objects / "auditor_status_ALL.json").write_text(json.dumps({"partitions": left}))
            trees = [self.audit(store, run, copy)[0] for run, copy in ((store.run_daemon, "debian"),
                                                                       (store.run_apus_daemon, "apus"))]
            self.assertEqual(trees[0], trees[1])
            self.assertEqual({name.split("/")[3] for name in trees[1] if "quarantined" in name},
                             {hash_of(name) for name in names if str(partition_of("/AUTH_a/c/" + name)) in left})
            self.assertNotIn("d1/objects/auditor_status_ALL.json", trees[1])

    def compare_watchers(self, apus_kinds):
        """What the watcher for dark data makes of objects that a container lists, and of one that none does."""
        with MixedSwift(apus_kinds=apus_kinds, only=("object", "container"), memcache="127.0.0.1:1",
                        log_level="INFO") as store:
            # Debian's takes the ring of /etc/swift, whatever the conf says.
            with open(store.folder / "python" / "sitecustomize.py", "a") as customize:
                customize.write("import swift.common.ring.ring as r\nplain = r.Ring.__init__\n"
                                "def moved(self, path, *more, **named):\n"
                                f"    plain(self, {str(store.conf)!r} if path == '/etc/swift' else path, *more, **named)\n"
                                "r.Ring.__init__ = moved\n")
            clients = {kind: Client(store.ports[kind]) for kind in ("object", "container")}

            def put(kind, name, body=None, **headers):
                path = f"/AUTH_a/c/{name}".removesuffix("/")
                where = partition_of(path if kind == "object" else "/AUTH_a/c")
                headers = {key.replace("_", "-"): value for key, value in headers.items()}
                answer = clients[kind].request("PUT", f"/d1/{where}{path}", body, {"X-Timestamp": OLD, **headers})
                self.assertEqual(answer.status, 201)
            put("container", "")
            for name in ("listed ü", "listed", "dark", "list"):
                put("object", name, b"some bytes", Content_Type="text/plain")
                if name.startswith("listed"):
                    put("container", name, X_Size="10", X_Etag="e", X_Content_Type="text/plain")
            for client in clients.values():
                client.close()
            for action, wanted in (("log", "reporting"), ("quarantine", "quarantining"), ("delete", "deleting")):
                watchers = f"dark_data\n[object-auditor:watcher:dark_data]\naction = {action}\n"
                debian, _, debian_said = self.audit(store, store.run_daemon, f"debian-{action}", watchers=watchers)
                apus, _, apus_said = self.audit(store, store.run_apus_daemon, f"apus-{action}", watchers=watchers)
                apus, debian = ({name: what for name, what in one.items() if "/containers/" not in name}
                                for one in (apus, debian))
                self.assertEqual(apus, debian, f"{apus_said}\n{debian_said}")
                for said in (apus_said, debian_said):
                    self.assertIn("[audit-watcher dark_data] total unknown 0 ok 2 dark 2", said)
                    self.assertEqual(said.count(f"{wanted} dark data"), 2, said)
                left = {name for name in ("listed ü", "listed", "dark", "list")
                        if folder_of(store.folder / f"apus-{action}", name).exists()}
                self.assertEqual("dark" in left, action == "log")
                self.assertLessEqual({"listed ü", "listed"}, left)
            store.children.pop("container").stop()
            said = self.audit(store, store.run_apus_daemon, "away", watchers=watchers)[2]
            self.assertIn("total unknown 4 ok 0 dark 0", said)

    def test_dark_data_by_servers_of_debian(self):
        self.compare_watchers(())

    def test_dark_data_by_servers_of_apus(self):
        self.compare_watchers(("object", "container"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
