"""The chorales and folk tunes in the user's cache, which evaluate builds where there is no data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import emomelody
from emomelody.cli.inputs import evaluation_data
from emomelody.data import manifest, sources
from emomelody.music.meter import Meter
from emomelody.music.style import Style


def test_evaluation_data_are_built_into_the_cache_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = sources.chorale_sources()[:12]  # all of them take half a minute
    monkeypatch.setattr(sources, "chorale_sources", lambda: some)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    first = evaluation_data(None, "first")
    folder = tmp_path / "cache" / "emomelody" / f"chorales-first-{emomelody.__version__}"
    assert f"building the chorales once, into {folder}" in " ".join(capsys.readouterr().err.split())
    assert len(first)
    assert {row.arousal_by for row in manifest.read(folder / manifest.NAME)} == {"notes"}
    assert {path.parent.parent for path in first.files} == {folder}
    monkeypatch.setattr(sources, "chorale_sources", list)  # nothing is built a second time
    assert (evaluation_data(None, "first").tokens == first.tokens).all()
    assert capsys.readouterr().err == ""


def test_folk_tunes_are_built_with_the_chorales(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that their tunes have the numbers of data for training on both."""
    chorales, tunes = sources.chorale_sources()[:6], sources.folk_sources()[:12]
    monkeypatch.setattr(sources, "chorale_sources", lambda: chorales)
    monkeypatch.setattr(sources, "folk_sources", lambda: tunes)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folk = evaluation_data(None, "first", Style.FOLK)
    folder = tmp_path / "cache" / "emomelody" / f"chorales-and-folk-{emomelody.__version__}"
    noted = " ".join(capsys.readouterr().err.split())
    assert f"building the chorales and folk tunes once, into {folder}" in noted
    assert folk.style is Style.FOLK
    assert folk.tunes.min() > 0
    jigs = evaluation_data(None, "first", meter=Meter.SIX_EIGHT)
    assert (jigs.name, capsys.readouterr().err) == ("folk 6/8", "")
    shutil.copytree(folder, tmp_path / "data")
    assert {path.parent.parent for path in evaluation_data(None, style=Style.FOLK).files} == {Path("data")}
