"""What MkDocs makes the site of: the pages where they lie in the repository, and every file that one of them leads to.

A page keeps its place in the site (`docs/start.md` is docs/start.html, README the first page), so a relative link that
holds in the repository holds there, and no link is rewritten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from check_links import ROOT, is_external, links, pages, slug

OWN = (Path("tools", "site", "site.css"), Path("tools", "site", "site.js"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Anchors are those that the repository's pages name."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Every page and what it leads to, in the place of what MkDocs found in docs; the theme's own files stay."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    found = sorted({path.relative_to(ROOT) for page in pages() for path in (page, *leads_to(page))} | {*OWN})
    return Files(
        [*theme, *(File(path.as_posix(), str(ROOT), config.site_dir, config.use_directory_urls) for path in found)]
    )


def leads_to(page: Path) -> Iterator[Path]:
    """Files of the repository that a page links to or shows."""
    for link in links(page):
        name = link.partition("#")[0]
        if name and not is_external(link) and (target := (page.parent / name).resolve()).is_file():
            yield target


def on_post_page(output: str, **_: object) -> str:
    """The box of the search has a name for those who hear the page."""
    return output.replace(' role="dialog">', ' role="dialog" aria-label="Search">')


def on_post_build(config: MkDocsConfig) -> None:
    """The index of the search as a script, too: without it Material's own stops on a page that is opened as a file."""
    folder = Path(config.site_dir, "search")
    index = (folder / "search_index.json").read_text(encoding="utf-8")
    (folder / "search_index.js").write_text(f"var __index = {index}", encoding="utf-8")
