"""Only pages that the server itself served, to who holds the token, are answered."""

import json

import pytest


def refusal(answer):
    """Return the one line of an answer."""
    return json.loads(answer.body)["error"]


def test_the_token_becomes_a_cookie_and_leaves_the_address(client):
    answer = client.ask(f"/?token={client.token}")
    assert (answer.status, answer.headers["Location"]) == (302, "/")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    page = client.ask("/", Cookie=cookie.split(";")[0])
    assert page.status == 200
    assert page.body.startswith(b"<!doctype html>")
    assert client.token.encode() not in page.body
    assert client.ask("/api/about", Cookie=cookie.split(";")[0]).status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/?token=", "/?token=guess", "/main.js", "/api/about", "/api/frames?layer=velocity",
     "/main.js?token={token}", "/api/about?token={token}", "/nothing"],
)  # fmt: skip
def test_nothing_is_served_without_the_token(client, path):
    answer = client.ask(path.format(token=client.token))
    assert answer.status == 403
    assert "with its token" in refusal(answer)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "ü"])
def test_a_wrong_token_is_refused(client, token):
    assert client.ask("/api/about", X_Musim_Token=token.encode().decode("latin1")).status == 403


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "", "[", "10.0.0.1:80"])
def test_a_foreign_name_that_leads_here_is_refused(client, host):
    answer = client.ask("/api/about", Host=host, X_Musim_Token=client.token)
    assert answer.status in {400, 403}
    assert b"four" not in answer.body
    assert b"recordings" not in answer.body


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:80"])
def test_names_of_this_machine_are_answered_at_any_port(client, host):
    assert client.ask("/api/about", Host=host, X_Musim_Token=client.token).status == 200


@pytest.mark.parametrize(
    "origin", ["http://example.org", "null", "https://127.0.0.1", "http://127.0.0.1:1"]
)
def test_another_origin_is_refused(client, origin):
    assert client.ask("/api/about", Origin=origin, X_Musim_Token=client.token).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_is_refused_though_the_cookie_comes_along(client, site):
    cookie = client.ask(f"/?token={client.token}").headers["Set-Cookie"].split(";")[0]
    for path in ("/", "/api/about", "/main.js"):
        assert client.ask(path, Cookie=cookie, Sec_Fetch_Site=site).status == 403
        for own in ("none", "same-origin"):
            assert client.ask(path, Cookie=cookie, Sec_Fetch_Site=own).status == 200


def test_an_origin_that_begins_as_ours_is_refused(client):
    for more in (".example.org", "0", "/"):
        origin = f"http://127.0.0.1:{client.port}{more}"
        assert client.ask("/api/about", Origin=origin, X_Musim_Token=client.token).status == 403


def test_the_own_origin_is_answered(client):
    own = f"http://127.0.0.1:{client.port}"
    assert client.ask("/api/about", Origin=own, X_Musim_Token=client.token).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client, looked_at, unchanged, method):
    own = f"http://127.0.0.1:{client.port}"
    headers = {"Origin": own, "X_Musim_Token": client.token, "X_Musim": "1", "Content_Length": "0"}
    with unchanged(looked_at.folder):
        assert client.ask("/api/about", method, **headers).status == 405
        assert client.ask("/", method, **headers).status == 405
        del headers["X_Musim"]
        assert client.ask("/api/about", method, **headers).status == 403


@pytest.mark.parametrize(
    "path",
    ["/../answers.py", "/%2e%2e/answers.py", "/vendor/../../answers.py", "/..%2fanswers.py",
     "/etc/passwd", "//etc/passwd", "/%2fetc/passwd", "/front/main.js", "/vendor/", "/vendor",
     "/.", "/api/", "/api/about/..", "/api/../main.py", "/api/_maps", "/api/__init__"],
)  # fmt: skip
def test_paths_do_not_lead_out(client, path):
    answer = client.get(path)
    assert answer.status == 404
    assert "wanted the address" in refusal(answer)


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/about", "/nothing", "/api/nothing"])
def test_browsers_are_told_to_keep_it_to_themselves(client, path):
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "path", ["/api/about?sequence=%ff", "/api/frames?layer=%ff", "/api/nothing?%ff=%fe", "/%ff"]
)
def test_what_cannot_be_read_is_refused_in_one_line(client, path, capfd):
    answer = client.get(path)
    assert answer.status in {400, 404}
    assert "\n" not in refusal(answer)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "application/x-www-form-urlencoded", "text/plain", "x"]
)
def test_no_kind_of_content_lets_in(client, kind, capfd):
    own = f"http://127.0.0.1:{client.port}"
    headers = {"Content_Type": kind, "Content_Length": "0", "X_Musim": "1", "Origin": own}
    assert client.ask("/api/edit", "POST", **headers).status in {400, 403}
    answer = client.ask("/api/edit", "POST", X_Musim_Token=client.token, **headers)
    assert answer.status in {400, 405}
    assert "\n" not in refusal(answer)
    assert "Traceback" not in capfd.readouterr().err
