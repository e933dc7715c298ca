"""What the site does beyond mkdocs: README is its home, links out of docs/ lead somewhere, and nothing is loaded from
the net.

A link in a page is written as the repository needs it. Where it leaves docs/, the file it names is put into the site
under the path that it has in the repository, and the link is turned to it.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
HOME = "README.md"
ALSO = ("CHANGELOG.md", "CONTRIBUTING.md")
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)")
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|embed|object|link(?![^>]*"canonical"))\b[^>]*?\s(?:src|href|data)=["']?(?:https?:)?//[^\s>]*"""
    r"""|(?:url\(|@import)\s*["']?(?:https?:)?//[^\s);]*"""
)


def place_of(page: str) -> str:
    """Where a page of the site lies in the repository."""
    return HOME if page == "index.md" else page if page in ALSO else f"docs/{page}"


def target_of(page: str, link: str) -> str:
    """The page or file of the site that a link means, or "" if it means no file of the repository."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place_of(page)), link))
    if path.startswith("..") or not (ROOT / path).is_file():
        return ""
    return "index.md" if path == HOME else path.removeprefix("docs/")


def on_files(files, config):
    outside = {"index.md": HOME, **{name: name for name in ALSO}}
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    texts |= {page: (ROOT / path).read_text("utf-8") for page, path in outside.items()}
    for page, text in texts.items():
        linked = {target_of(page, link) for link in LINK.findall(text)} - {""}
        outside |= {path: path for path in linked if path not in outside and not (ROOT / "docs" / path).is_file()}
    for page, path in outside.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, **_):
    here = page.file.src_uri

    def turned(link):
        target = target_of(here, link[0])
        return os.path.relpath(target, posixpath.dirname(here) or ".").replace(os.sep, "/") if target else link[0]

    return LINK.sub(turned, markdown)


def on_post_build(config):
    """A page that loads anything from the net tells somebody that it is read."""
    for path in sorted(Path(config.site_dir).rglob("*")):
        if path.suffix in (".html", ".css") and (found := LOADED.search(path.read_text("utf-8"))):
            raise PluginError(f"{path.relative_to(config.site_dir)} loads from the net: {found[0]}")
