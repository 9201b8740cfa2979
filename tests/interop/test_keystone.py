"""authtoken and keystoneauth against Debian's Keystone: roles, ACLs, service tokens, revocation, outage."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.http import Client  # noqa: E402
from harness.keystone import Keystone, missing_parts  # noqa: E402
from harness.processes import ApusUp  # noqa: E402

PIPELINE = "catch_errors gatekeeper cache listing_formats authtoken keystoneauth copy proxy-server"


def filters(url, cache_time):
    return (f"[filter:authtoken]\npaste.filter_factory = keystonemiddleware.auth_token:filter_factory\n"
            f"www_authenticate_uri = {url}\nauth_url = {url}\nauth_plugin = password\n"
            "project_domain_id = default\nuser_domain_id = default\nproject_name = service\n"
            "username = swift\npassword = swift-password\ndelay_auth_decision = True\n"
            f"token_cache_time = {cache_time}\ncache = swift.cache\n"
            "[filter:keystoneauth]\nuse = egg:swift#keystoneauth\nreseller_prefix = AUTH, SERVICE\n"
            "operator_roles = admin, swiftoperator\nSERVICE_service_roles = service\n"
            "reseller_admin_role = ResellerAdmin\nsystem_reader_roles = auditor\n")


@unittest.skipIf(missing_parts(), f"not installed: {missing_parts()}")
class KeystoneTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keystone = cls.enterClassContext(Keystone())
        k = cls.keystone
        service = k.make("project", "service", domain_id="default")
        swift = k.make("user", "swift", password="swift-password", domain_id="default")
        for role in ("admin", "service"):
            k.grant(service, swift, role)
        cls.projects, cls.users = {}, {}
        for project in ("one", "two"):
            cls.projects[project] = k.make("project", project, domain_id="default")
        for user, project, role in (("ann", "one", "swiftoperator"), ("bob", "two", "member"),
                                    ("op", "two", "ResellerAdmin"), ("eve", "two", "auditor")):
            cls.users[user] = k.make("user", user, password=user + "-pw", domain_id="default")
            k.grant(cls.projects[project], cls.users[user], role)
        cls.apus = cls.enterClassContext(ApusUp())
        cls.configure(300)
        cls.tokens = {user: k.token(user, user + "-pw", project) for user, project in
                      (("ann", "one"), ("bob", "two"), ("op", "two"), ("eve", "two"))}
        cls.account = "/v1/AUTH_" + cls.projects["one"]

    @classmethod
    def configure(cls, cache_time):
        cls.apus.stop()
        conf = next(cls.apus.data.rglob("proxy-server.conf"))
        text = conf.read_text().partition("[filter:authtoken]")[0]
        lines = ["pipeline = " + PIPELINE if line.startswith("pipeline =") else line
                 for line in text.splitlines()]
        conf.write_text("\n".join(lines) + "\n" + filters(cls.keystone.url, cache_time))
        cls.apus.start()

    def ask(self, method, path, user=None, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            headers["X-Auth-Token"] = self.tokens.get(user, user)
        client = Client(self.apus.port)
        try:
            return client.request(method, path, body, headers)
        finally:
            client.close()

    def check(self, status, *request, **more):
        answer = self.ask(*request, **more)
        self.assertEqual(answer.status, status, f"{request} {more}: {answer}")
        return answer

    def test_1_roles(self):
        self.check(201, "PUT", self.account + "/c", "ann")
        self.check(201, "PUT", self.account + "/c/o", "ann", b"bytes")
        self.assertEqual(self.check(200, "GET", self.account + "/c/o", "ann").body, b"bytes")
        self.check(403, "GET", self.account + "/c/o", "bob")
        self.check(200, "GET", self.account + "/c/o", "eve")
        self.check(403, "PUT", self.account + "/c/o", "eve", b"")
        self.check(200, "GET", self.account + "/c/o", "op")
        self.check(403, "DELETE", self.account, "ann")
        self.assertEqual(self.check(204, "HEAD", self.account, "ann").headers["X-Account-Project-Domain-Id"], "default")

    def test_2_nobody_gets_in_by_words(self):
        for token in (None, "nonsense", self.tokens["ann"][:-4] + "AAAA", "x" * 500):
            answer = self.check(401, "GET", self.account + "/c/o", token)
            self.assertIn(f'Keystone uri="{self.keystone.url}"', answer.headers["WWW-Authenticate"])
        self.check(401, "GET", self.account + "/c/o", X_Identity_Status="Confirmed", X_Roles="admin",
                   X_Project_Id=self.projects["one"], X_User_Id=self.users["ann"])

    def test_3_acls(self):
        bob, two = self.users["bob"], self.projects["two"]
        for acl, status in ((f"{two}:{bob}", 200), (f"*:{bob}", 200), (f"{two}:*", 200), ("two:bob", 200),
                            ("*:bob", 200), ("two:eve", 403), ("one:bob", 403), ("member", 403)):
            self.check(204, "POST", self.account + "/c", "ann", X_Container_Read=acl)
            self.check(status, "GET", self.account + "/c/o", "bob")
            self.check(401, "GET", self.account + "/c/o")
        self.check(204, "POST", self.account + "/c", "ann", X_Container_Read=".r:*")
        self.check(200, "GET", self.account + "/c/o")
        self.check(401, "GET", self.account + "/c")

    def test_4_service_tokens(self):
        account = "/v1/SERVICE_" + self.projects["one"]
        service = self.keystone.token("swift", "swift-password", "service")
        self.check(403, "PUT", account + "/c", "ann")
        self.check(201, "PUT", account + "/c", "ann", X_Service_Token=service)
        self.check(403, "PUT", account + "/c", "ann", X_Service_Token=self.tokens["bob"])
        self.check(401, "PUT", account + "/c", "ann", X_Service_Token="nonsense")

    def test_5_revoked_and_out_of_reach(self):
        self.configure(-1)
        token = self.keystone.token("ann", "ann-pw", "one")
        self.check(200, "GET", self.account + "/c/o", token)
        self.assertEqual(self.keystone.request("DELETE", "/auth/tokens", token=token)[0] // 100, 4)
        self.keystone.admin("PATCH", "/users/" + self.users["ann"], {"user": {"enabled": False}})
        self.check(401, "PUT", self.account + "/c/o", token, b"")
        self.keystone.admin("PATCH", "/users/" + self.users["ann"], {"user": {"enabled": True}})
        time.sleep(1.1)  # Keystone counts in seconds: a token of that one would be as revoked as the old
        fresh = self.keystone.token("ann", "ann-pw", "one")
        self.keystone.stop()
        self.check(503, "GET", self.account + "/c/o", fresh)
        self.keystone.start()
        self.check(201, "PUT", self.account + "/c/o", fresh, b"again")


if __name__ == "__main__":
    unittest.main(verbosity=2)
