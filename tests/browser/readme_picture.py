"""Writes README's picture, the Fund page of the fund that runs, in both colour schemes, to docs/images."""

import base64
from pathlib import Path

from browser.fund_pages import RunningFund
from browser.visits import Scheme, launch_chromium, open_page
from playwright.sync_api import Browser

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# Chromium writes screenshots as PNG, which is three times as large
AS_WEBP = """async (png) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: picture.width, height: picture.height});
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.85).split(",")[1];
}"""


def take_picture(browser: Browser, fund: RunningFund, scheme: Scheme) -> bytes:
    """What a visitor sees first, as WebP."""
    with open_page(browser, scheme=scheme) as page:
        page.goto(fund.address("/"), wait_until="networkidle")
        png = base64.b64encode(page.screenshot()).decode()
    with open_page(browser) as page:
        return base64.b64decode(page.evaluate(AS_WEBP, png))


def main() -> None:
    """Take both."""
    fund = RunningFund.from_environment()
    with launch_chromium() as browser:
        for scheme in Scheme:
            (IMAGES / f"fund-{scheme}.webp").write_bytes(take_picture(browser, fund, scheme))


if __name__ == "__main__":
    main()
