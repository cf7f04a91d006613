"""What a reader of a page sees, as values."""

import itertools
import re
from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "img", "br", "input", "link"}


class HtmlTable(NamedTuple):
    caption: str
    head: list[str]
    rows: list[list[str]]


class Page(HTMLParser):
    """Texts of a page: headings, tables, definitions, pictures; and what must not be there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.headings: list[tuple[int, str]] = []
        self.tables: list[HtmlTable] = []
        self.definitions: dict[str, str] = {}
        self.items: list[str] = []
        self.by_class: dict[str, list[str]] = {}
        self.alternatives: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.identifiers: list[str] = []
        self.scopes: list[str | None] = []
        self.captions: list[str] = []
        self.code = ""
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._term = ""
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key in {"src", "href", "xlink:href"}]
        if values.get("id"):
            self.identifiers.append(str(values["id"]))
        if tag == "img":
            self.alternatives.append(values["alt"] or "")
        if tag == "svg":
            assert values["role"] == "img"
            self.alternatives.append(values["aria-label"] or "")
        if tag == "table":
            self.tables.append(HtmlTable("", [], []))
        if tag == "tr":
            self.tables[-1].rows.append([])
        if tag == "th":
            self.scopes.append(values.get("scope"))
        if tag not in VOID:
            self._open.append((tag, values, []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, _, parts in self._open:
            parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        name, values, parts = self._open.pop()
        assert name == tag, (name, tag)
        text = " ".join("".join(parts).split())
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), text))
        if tag in {"th", "td"}:
            self.tables[-1].rows[-1].append(text)
        if tag == "caption":
            self.tables[-1] = self.tables[-1]._replace(caption=text)
        if tag == "table":
            head, *rows = self.tables[-1].rows
            self.tables[-1] = HtmlTable(self.tables[-1].caption, head, rows)
        if tag == "dt":
            self._term = text
        if tag == "dd":
            self.definitions[self._term] = text
        if tag == "figcaption":
            self.captions.append(text)
        if tag == "li":
            self.items.append(text)
        if tag == "code":
            self.code = "".join(parts)
        if values.get("class"):
            self.by_class.setdefault(str(values["class"]), []).append(text)

    def table(self, caption: str) -> HtmlTable:
        """The one table of that caption."""
        (found,) = [table for table in self.tables if table.caption == caption]
        return found


def check_page(text: str) -> Page:
    """Read a page, and fail where it asks for anything, runs anything, or is not accessible."""
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.links)
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\((?!#)", text)
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert all(page.alternatives)
    assert all(scope in {"row", "col"} for scope in page.scopes)
    assert all(table.caption for table in page.tables)
    assert len(set(page.identifiers)) == len(page.identifiers)
    inner = {link[1:] for link in page.links if link.startswith("#")}
    inner |= set(re.findall(r"url\(#([^)]*)\)", text))
    assert inner <= set(page.identifiers)
    return page
