"""What tests look at in a page: tags that do not close, what it would load, what a reader sees."""

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}
BLOCKS = {
    "div",
    "p",
    "ul",
    "ol",
    "dl",
    "table",
    "figure",
    "section",
    "details",
    "header",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
}


class Page(HTMLParser):
    """
    A page taken apart.

    Attributes:
        wrong: what a browser would have to guess about.
        tags: every tag that opens.
        attributes: every attribute with its value.
        ids: of all elements.
        text: what a reader sees, without styles.
    """

    def __init__(self, html):
        super().__init__()
        self.wrong, self.tags, self.attributes, self.ids, self._open, self._said = [], [], [], [], [], []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> never closes" for tag in self._open]
        self.text = " ".join(" ".join(self._said).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag in BLOCKS and "p" in self._open:
            self.wrong.append(f"<{tag}> inside <p>, which it would close")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()

    def handle_data(self, data):
        if "style" not in self._open:
            self._said.append(data)


def leaves(part, path=()):
    """Yield the path of every number in a document, and the number."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from leaves(value, (*path, name))
    elif isinstance(part, list):
        for at, value in enumerate(part):
            yield from leaves(value, (*path, at))
    elif isinstance(part, int | float) and not isinstance(part, bool):
        yield path, part


def changed(part, path, value):
    """Return a document in which one value is another."""
    if not path:
        return value
    if isinstance(part, dict):
        return {name: changed(one, path[1:], value) if name == path[0] else one for name, one in part.items()}
    return [changed(one, path[1:], value) if at == path[0] else one for at, one in enumerate(part)]


def everywhere(part, change):
    """Return a document in which every value, with its name, is what the change makes of it."""
    if isinstance(part, dict):
        return {name: change(name, everywhere(value, change)) for name, value in part.items()}
    if isinstance(part, list):
        return [everywhere(value, change) for value in part]
    return part
