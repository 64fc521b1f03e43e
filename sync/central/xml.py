"""XML of the customs side to nested fields: no DTD, no entities, nothing fetched, bounded in size, depth and count.

Naming (decided once, `docs/protocols/jgst14.md`): attributes and child elements stand under their own names at the same
level; an element with neither is its text exactly as sent, "" when empty; a name that comes twice or more is a list in
order; text beside attributes or children stands under `#text`. Namespace prefixes are not part of a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias, Union
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # ships no types
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from gate_service.domain.errors import XmlError, XmlRefusedError
from sync.central.text import decode_xml

Field: TypeAlias = Union[str, "Fields", list["Field"]]
Fields: TypeAlias = dict[str, Field]

TEXT_KEY: Final = "#text"
# Limits of ours: the largest real messages (a slip with a thousand goods lines: some twenty thousand tags) stay below.
LARGEST_XML_BYTES: Final = 8 * 1024 * 1024
DEEPEST: Final = 64
MOST_NODES: Final = 100_000  # elements and attributes together


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """One XML document: name of the root, names of the root's attributes, what it holds, and how it was read."""

    root: str
    root_attributes: frozenset[str]
    fields: Fields
    encoding: str
    warnings: tuple[str, ...]


def read_xml(raw: bytes) -> XmlDocument:
    """Read one document. XmlRefusedError for what is dangerous or too large, XmlError for what is not XML."""
    if len(raw) > LARGEST_XML_BYTES:
        raise XmlRefusedError(f"XML of at most {LARGEST_XML_BYTES} bytes expected, found {len(raw)}")
    text, encoding, warnings = decode_xml(raw)
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text)
        parser.close()
    except DefusedXmlException as error:
        raise XmlRefusedError(
            f"XML without document type and entities expected, found {type(error).__name__}"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise XmlError(f"well-formed XML expected, found: {error}") from None
    return XmlDocument(builder.root, builder.root_attributes, builder.fields, encoding, tuple(warnings))


def texts(fields: Field, name: str) -> Iterator[str]:
    """Every text that stands under a name, however deep, in no promised order."""
    pending: list[Field] = [fields]
    while pending:
        current = pending.pop()
        if isinstance(current, list):
            pending.extend(current)
        elif isinstance(current, dict):
            for key, value in current.items():
                if key == name:
                    yield from _own_texts(value)
                if not isinstance(value, str):
                    pending.append(value)


def text_of(fields: Field, name: str) -> str | None:
    """The text under a name of these fields themselves (the first of several); None where there is none."""
    if not isinstance(fields, dict) or name not in fields:
        return None
    return next(_own_texts(fields[name]), None)


def parts(fields: Field | None, *names: str) -> list[Fields]:
    """The groups reached by following names downwards; several where one of them repeats, none where one is absent."""
    current = [fields] if isinstance(fields, dict) else []
    for name in names:
        below = [group[name] for group in current if name in group]
        flat = [item for value in below for item in (value if isinstance(value, list) else [value])]
        current = [item for item in flat if isinstance(item, dict)]
    return current


def _own_texts(value: Field) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            own = item.get(TEXT_KEY)
            if isinstance(own, str):
                yield own


@dataclass(slots=True)
class _Open:
    """An element whose end has not come yet."""

    fields: Fields = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


class _Builder:
    """The parser's target: builds the fields while it reads, and stops at the limits."""

    def __init__(self) -> None:
        self.root = ""
        self.root_attributes: frozenset[str] = frozenset()
        self.fields: Fields = {}
        self._open: list[_Open] = []
        self._nodes = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._nodes += 1 + len(attributes)
        if self._nodes > MOST_NODES:
            raise XmlRefusedError(f"at most {MOST_NODES} elements and attributes expected, found more")
        if len(self._open) >= DEEPEST:
            raise XmlRefusedError(f"elements nested at most {DEEPEST} deep expected, found deeper")
        element = _Open()
        for name, value in attributes.items():
            _put(element.fields, _local(name), value)
        if not self._open:
            self.root = _local(tag)
            self.root_attributes = frozenset(element.fields)
        self._open.append(element)

    def data(self, text: str) -> None:
        """Text arrives, perhaps a piece of it."""
        self._open[-1].text.append(text)

    def end(self, tag: str) -> None:
        """An element ends and joins the one around it."""
        element = self._open.pop()
        text = "".join(element.text)
        if element.fields or not self._open:  # the root is always a group: what it holds are the message's fields
            if text.strip():
                element.fields[TEXT_KEY] = text
            value: Field = element.fields
        else:
            value = text
        if self._open:
            _put(self._open[-1].fields, _local(tag), value)
        else:
            self.fields = element.fields

    def close(self) -> None:
        """The document is complete."""


def _put(fields: Fields, name: str, value: Field) -> None:
    present = fields.get(name)
    if present is None:
        fields[name] = value
    elif isinstance(present, list):
        present.append(value)
    else:
        fields[name] = [present, value]


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
