"""The page of a listening test in a browser; skipped where there is no Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, started, wait
from conftest import built_once

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.listening.answers import read_answers, read_file

pytestmark = pytest.mark.slow  # a browser takes seconds to start


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(shared: Path, environment: dict[str, str], tunes_data: Path) -> Path:
    """A test of one melody of each emotion, and of one real one of those that the data have."""
    test = f"emomelody evaluate --listening-test out/test.html -n 1 -m base --data {tunes_data}"
    return built_once(f"mkdir out && {test}", "out", shared / "listening", environment) / "test.html"


def forget(browser: Browser) -> None:
    browser.run("localStorage.clear()")


def choose(browser: Browser, name: str, value: Any) -> None:
    browser.one(f'.{name} input[value="{json.dumps(value).strip(chr(34))}"]').click()


def answer(browser: Browser, emotion: str, point: tuple[float, float], musical: int, human: bool) -> None:
    """Listen to the melody, and answer the four questions."""
    browser.one(".play").click()
    browser.one(".play").click()
    choose(browser, "emotion", emotion)
    left, top, width, _ = browser.box(browser.one(".plane"))
    browser.run("arguments[0].scrollIntoView({block: 'center'})", browser.one(".plane"))
    left, top, width, _ = browser.box(browser.one(".plane"))
    at = left + width * (0.5 + point[0] / 2.32), top + width * (0.5 - point[1] / 2.32)
    browser.mouse("Pressed", at)
    browser.mouse("Released", at, buttons=0)
    choose(browser, "musical", musical)
    choose(browser, "human", human)


def saved_answers(browser: Browser) -> Path:
    browser.one(".save").click()
    (path,) = wait(lambda: [*browser.downloads.glob("answers-*.json")])
    wait(lambda: path.stat().st_size)
    return path


def test_answers_come_back_as_they_were_given(browser: Browser, page: Path) -> None:
    browser.open(page)
    forget(browser)
    browser.open(page)
    count = int(browser.one(".total").text)
    assert not browser.one(".trial").is_displayed()
    browser.one(".begin").click()
    given = []
    for number in range(count):
        assert browser.one(".number").text == f"Melody {number + 1} of {count}"
        assert not browser.one(".next").is_enabled()
        emotion = [*Emotion][number % 4].title
        point = (0.5 - 0.1 * number, 0.2 * number - 0.6)
        given.append((emotion, point, number % 7 + 1, number % 2 == 0))
        answer(browser, *given[-1])
        assert browser.one(".missing").text == ""
        if number == 1:  # a pause: the browser is closed, and opened again
            browser.open(page)
            assert browser.one(".number").text == f"Melody 2 of {count}"
            browser.one(".back").click()
            assert browser.one(f'.emotion input[value="{given[0][0]}"]').is_selected()
            browser.one(".next").click()
            half = saved_answers(browser)
            assert len(read_file(half).answers) == 2 < read_file(half).total == count
            half.unlink()
            assert not browser.one(".back").is_enabled()  # the file says where the melodies are from
        browser.one(".next").click()
    assert "Thank you" in browser.one(".end").text
    browser.one(".review").click()  # the last answers can still be changed
    choose(browser, "musical", 7)
    given[-1] = (*given[-1][:2], 7, given[-1][3])
    browser.one(".next").click()
    assert not browser.one(".another").is_enabled()
    path = saved_answers(browser)
    (file,) = read_answers(browser.downloads).files
    assert file.finished
    for (emotion, point, musical, human), found in zip(given, file.answers, strict=True):
        assert (found.emotion.title, found.musical, found.human) == (emotion, musical, human)
        assert (found.valence, found.arousal) == pytest.approx(point, abs=0.02)
    assert {a.stimulus.system for a in file.answers} <= {"base", "real"}
    generated = [a.stimulus for a in file.answers if a.stimulus.system == "base"]
    assert sorted(s.requested.code for s in generated) == ["e1", "e2", "e3", "e4"]
    assert all(s.point and Emotion.at(*s.point) is s.requested for s in generated)
    assert browser.complaints() == []
    path.unlink()
    assert not browser.one(".review").is_enabled()
    browser.one(".another").click()
    assert browser.one(".begin").is_displayed()
    browser.one(".begin").click()
    assert not browser.all(".trial input:checked")


def test_listeners_hear_melodies_blind_and_each_in_another_order(browser: Browser, page: Path) -> None:
    orders: set[tuple[float, ...]] = set()  # each time, the first melody is one of five
    for _ in range(20):
        browser.open(page)
        forget(browser)
        browser.open(page)
        browser.one(".begin").click()
        text = browser.one("body").text + str(browser.run("return document.querySelector('.test').outerHTML"))
        assert "base" not in text
        source = page.read_text()
        assert '"system"' not in source
        assert '"predicted"' not in source
        played = "window.rates = []; const F = OscillatorNode; window.OscillatorNode = function (c, o) {"
        browser.run(played + " window.rates.push(o.frequency); return new F(c, o); };")
        browser.one(".play").click()
        wait(lambda: browser.level() > 0.01)
        orders.add(tuple(browser.run("return window.rates.slice(0, 12)")))
        browser.one(".play").click()
        wait(lambda: browser.one(".play").text == "Play")
        if len(orders) > 1:
            break
    assert len(orders) > 1
    assert [url for url in browser.requests() if not url.startswith(("data:", "blob:", "file:"))] == []
    assert browser.complaints() == []


def test_the_keyboard_is_enough(browser: Browser, page: Path) -> None:
    browser.open(page)
    forget(browser)
    browser.open(page)
    tab, space, right, up = "\ue004", " ", "\ue014", "\ue013"
    browser.driver.switch_to.active_element.send_keys(tab, space)  # Begin
    keys = (tab, space, tab, space, tab, up, up, right, tab, space, tab, space, tab)
    for key in keys:
        browser.driver.switch_to.active_element.send_keys(key)
    assert browser.one(".placed").text == "10 % positive, 20 % excited"
    assert browser.one(".missing").text == ""
    assert browser.one(".next").is_enabled()


def test_what_the_browser_has_kept_may_be_damaged(browser: Browser, page: Path) -> None:
    test = json.loads(page.read_text().split('id="test">')[1].split("</script>")[0])["test"]
    for kept in ("{}", "null", "nonsense", '{"listener":"a","answers":null,"locked":0,"at":0}'):
        browser.open(page)
        browser.run("localStorage.setItem(arguments[0], arguments[1])", f"emomelody-{test}", kept)
        browser.open(page)
        assert browser.one(".begin").is_displayed()
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_fits(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width)
    forget(browser)
    browser.open(page, width)
    browser.one(".begin").click()
    assert browser.run("return document.documentElement.scrollWidth") <= width
