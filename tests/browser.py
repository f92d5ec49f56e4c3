"""Headless Chromium for the tests of pages: what a page requests, logs, plays and downloads."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage"
)
# What goes to the loudspeakers also goes through an analyser.
LISTEN = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && !(this.context instanceof OfflineAudioContext)) {
    window.heard ??= new AnalyserNode(this.context, { fftSize: 32768 });
    connect.call(this, window.heard);
  }
  return connect.call(this, to, ...rest);
};
"""
LEVEL = """
if (!window.heard) return 0;
const samples = new Float32Array(window.heard.fftSize);
window.heard.getFloatTimeDomainData(samples);
return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
"""
Found = TypeVar("Found")


class Browser:
    """One window, with a folder for downloads."""

    def __init__(self, driver: Any, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        self.command("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def open(self, page: Path, width: int = 1200, **media: str) -> None:
        """Open a page from disk, in a window of this width, with these media features."""
        self.driver.get_log("browser"), self.driver.get_log("performance")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.command("Emulation.setEmulatedMedia", features=features)
        self.driver.get(page.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns."""
        return self.driver.execute_script(script, *arguments)

    def change(self, selector: str, value: float | str) -> None:
        """Give a slider or a choice a value, as a hand would."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.run(script, self.one(selector), value)

    def mouse(self, kind: str, point: tuple[float, float], buttons: int = 1) -> None:
        """Move the mouse to a point of the window, or press or release its left button there."""
        place = {"x": point[0], "y": point[1], "button": "left", "buttons": buttons, "clickCount": 1}
        self.command("Input.dispatchMouseEvent", type=f"mouse{kind}", **place)

    def box(self, element: Any) -> tuple[float, float, float, float]:
        """The left, top, width and height of an element in the window."""
        x, y, width, height = self.run(
            "const b = arguments[0].getBoundingClientRect(); return [b.x, b.y, b.width, b.height]", element
        )
        return x, y, width, height

    def centre(self, element: Any) -> tuple[float, float]:
        """The middle of an element in the window."""
        x, y, width, height = self.box(element)
        return x + width / 2, y + height / 2

    def all(self, selector: str) -> list[Any]:
        """The elements that a CSS selector finds."""
        return list(self.driver.find_elements("css selector", selector))

    def one(self, selector: str) -> Any:
        """The only element that a CSS selector finds."""
        (element,) = self.all(selector)
        return element

    def saved(self, button: str, name: str) -> bytes:
        """What a click on a button downloads."""
        (self.downloads / name).unlink(missing_ok=True)
        self.one(button).click()
        wait(lambda: (self.downloads / name).is_file())
        return (self.downloads / name).read_bytes()

    def level(self) -> float:
        """The largest amplitude of the last 0.7 seconds of sound."""
        return float(self.run(LEVEL))

    def requests(self) -> list[str]:
        """The addresses of all requests since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the page has logged to the console, and violations of its policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


def wait(condition: Callable[[], Found], seconds: float = 20) -> Found:
    """What a condition gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
    return found


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser that downloads into a folder; skips the test where Chromium or Selenium is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs Selenium: pip install selenium")
    if not (CHROMIUM and DRIVER):
        pytest.skip("needs Chromium: apt install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS.split(), f"--user-data-dir={folder / 'profile'}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        downloads = folder / "downloads"
        downloads.mkdir()
        yield Browser(driver, downloads)
    finally:
        driver.quit()
