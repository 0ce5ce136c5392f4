"""``musim methods``: what each does, assumes and can be set to."""

import json

from musim.training.identification.methods import METHODS


def test_all_methods_are_told(musim):
    done = musim("methods")
    assert done.code == 0, done.err
    for name in METHODS:
        assert name in done.out


def test_one_method_is_told_with_its_settings(musim):
    done = musim("methods", "stica")
    words = " ".join(done.out.split())
    assert "What it assumes:" in words
    assert "doi:10.1006/nimg.2001.0986" in words
    assert "window 20 px Side of the square windows" in words
    assert (
        "It is given runs of musim train detect and twitch (--run)."
        in musim("methods", "network").out
    )
    assert "It is given the truth." in musim("methods", "oracle-trains").out
    shown = json.loads(musim("methods", "stica", "--json").out)["methods"]
    settings = {one["name"]: one["default"] for one in shown[0]["settings"]}
    assert settings["components"] == 25
    assert musim("methods", "pca").code == 2


def test_published_methods_say_what_they_do_and_assume():
    for method in METHODS.values():
        if method.settings is not None:
            for part in ("What it does:", "What it assumes:", "leave", "Ranges:", "doi:"):
                assert part in method.page, (method.name, part)
