"""The player in a browser: what it shows, plays and saves; skipped where there is no Chromium."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import pytest
from browser import Browser, started, wait
from conftest import Run, built_once, checked
from numpy.typing import NDArray
from pieces import under_each_bar
from scipy.io import wavfile

from emomelody.emotions.emotion import Emotion
from emomelody.formats import midi
from emomelody.formats.page.player import player_page
from emomelody.music.chords import Chord, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import PLAIN

pytestmark = pytest.mark.slow  # a browser takes seconds to start
EMOTIONS = "-e happy -e angry -e sad -e relaxed"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(shared: Path, environment: dict[str, str]) -> Path:
    """A page of two melodies of each emotion, with their MIDI files and samples.json beside it."""
    line = f"emomelody sample {EMOTIONS} -n 2 --seed 3 --format mid,html -o out"
    return built_once(line, "out", shared / "page", environment) / "happy-angry-sad-relaxed-s3.html"


def samples_of(page: Path) -> list[dict[str, Any]]:
    """The entries of samples.json, in the order of the page."""
    runs = json.loads((page.parent / "samples.json").read_text())["runs"]
    return [sample for run in runs for sample in run["samples"]]


def mido_notes(path: Path) -> list[Any]:
    return [m for m in mido.MidiFile(path) if m.type == "note_on" and m.velocity]


def chosen(browser: Browser) -> str:
    return str(browser.one(".name").text)


def test_the_page_shows_where_melodies_lie_and_chooses_them(browser: Browser, page: Path) -> None:
    browser.open(page)
    entries = samples_of(page)
    names = [entry["files"][0].removesuffix(".mid") for entry in entries]
    points = browser.run(
        "return [...document.querySelectorAll('.point')]"
        ".map((p) => [p.cx.baseVal.value, -p.cy.baseVal.value, p.classList[1]])"
    )
    # In the order of drawing: the chosen one, the first, is above the others.
    expected = [(*entry["point"], entry["emotion"]) for entry in [*entries[1:], entries[0]]]
    for (x, y, emotion), (valence, arousal, requested) in zip(points, expected, strict=True):
        assert (x, y) == (pytest.approx(valence, abs=1e-3), pytest.approx(arousal, abs=1e-3))
        assert emotion == requested
    assert [item.text.split("\n")[0] for item in browser.all(".list li")] == names
    assert chosen(browser) == names[0]
    assert "C major · 4/4" in browser.one(".about").text
    assert len(browser.all(".roll .note")) == len(mido_notes(page.parent / f"{names[0]}.mid"))
    # By mouse and by touch, on the plane and in the list; by the keys. A click also plays.
    for touch, last in ((False, 5), (True, 6)):
        point = browser.all(".point")[2]
        x, y = browser.centre(point)
        if touch:
            browser.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
            browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        else:
            browser.mouse("Pressed", (x, y))
            browser.mouse("Released", (x, y))
        assert "chosen" in point.get_attribute("class")
        assert browser.one(".play").text == "Pause"
        browser.one(".play").click()
        browser.all(".list li")[last].click()
        assert chosen(browser) == names[last]
        browser.one(".play").click()
    listed = browser.one(".list")
    listed.send_keys("\ue013\ue013")  # up
    assert chosen(browser) == names[4]
    assert browser.one('.list [aria-selected="true"]').text.startswith(names[4])
    browser.one(".plane").send_keys("\ue014")  # right
    assert samples_of(page)[names.index(chosen(browser))]["point"][0] > entries[4]["point"][0]
    assert browser.complaints() == []


def test_the_page_makes_no_request(browser: Browser, page: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.html"
    shutil.copy(page, alone)
    browser.open(alone)
    browser.one(".play").click()
    wait(lambda: browser.level() > 0.01)
    browser.one(".play").click()
    others = [url for url in browser.requests() if not url.startswith(("data:", "blob:"))]
    assert others == [alone.as_uri()]
    fetch = "return fetch('https://example.org/').then(() => 'done', (error) => error.name)"
    assert browser.run(fetch) == "TypeError"
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_melodies_are_heard_with_a_cursor_and_stop(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.level() == 0
    browser.one(".plane").send_keys(" ")
    wait(lambda: browser.level() > 0.05)
    assert browser.one(".play").get_attribute("aria-pressed") == "true"
    first = wait(lambda: browser.one(".cursor").get_attribute("d"))
    wait(lambda: browser.one(".cursor").get_attribute("d") != first)
    assert browser.one(".status").text == f"Playing {chosen(browser)}"
    browser.one(".plane").send_keys(" ")
    assert browser.one(".play").text == "Play"
    wait(lambda: browser.level() < 1e-3)
    browser.one(".all").click()
    before = chosen(browser)
    browser.change(".position", 990)
    wait(lambda: chosen(browser) != before)  # the next one follows
    browser.one(".all").click(), browser.one(".play").click()
    assert browser.complaints() == []


def test_files_are_those_of_the_command(browser: Browser, page: Path) -> None:
    browser.open(page)
    names = [item.text.split("\n")[0] for item in browser.all(".list li")]
    browser.all(".list li")[3].click()
    browser.one(".play").click()
    expected = (page.parent / f"{names[3]}.mid").read_bytes()
    assert browser.saved(".save-midi", f"{names[3]}.mid") == expected
    archive = zipfile.ZipFile(io.BytesIO(browser.saved(".save-midis", "melodies-mid.zip")))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        f"{name}.mid": (page.parent / f"{name}.mid").read_bytes() for name in names
    }


def strength(sound: NDArray[np.float64], rate: int, pitch: float, start: float, length: float) -> float:
    """The amplitude of a pitch's fundamental in a part of a sound."""
    part = sound[max(0, round(start * rate)) : round((start + length) * rate)]
    wave = np.exp(-2j * np.pi * 440 * 2 ** ((pitch - 69) / 12) * np.arange(len(part)) / rate)
    return float(2 * abs(np.hanning(len(part)) * part @ wave) / max(1, len(part)))


@pytest.mark.parametrize(("semitones", "tempo"), [(0, 100), (-5, 60)])
def test_the_sound_has_the_notes_of_the_midi_file(
    browser: Browser, page: Path, semitones: int, tempo: int
) -> None:
    """Each note begins to sound at its onset, at its pitch, in the file that Web Audio renders."""
    browser.open(page)
    browser.change(".key", semitones)
    browser.change(".tempo", tempo)
    name = chosen(browser)
    rate, samples = wavfile.read(io.BytesIO(browser.saved(".save-wav", f"{name}.wav")))
    sound = samples / 32768
    file = str(page.parent / f"{name}.mid")
    notes = pretty_midi.PrettyMIDI(file).instruments[0].notes
    assert len(sound) / rate == pytest.approx(mido.MidiFile(file).length * 100 / tempo + 1, abs=0.02)
    assert 0.05 < np.abs(sound).max() < 0.99
    for before, note in zip([None, *notes[:-1]], notes, strict=True):
        start, pitch = note.start * 100 / tempo, note.pitch + semitones
        level = strength(sound, rate, pitch, start, 0.1)
        # Louder than its neighbours, and than just before, if that was another note.
        assert level > 1.5 * max(strength(sound, rate, pitch + d, start, 0.1) for d in (-2, -1, 1, 2))
        if before and before.pitch != note.pitch:
            assert level > 3 * strength(sound, rate, pitch, start - 0.11, 0.1)
    assert browser.complaints() == []


def test_a_path_is_a_line_that_is_followed(browser: Browser, tmp_path: Path, run: Run) -> None:
    checked(run("sample", "--path", "sad@0 happy@4", "--bars", 8, "--seed", 1, "-o", "path.html"), 0)
    browser.open(tmp_path / "path.html")
    line = browser.one(".path").get_attribute("points").split()
    assert len(line) == 8
    assert "sad → " in browser.one(".about").text
    assert "C minor → C major" in browser.one(".about").text
    marker = browser.one(".marker")
    assert marker.get_attribute("visibility") == "hidden"
    browser.one(".play").click()
    wait(lambda: marker.get_attribute("visibility") == "visible")
    for share, end in ((10, line[0]), (990, line[-1])):
        browser.change(".position", share)
        place = [float(marker.get_attribute(name)) for name in ("cx", "cy")]
        assert place == pytest.approx([float(value) for value in end.split(",")], abs=0.25)
    browser.one(".play").click()
    colours = {note.get_attribute("class").split()[1] for note in browser.all(".roll .note")}
    assert {"sad", "happy"} <= colours
    assert browser.complaints() == []


def test_the_score_has_a_cursor(browser: Browser, page: Path) -> None:
    pytest.importorskip("verovio", reason="needs Verovio: pip install '.[score]'")
    browser.open(page)
    wait(lambda: browser.one(".score img").is_displayed())
    assert not browser.one(".score .at").is_displayed()
    left = []
    for share in (1, 300, 700):
        browser.change(".position", share)
        cursor, score = browser.box(browser.one(".score .at")), browser.box(browser.one(".score img"))
        assert score[0] < cursor[0] < score[0] + score[2]
        assert score[1] < cursor[1] < cursor[1] + cursor[3] < score[1] + score[3]
        left.append((round(cursor[1]), cursor[0]))  # by system, then from left to right
    assert left == sorted(left)
    assert len(set(left)) == 3
    assert browser.complaints() == []


def test_a_held_note_sounds_wherever_one_begins_to_listen(browser: Browser, tmp_path: Path) -> None:
    held = arrange(Melody((Note(0, 64, 60),), 64), title="held", emotion=Emotion.E1)
    path = tmp_path / "held.html"
    path.write_bytes(player_page([held], heading="held"))
    browser.open(path)
    browser.change(".position", 200)
    browser.one(".play").click()
    wait(lambda: browser.level() > 0.01)
    browser.change(".tempo", 50)
    wait(lambda: browser.level() > 0.01)
    browser.one(".play").click()


def test_names_of_chords_on_every_beat_are_readable(browser: Browser, tmp_path: Path) -> None:
    melody = Melody((Note(0, 128, 76),), 128)
    names = itertools.cycle(["F#m7", "Bb", "Bdim7"])
    chords = [TimedChord(step, 4, Chord.parse(next(names))) for step in range(0, 112, 4)]
    path = tmp_path / "close.html"
    close = arrange(melody, title="close", emotion=Emotion.E1, setting=PLAIN, chords=chords)
    path.write_bytes(player_page([close], heading="close"))
    browser.open(path)
    shown = browser.all(".chords span")
    assert len({name.value_of_css_property("top") for name in shown}) == 3
    cut = "return [...document.querySelectorAll('.chords span')].map((e) => e.scrollWidth - e.clientWidth)"
    assert set(browser.run(cut)) == {0}


@pytest.mark.parametrize("semitones", [0, 2])
def test_chords_are_seen_and_heard_with_their_melody(
    browser: Browser, tmp_path: Path, semitones: int
) -> None:
    melody = Melody((Note(0, 16, 76), Note(48, 16, 79)), 64)
    setting = replace(PLAIN, tonic="Bb", velocity=127)
    chords = under_each_bar(melody, "C", "F", "G7")
    held = arrange(
        melody, title="held", emotion=Emotion.E4, trajectory=[(0.5, -0.5)], setting=setting, chords=chords
    )
    path = tmp_path / "held.html"
    path.write_bytes(player_page([held, piece("alone")], heading="held"))
    browser.open(path)
    browser.change(".key", semitones)
    shown = [name.text for name in browser.all(".chords span")]
    assert shown == (["B♭", "E♭", "F7", "B♭"] if semitones == 0 else ["C", "F", "G7", "C"])
    assert len(browser.all(".roll .chord")) == len(held.accompaniment) == 16
    rate, samples = wavfile.read(io.BytesIO(browser.saved(".save-wav", "held.wav")))
    sound = samples / 32768
    assert 0.1 < np.abs(sound).max() < 0.99
    for start, end in ((2, 4), (4, 6)):  # the melody rests
        pitches = [n.note.pitch + semitones for n in held.accompaniment if n.note.onset == 8 * start]
        assert len(pitches) == 4
        assert min(strength(sound, rate, pitch, start + 0.1, 0.5) for pitch in pitches) > 0.005
        assert np.abs(sound[round(start * rate) : round(end * rate)]).max() > 0.03
    assert browser.saved(".save-midi", "held.mid") == midi.to_bytes(held)
    browser.all(".list li")[1].click()
    browser.one(".play").click()
    assert not browser.one(".chords").is_displayed()
    assert browser.all(".roll .chord") == []
    assert browser.complaints() == []


def test_the_report_has_a_player(browser: Browser, tmp_path: Path, run: Run, small_data: Path) -> None:
    checked(run("evaluate", "-m", "emoreg", "--data", small_data, "-n", 2, "--report", "report"), 0)
    browser.open(tmp_path / "report" / "report.html")
    assert len(browser.all(".list li")) == 4 * 2 * 3  # emotions, melodies, each beside two
    browser.one(".play").click()
    wait(lambda: browser.level() > 0.01)
    browser.one(".play").click()
    assert browser.complaints() == []


def piece(title: str) -> Piece:
    melody = Melody((Note(0, 4, 60), Note(4, 8, 64)), 64)
    return arrange(melody, title=title, emotion=Emotion.E1)


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\"'& <b>"]
)
def test_titles_are_text(browser: Browser, tmp_path: Path, title: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(player_page([piece(title)], heading=title, about=title, command=title))
    browser.open(path)
    assert browser.driver.title == title
    assert chosen(browser) == title == browser.one("h1").text == browser.one("code").text
    assert browser.all("img[src=x], b") == []
    assert browser.complaints() == []


def test_a_grid_is_played_by_dragging(browser: Browser, tmp_path: Path, run: Run) -> None:
    checked(run("sample", "--grid", "5", "--seed", "1", "--bars", "4", "-o", "grid.html"), 0)
    browser.open(tmp_path / "grid.html")
    assert len(browser.all(".point")) == 25
    left, top, width, _ = browser.box(browser.one(".plane"))

    def at(valence: float, arousal: float) -> tuple[float, float]:
        return left + width * (0.5 + valence / 2.32), top + width * (0.5 - arousal / 2.32)

    heard = []
    browser.mouse("Pressed", at(-1, -1))
    for valence in (-1, -0.5, 0, 0.5, 1):
        browser.mouse("Moved", at(valence, 1))
        heard.append(browser.one(".about").text.split(" at ")[1].split(" ·")[0])
        assert browser.one(".play").text == "Pause"
    browser.mouse("Released", at(1, 1), buttons=0)
    assert heard == ["-1.00, 1.00", "-0.50, 1.00", "0.00, 1.00", "0.50, 1.00", "1.00, 1.00"]
    browser.one(".play").click()
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width, prefers_color_scheme=scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    contrasts = browser.run(CONTRASTS)
    assert len(contrasts) > 20
    assert min(contrasts) >= 4.5  # WCAG 2, level AA
    unlabelled = browser.run(
        "return [...document.querySelectorAll('button, input, select')]"
        ".filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).length"
    )
    assert unlabelled == 0


# The contrast of all text with the nearest ground behind it.
CONTRASTS = """
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  const colour = getComputedStyle(e).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" && e.parentElement ? ground(e.parentElement) : colour;
};
return [...document.querySelectorAll("body *")]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
  .filter((e) => !["SCRIPT", "STYLE", "OPTION"].includes(e.tagName))
  .map((e) => {
    const style = getComputedStyle(e);
    const colour = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(colour), light(ground(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
"""


def test_a_page_of_a_hundred_melodies_and_scores_takes_at_most_a_megabyte(tmp_path: Path, run: Run) -> None:
    pytest.importorskip("verovio", reason="needs Verovio: pip install '.[score]'")
    checked(run("sample", "-e", "happy", "-n", 100, "--seed", "1", "-o", "page.html"), 0)
    assert (tmp_path / "page.html").stat().st_size <= 1_000_000
    assert '"packed":' in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_reduced_motion_moves_the_cursor_by_beats(browser: Browser, page: Path) -> None:
    browser.open(page, prefers_reduced_motion="reduce")
    browser.one(".play").click()
    wait(lambda: browser.level() > 0.01)
    places = {wait(lambda: browser.one(".cursor").get_attribute("d")) for _ in range(20)}
    browser.one(".play").click()
    assert all(float(place[1:].split()[0]) % 4 == 0 for place in places)
