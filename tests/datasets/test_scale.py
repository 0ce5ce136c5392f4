import functools
import http.server
import logging
import os
import socket
import threading
import time
import zlib

import dask.config
import distributed
import fsspec
import numpy as np
import pytest
import xarray as xr
from moto.server import ThreadedMotoServer

from musim.datasets import open_store, parallel, verify
from musim.datasets.location import Location
from musim.datasets.parallel import open_workers
from musim.datasets.store_files import ROOT
from musim.simulator import FailureError, InputError

pytestmark = pytest.mark.timeout(120)


# A dask cluster


@pytest.fixture(scope="module")
def cluster(start_cluster):
    """Address of a scheduler with two workers."""
    return start_cluster()[0]


def test_a_cluster_makes_the_same_files(make, cluster, tmp_path, tree, assert_same_files, dense):
    seen = []
    make(
        tmp_path / "set.zarr",
        scheduler=cluster,
        on_progress=lambda *numbers: seen.append(numbers),
    )
    assert_same_files(tmp_path / "set.zarr", dense.location.path)
    assert seen[0] == (0, 5)
    assert seen[-1] == (5, 5)
    assert len(seen) == 3


def test_a_cluster_resumes_what_was_begun_here(make, cluster, copy, dense, assert_same_files):
    folder = copy(dense)
    for name in (ROOT, ".musim/parts/000000.json"):
        (folder / name).unlink()
    make(folder, scheduler=cluster, resume=True)
    assert_same_files(folder, dense.location.path)


def test_workers_elsewhere_write_to_the_folder_that_was_meant(
    make, cluster, tmp_path, monkeypatch, assert_same_files, dense
):
    # The workers' own folder is another one.
    monkeypatch.chdir(tmp_path)
    make("set.zarr", scheduler=cluster)
    assert_same_files(tmp_path / "set.zarr", dense.location.path)


def test_a_dataset_is_computed_on_a_cluster(cluster, rendered):
    with distributed.Client(cluster, set_as_default=False) as client:
        found = client.compute(rendered.dataset["tvi"]).result()
    np.testing.assert_array_equal(found[4], rendered.tvi(4))


def test_an_error_on_a_cluster_arrives_as_it_was(cluster, fails):
    with (
        fails(InputError, "unheard://a", "wanted a path or an fsspec URL"),
        open_workers(scheduler=cluster) as run,
    ):
        run(Location, [("unheard://a",)] * 3, lambda: None)


def test_memory_is_no_place_for_a_cluster(make, cluster, memory, fails):
    with fails(InputError, "memory://set.zarr", "workers"):
        make(memory("set"), scheduler=cluster)
    assert not fsspec.filesystem("memory").exists("set.zarr")


def test_a_module_that_workers_lack_is_a_failure_that_says_so(
    cluster, tmp_path, monkeypatch, fails
):
    (tmp_path / "only_here.py").write_text("def work():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    with (
        fails(FailureError, "only_here", "install musim"),
        open_workers(scheduler=cluster) as run,
    ):
        run(only_here.work, [(), ()], lambda: None)


def test_a_scheduler_that_nobody_is_at_is_refused_and_leaves_nothing(
    make, tmp_path, monkeypatch, fails, copy, dense, tree
):
    monkeypatch.setattr(parallel, "CONNECT_SECONDS", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    before = time.monotonic()
    with fails(InputError, address, "nobody", "within 1 s", "dask scheduler"):
        make(tmp_path / "set.zarr", scheduler=address)
    assert time.monotonic() - before < 10
    assert not (tmp_path / "set.zarr").exists()
    folder = copy(dense)
    held = tree(folder)
    with fails(InputError, address, "nobody"):
        make(folder, scheduler=address, overwrite=True)
    assert tree(folder) == held


def test_something_silent_at_the_address_is_refused(make, tmp_path, monkeypatch, fails):
    monkeypatch.setattr(parallel, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with fails(InputError, address, "wanted a running dask scheduler"):
            make(tmp_path / "set.zarr", scheduler=address)
    assert not (tmp_path / "set.zarr").exists()


def test_a_cluster_survives_one_worker_and_its_loss_is_a_failure(
    make, start_cluster, tmp_path, fails, assert_same_files
):
    address, scheduler, workers = start_cluster()
    options = {"sequences": 30, "part_size": 1, "kind": "rendered"}
    make(tmp_path / "whole.zarr", **options)

    def kill(process):
        return lambda done, total: process.kill() if done == 5 else None

    make(tmp_path / "one.zarr", scheduler=address, on_progress=kill(workers[0]), **options)
    assert_same_files(tmp_path / "one.zarr", tmp_path / "whole.zarr")
    out = tmp_path / "two.zarr"
    with fails(FailureError, address, "`resume=True`"):
        make(out, scheduler=address, on_progress=kill(scheduler), **options)
    with fails(InputError, "unfinished"):
        open_store(out)
    make(out, resume=True, **options)
    assert_same_files(out, tmp_path / "whole.zarr")


def test_a_task_that_kills_its_workers_is_a_failure(start_cluster, fails):
    address, _, _ = start_cluster(1, DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0)
    with (
        fails(FailureError, address, "a worker", "died", "`resume=True`"),
        open_workers(scheduler=address) as run,
    ):
        run(os._exit, [(1,)], lambda: None)


def test_a_cluster_may_be_encrypted(start_cluster, tmp_path):
    # The keys come from dask's configuration, here as there.
    keys = distributed.Security.temporary()
    files = {"ca-file": keys.tls_ca_file}
    for role in ("client", "scheduler", "worker"):
        files[f"{role}.cert"] = getattr(keys, f"tls_{role}_cert")
        files[f"{role}.key"] = getattr(keys, f"tls_{role}_key")
    settings = {}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        settings[f"distributed.comm.tls.{name}"] = str(tmp_path / name)
    variables = {
        name.upper().replace(".", "__").replace("-", "_"): file for name, file in settings.items()
    }
    address, _, _ = start_cluster(1, protocol="tls", **variables)
    assert address.startswith("tls://")
    with dask.config.set(settings), open_workers(scheduler=address) as run:
        run(os.mkdir, [(str(tmp_path / "made"),)], lambda: None)
    assert (tmp_path / "made").is_dir()


# An object store


@pytest.fixture(scope="module")
def server():
    """Start an S3 server; credentials and endpoint come from the environment, as a user's do."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Those that are kept know an earlier server's port.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    server.stop()


@pytest.fixture
def bucket(server, request):
    """URL of an empty bucket."""
    name = f"bucket-{zlib.crc32(request.node.name.encode())}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


def objects(url):
    """Return all objects below a URL: relative key to content."""
    system, root = fsspec.url_to_fs(url, use_listings_cache=False)
    return {key.removeprefix(f"{root}/"): system.cat_file(key) for key in system.find(root)}


def test_an_object_store_holds_the_same_bytes(make, bucket, tree, dense, fails):
    url = f"{bucket}/sets/set.zarr"
    with fails(InputError, url, "found nothing"):
        open_store(url)
    make(url, workers=2, pool="threads")
    assert objects(url) == tree(dense.location.path)
    opened = verify(url, remake=2)
    np.testing.assert_array_equal(opened.tvi(4), dense.tvi(4))
    np.testing.assert_array_equal(opened.dataset["tvi"].compute(), dense.dataset["tvi"])
    xr.testing.assert_identical(
        xr.open_zarr(url)["firing_rate"].compute(),
        xr.open_zarr(dense.location.path)["firing_rate"].compute(),
    )


def test_processes_write_to_an_object_store(make, bucket, tree, rendered, fresh_processes):
    make(f"{bucket}/set.zarr", kind="rendered", workers=2, pool="processes")
    assert objects(f"{bucket}/set.zarr") == tree(rendered.location.path)


def test_a_store_in_an_object_store_is_kept_resumed_and_replaced(make, bucket, tree, dense, fails):
    url = f"{bucket}/set.zarr"
    make(url)
    with fails(InputError, url, "found a store there", "`overwrite=True`"):
        make(url)
    system, root = fsspec.url_to_fs(url, use_listings_cache=False)
    system.rm([f"{root}/{ROOT}", f"{root}/.musim/parts/000001.json", f"{root}/tvi/c.3.0.0.0"])
    with fails(InputError, url, "unfinished", "1 of 2 parts"):
        open_store(url)
    make(url, resume=True)
    assert objects(url) == tree(dense.location.path)
    make(url, sequences=2, part_size=1, kind="rendered", overwrite=True)
    assert not [key for key in objects(url) if key.startswith("tvi/")]
    verify(url, remake=2)


def test_damage_in_an_object_store_is_found(make, bucket, fails):
    url = f"{bucket}/set.zarr"
    make(url)
    system, root = fsspec.url_to_fs(url, use_listings_cache=False)
    content = bytearray(system.cat_file(f"{root}/tvi/c.4.0.0.0"))
    content[7] ^= 1
    system.pipe_file(f"{root}/tvi/c.4.0.0.0", bytes(content))
    system.rm(f"{root}/tvi/c.1.0.0.0")
    opened = open_store(url)
    with fails(FailureError, url, "part 1", "tvi/c.4.0.0.0"):
        opened.tvi(4)
    with fails(FailureError, url, "part 0", "tvi/c.1.0.0.0"):
        opened.tvi(1)
    with fails(FailureError, "tvi/c.1.0.0.0 is missing", "tvi/c.4.0.0.0 is altered"):
        verify(url)


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_objects_of_others_are_never_removed(make, bucket, fails, options):
    system, root = fsspec.url_to_fs(f"{bucket}/set.zarr", use_listings_cache=False)
    system.pipe_file(f"{root}/notes.txt", b"mine")
    with fails(InputError, f"{bucket}/set.zarr", "not a musim store"):
        make(f"{bucket}/set.zarr", **options)
    assert objects(bucket).popitem()[1] == b"mine"


def test_a_bucket_that_is_not_there_is_reported(make, bucket, fails):
    url = f"{bucket}-of-nobody/set.zarr"
    with fails(InputError, url, "bucket does not exist"):
        make(url)


def test_access_that_is_denied_is_reported(make, bucket, monkeypatch, fails):
    def denied(*_, **__):
        raise PermissionError("Access Denied")  # as s3fs says it: without a number

    monkeypatch.setattr(Location(bucket).system, "pipe_file", denied)
    with fails(InputError, bucket, "Access Denied", "another location"):
        make(f"{bucket}/set.zarr")


def test_an_endpoint_that_does_not_answer_is_a_failure(make, bucket, monkeypatch, fails):
    def silent(*_, **__):
        raise OSError("Could not connect to the endpoint URL\n(several lines)")

    monkeypatch.setattr(Location(bucket).system, "exists", silent)
    with fails(FailureError, f"{bucket}/set.zarr", "cannot be reached", "Could not connect"):
        make(f"{bucket}/set.zarr")


# A web server


def test_a_store_is_read_from_a_web_server(dense, fails):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=dense.location.path.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/set.zarr"
        opened = verify(url)
        np.testing.assert_array_equal(opened.tvi(4), dense.tvi(4))
        with fails(InputError, "found nothing"):
            open_store(f"{url}x")
        server.shutdown()
