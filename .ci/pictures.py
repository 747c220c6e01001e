#!/usr/bin/env python3
"""pictures.py FOLDER: makes pictures of the pages FOLDER/*.html with Chromium, for a person to look at.

Of each page it makes NAME.png, as on a screen, and NAME-a4-1.png and so on, as on grey paper. It fails if a picture is blank, if something is
wider than the screen or the paper, or if a page with a name that ends in `-ordinary` needs more than one sheet of A4 or letter paper.
"""

import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

SCREEN, TELEPHONE = 800, 380
# How many pixels are between the margins of the paper.
PAPERS = {"A4": 703, "letter": 725}
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
# The page allows no script, so that its copy may have one in place of this.
POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
MEASURE = """<script>addEventListener("load", () => {
    const right = Math.max(...Array.from(document.body.querySelectorAll("*"), one => one.getBoundingClientRect().right));
    document.documentElement.dataset.wide = Math.ceil(Math.max(right, document.documentElement.scrollWidth));
})</script>"""


def main(folder):
    pages = sorted(folder.glob("*.html"))
    work = folder / "work"
    work.mkdir(exist_ok=True)
    problems = [] if pages else ["there is no page"]
    for page in pages:
        found = list(judge(page, work))
        print(f"{page.stem}: {'; '.join(found) or 'as it should be'}")
        problems += found
    sys.exit(bool(problems))


def judge(page, work):
    html = page.read_text()
    name = page.stem
    screen = page.with_suffix(".png")
    chromium(page, f"--screenshot={screen}", f"--window-size={SCREEN},1300")
    if is_blank(png(screen)):
        yield f"{screen.name} is blank"
    for width in (TELEPHONE, SCREEN, *PAPERS.values()):
        wide = measured(html, work / f"{name}.html", width)
        if wide > width:
            yield f"{wide} pixels wide on {width}"
    for paper in PAPERS:
        sheets = printed(html, paper, work / f"{name}-{paper.lower()}")
        print(f"    {name}: {sheets} of {paper}")
        if sheets != 1 and name.endswith("-ordinary"):
            yield f"{sheets} sheets of {paper}"
    run("pdftoppm", "-gray", "-r", "80", "-png", work / f"{name}-a4.pdf", page.parent / f"{name}-a4")
    first = min(page.parent.glob(f"{name}-a4-*.png"))
    if is_blank(png(first)):
        yield f"{first.name} is blank"


def measured(html, copy, width):
    """How many pixels the widest thing reaches to the right, on a screen of this width."""
    # A window of headless Chromium is at least 500 wide, so the page is in a frame.
    copy.write_text(POLICY.sub(MEASURE, html))
    frame = copy.with_name("frame.html")
    frame.write_text(f"""<!doctype html><body style="margin:0"><iframe src="{copy.name}" width="{width}" height="1300" style="border:0"></iframe><script>
        addEventListener("load", () => {{ document.documentElement.dataset.wide = frames[0].document.documentElement.dataset.wide; }})</script>""")
    dom = chromium(frame, "--dump-dom", "--allow-file-access-from-files", "--window-size=1000,1400")
    return int(re.search(r'data-wide="(\d+)"', dom).group(1))


def printed(html, paper, stem):
    """How many sheets it takes."""
    copy = stem.with_suffix(".html")
    copy.write_text(html.replace("</head>", f"<style>@page{{size:{paper}}}</style></head>"))
    chromium(copy, "--no-pdf-header-footer", f"--print-to-pdf={stem.with_suffix('.pdf')}")
    return int(re.search(r"Pages:\s+(\d+)", run("pdfinfo", stem.with_suffix(".pdf"))).group(1))


def png(path):
    """The bytes of a picture, not yet of its pixels."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    return zlib.decompress(packed)


def is_blank(picture):
    """One colour has two or three different bytes, however it is filtered."""
    return len(set(picture)) < 16


def chromium(page, *options):
    return run(*CHROMIUM, *options, page.resolve().as_uri())


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
