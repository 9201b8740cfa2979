"""A small keep-alive client on http.client, for tests that look at status, headers and bytes."""

import http.client
import urllib.parse


class Answer:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.body[:200]!r}>"


class Client:
    """One connection, reopened after an error. Not for several threads."""

    def __init__(self, port, host="127.0.0.1", timeout=60):
        self._make = lambda: http.client.HTTPConnection(host, port, timeout=timeout)
        self._connection = None
        self.headers = {}
        self.account = None

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, method, path, body=None, headers=None, query=None, chunked=False):
        """`path` is decoded text; the answer's body is read whole."""
        target = urllib.parse.quote(path)
        if query:
            target += "?" + urllib.parse.urlencode(query)
        all_headers = {**self.headers, **(headers or {})}
        if body is None and method in ("PUT", "POST") and not chunked:
            all_headers.setdefault("Content-Length", "0")
        if self._connection is None:
            self._connection = self._make()
        try:
            self._connection.request(method, target, body=body, headers=all_headers,
                                     encode_chunked=chunked)
            response = self._connection.getresponse()
            data = response.read()
        except Exception:
            self.close()
            raise
        if response.will_close:
            self.close()
        return Answer(response.status, response.reason, response.headers, data)

    def authenticate(self, user, key):
        """tempauth v1.0; afterwards requests carry the token and `account` is "/v1/AUTH_x"."""
        answer = self.request("GET", "/auth/v1.0", headers={"X-Auth-User": user, "X-Auth-Key": key})
        if answer.status != 200:
            raise RuntimeError(f"authentication failed: {answer}")
        self.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
        self.account = urllib.parse.urlsplit(answer.headers["X-Storage-Url"]).path
        return self


ASK_HEALTH = b"GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n"


def ask_health(connection, request=ASK_HEALTH):
    """Sends the request, or the rest of one, on a socket; the answer of the healthcheck, whole."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\nOK" not in answer:
        piece = connection.recv(4096)
        if not piece:
            raise AssertionError(f"closed after {answer!r}")
        answer += piece
    return answer
