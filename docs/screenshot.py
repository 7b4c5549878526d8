"""Take the picture of docs/explore.md: `python -m docs.screenshot`, which needs chromium and chromedriver."""

import base64
import io
import tempfile
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from arrayaudio.ext.explore import explore
from docs.pictures import colours

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1000, 900
SCRIPT = """
document.querySelector("[name=family][value=CQT]").click();
document.getElementById("audio").currentTime = 1.7;
const range = document.getElementById("range");
range.value = 60;
range.dispatchEvent(new Event("input"));
"""


def main() -> None:
    """Show five seconds of guitar as constant-Q transform, and write what is on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "guitar.html"
        explore(HERE / "audio" / "guitar.flac", out=page, seconds=5)
        options = webdriver.ChromeOptions()
        for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1.25, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get(page.as_uri())
            driver.execute_script(SCRIPT)
            time.sleep(2)
            surface = driver.find_element(By.ID, "surface")
            ActionChains(driver).move_to_element_with_offset(surface, -120, 78).perform()
            shot = base64.b64decode(driver.get_screenshot_as_base64())
        finally:
            driver.quit()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.quantize(palette=colours(("magma",)), dither=Image.Dither.NONE).save(
        HERE / "pictures" / "explore.png", optimize=True
    )


if __name__ == "__main__":
    main()
