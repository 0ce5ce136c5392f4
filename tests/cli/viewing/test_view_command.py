"""``musim view`` as a user types it: what it says, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from musim.cli.viewing import serving
from musim.datasets.store_files import ROOT
from tests.cli.viewing.client import Client


def start(*arguments, **environment):
    """Start the command, as from a shell."""
    return subprocess.Popen(
        [sys.executable, "-m", "musim.cli", "view", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(looked_at, number):
    process = start(*looked_at.paths, "--no-browser")
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S{40,}", line)[0]
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.replace("/?", "/nothing?"), timeout=30)
    finally:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert (out, err) == ("", "")


def test_stores_in_object_stores_are_seen(looked_at):
    pytest.importorskip("s3fs")
    boto3, moto = pytest.importorskip("boto3"), pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(port=0)
    server.start()
    # Only the other process opens the store: file systems are kept, with the server they had.
    access = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
              "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id="nobody", aws_secret_access_key="nothing",
    )  # fmt: skip
    client.create_bucket(Bucket="viewing")
    folder = looked_at.recording.location.path
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"set.zarr/{path.relative_to(folder).as_posix()}"
            client.upload_file(str(path), "viewing", key)
    process = start("s3://viewing/set.zarr", "--no-browser", **access,
                    AWS_ENDPOINT_URL=f"http://{host}:{port}")  # fmt: skip
    try:
        page = Client(re.search(r"http\S+", process.stdout.readline())[0])
        found = page.array("/api/frames?sequence=1&layer=velocity&first=50&count=2")
        wanted = looked_at.recording.tvi(1, time=slice(50, 52))
        np.testing.assert_array_equal(found, wanted)
        assert page.get("/api/state").status == 200
        assert len(page.json("/api/units")[0]) == 4
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        client.close()
        server.stop()


def test_no_browser_is_said_in_one_line(looked_at):
    process = start(looked_at.recording.location, PATH="", BROWSER="", DISPLAY="")
    try:
        lines = [process.stdout.readline() for _ in range(3)]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert lines[0].startswith("Look at http://127.0.0.1:")
    assert lines[1].startswith("No browser was found here: open the address in one.")
    assert lines[2] == "Ctrl-C ends it.\n"


def test_a_port_in_use_is_said_in_one_line(musim, looked_at):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = musim("view", looked_at.recording.location, "--port", port, "--no-browser")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"Error: port {port}: is in use, wanted a free one; choose another --port, or none for "
        "any\n"
    )


def test_a_port_is_taken_as_it_is_given(looked_at):
    one = serving.bound(0)
    port = one.getsockname()[1]
    assert one.getsockname()[0] == "127.0.0.1"
    one.close()
    process = start(looked_at.recording.location, "--port", port, "--no-browser")
    try:
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_an_unfinished_store_is_said_in_one_line(musim, looked_at, tmp_path):
    from shutil import copytree

    place = copytree(looked_at.recording.location.path, tmp_path / "begun.zarr")
    (place / ROOT).unlink()
    done = musim("view", place, "--no-browser")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "found an unfinished store" in done.err
    assert "--resume" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.zarr"], ["nothing.zarr: found nothing there, wanted a musim store"]),
        (["{recording}", "--sequence", "7"], ["found --sequence 7, wanted 0 to 1"]),
        (["{recording}", "--frame", "300"], ["found --frame 300, wanted 0 to 299"]),
        ([], ["Missing argument"]),
    ],
)
def test_wrong_input_is_one_line(musim, looked_at, arguments, words):
    given = [one.format(recording=looked_at.recording.location) for one in arguments]
    done = musim("view", *given)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert all(word in done.err for word in words), done.err


def test_ending_does_not_wait_for_what_nobody_reads(monkeypatch):
    ended, held = [], threading.Event()
    reader = threading.Thread(target=held.wait, name=f"{serving.READER}_9")
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(serving, "PATIENCE", 0.05)
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.current_thread(), reader])
    reader.start()
    serving.leave()
    assert ended == [0]
    held.set()
    reader.join()
    serving.leave()
    assert ended == [0]
