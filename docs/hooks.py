"""What the site does beyond mkdocs: the README is its home, links out of docs/ work, and nothing comes from the net.

Links in a page are written for the repository. If a link leaves docs/, its target is copied into the site under the
path it has in the repository, and the link is rewritten.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
HOME = "README.md"
OTHER_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)")
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|embed|object|link(?![^>]*"canonical"))\b[^>]*?\s(?:src|href|data)=["']?(?:https?:)?//[^\s>]*"""
    r"""|(?:url\(|@import)\s*["']?(?:https?:)?//[^\s);]*"""
)


def repository_path(page: str) -> str:
    """The path in the repository of a page of the site."""
    return HOME if page == "index.md" else page if page in OTHER_PAGES else f"docs/{page}"


def target_of(page: str, link: str) -> str:
    """The page or file of the site that a link leads to, or "" if it leads to no file of the repository."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path(page)), link))
    if path.startswith("..") or not (ROOT / path).is_file():
        return ""
    return "index.md" if path == HOME else path.removeprefix("docs/")


def on_files(files, config):
    outside = {"index.md": HOME, **{name: name for name in OTHER_PAGES}}
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    texts |= {page: (ROOT / path).read_text("utf-8") for page, path in outside.items()}
    for page, text in texts.items():
        linked = {target_of(page, link) for link in LINK.findall(text)} - {""}
        outside |= {path: path for path in linked if path not in outside and not (ROOT / "docs" / path).is_file()}
    for page, path in outside.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, **_):
    source = page.file.src_uri

    def rewritten(link):
        target = target_of(source, link[0])
        return os.path.relpath(target, posixpath.dirname(source) or ".").replace(os.sep, "/") if target else link[0]

    return LINK.sub(rewritten, markdown)


def on_post_build(config):
    """Refuse pages that load anything from the net: that would tell someone they are being read."""
    for path in sorted(Path(config.site_dir).rglob("*")):
        if path.suffix in (".html", ".css") and (found := LOADED.search(path.read_text("utf-8"))):
            raise PluginError(f"{path.relative_to(config.site_dir)} loads from the net: {found[0]}")
