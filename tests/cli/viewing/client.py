"""Asks the viewer's server as programs do."""

import http.client
import json
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np


class Client:
    """Asks a server as programs do, with whatever headers.

    Parameters
    ----------
    address : str
        With its token.
    """

    def __init__(self, address):
        self.address = address
        parts = urlsplit(address)
        self.port, self.token = parts.port, parts.query.removeprefix("token=")

    def ask(self, path, method="GET", **headers):
        """Return an answer's status, headers and body."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host="Host" in headers)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
        finally:
            connection.close()

    def get(self, path):
        """Return an answer to who shows the token."""
        return self.ask(path, X_Musim_Token=self.token)

    def json(self, path):
        """Return what JSON says, of an answer that went well."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def array(self, path):
        """Return numbers of an answer that went well."""
        answer = self.get(path)
        assert answer.status == 200, answer.body
        kind, shape = answer.headers["X-Musim-Array"].split()
        values = np.frombuffer(answer.body, np.dtype(kind).newbyteorder("<"))
        return values.reshape([int(n) for n in shape.split(",")])
