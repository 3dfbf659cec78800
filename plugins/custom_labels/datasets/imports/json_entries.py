"""A large JSON file, entry by entry: what is wrong with one does not touch the others.

A streaming parser ends at the first thing that is no JSON, such as the NaN that Python's own json module writes. So
the file is only cut at its brackets here, and each entry is a text of its own for the strict reader of JSON. Memory is
that of one entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from custom_labels.datasets.annotations.json_lines import NotJson, parse_object
from custom_labels.datasets.imports.entries import Unfit
from custom_labels.datasets.imports.source import ImportCode

LONGEST_ENTRY = 8 * 1024 * 1024
"""Bytes of an entry that is read: far above those of any image."""
_CHUNK = 256 * 1024
_MARK = b"\xef\xbb\xbf"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_STRING + rb'|[\[\]{}:,]|[^\s"\[\]{}:,]++|"', re.DOTALL)
_INNER = re.compile(_STRING + rb'|["\[\]{}]', re.DOTALL)
_USUAL_LEVELS = 4
"""Of an entry of any format; one with more is cut out bracket by bracket."""
_CLOSING = {b"[": b"]", b"{": b"}"}


def _whole(levels: int) -> bytes:
    """Give the expression of a value in brackets that has at most so many levels of them."""
    inner = b"|" + _whole(levels - 1) if levels > 1 else b""
    content = rb'(?:[^"\[\]{}]++|' + _STRING + inner + rb")*+"
    return rb"\{" + content + rb"\}|\[" + content + rb"\]"


_WHOLE = re.compile(_whole(_USUAL_LEVELS), re.DOTALL)


def read_entries(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Cut a JSON file into its entries, each with the key of the list that it is in.

    The entries of a file that is a list have an empty key; what is in an object and no list is one entry.

    :raises Unfit: the file is no JSON list or object; what was before that was given.
    """
    text = _Text(file)
    opening = text.token()
    if opening == b"[":
        for entry in text.elements():
            yield "", entry
    elif opening == b"{":
        yield from _members(text)
    else:
        raise Unfit(ImportCode.UNREADABLE_FILE, f"it begins with {opening[:20]!a}: expected JSON in UTF-8")
    if rest := text.token(is_last=True):
        raise Unfit(ImportCode.UNREADABLE_FILE, f"there is {rest[:20]!a} behind its end, at byte {text.at}")


def parse_entry(entry: bytes) -> dict[str, object]:
    """Read an entry.

    :raises Unfit: it is no JSON object.
    """
    try:
        return parse_object(entry.decode())
    except UnicodeDecodeError as error:
        raise Unfit(ImportCode.INVALID_ENTRY, f"it is not UTF-8: {error.reason} at byte {error.start}") from None
    except NotJson as error:
        raise Unfit(ImportCode.INVALID_ENTRY, str(error)) from None


def _members(text: _Text) -> Iterator[tuple[str, bytes]]:
    while (token := text.token()) != b"}":
        if token == b",":
            continue
        key = token[1:-1].decode(errors="replace")
        if not token.startswith(b'"') or text.token() != b":":
            raise Unfit(ImportCode.UNREADABLE_FILE, f"it is no JSON at byte {text.at}: expected a key and a colon")
        if (first := text.token()) == b"[":
            for entry in text.elements():
                yield key, entry
        else:
            yield key, text.value(first)


class _Text:
    """The text of a file, of which what was read is forgotten."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = file.read(_CHUNK)
        self._forgotten = 0
        self._start = self._end = len(_MARK) if self._held.startswith(_MARK) else 0

    @property
    def at(self) -> int:
        """Where the last token begins, in bytes from the beginning of the file."""
        return self._forgotten + self._start

    def token(self, *, is_last: bool = False) -> bytes:
        """Give the next bracket, colon, comma, string or word.

        :param is_last: whether the file may end here, and the token is empty then.
        """
        while True:
            match = _TOKEN.search(self._held, self._end)
            if match and (match.end() < len(self._held) or match[0] in b"[]{}:,") and match[0] != b'"':
                self._start, self._end = match.span()
                return match[0]
            self._start = match.start() if match else len(self._held)
            self._end = self._start
            if not self._read_on():
                if match and match[0] != b'"':
                    self._end = match.end() - match.start() + self._start
                    return match[0]
                if match is None and is_last:
                    return b""
                raise Unfit(
                    ImportCode.UNREADABLE_FILE, f"it ends at byte {self._forgotten + len(self._held)}, unfinished"
                )

    def elements(self) -> Iterator[bytes]:
        """Give the elements of the list that was just opened."""
        while (token := self.token()) != b"]":
            if token != b",":
                yield self.value(token)

    def value(self, first: bytes) -> bytes:
        """Give the whole value that begins with a token."""
        if first not in _CLOSING:
            if first in b"]}:,":
                raise Unfit(ImportCode.UNREADABLE_FILE, f"it is no JSON at byte {self.at}: {first!a} is in its place")
            return first
        if usual := _WHOLE.match(self._held, self._start):
            self._end = usual.end()
            return usual[0]
        open_brackets = bytearray(_CLOSING[first])
        while open_brackets:
            match = _INNER.search(self._held, self._end)
            if match is None or match[0] == b'"':
                self._end = match.start() if match else len(self._held)
                if not self._read_on():
                    raise Unfit(ImportCode.UNREADABLE_FILE, f"the entry at byte {self.at} does not end")
                continue
            self._end = match.end()
            if match[0] in _CLOSING:
                open_brackets += _CLOSING[match[0]]
            elif not match[0].startswith(b'"') and match[0][0] != open_brackets.pop():
                where = self._forgotten + match.start()
                raise Unfit(ImportCode.UNREADABLE_FILE, f"it is no JSON at byte {where}: {match[0]!a} closes nothing")
        return self._held[self._start : self._end]

    def _read_on(self) -> bool:
        """Read more behind what is held, and forget what is before the token; give whether there was more."""
        if len(self._held) - self._start > LONGEST_ENTRY:
            detail = f"the entry at byte {self.at} has more than {LONGEST_ENTRY:,} bytes"
            raise Unfit(ImportCode.UNREADABLE_FILE, detail)
        chunk = self._file.read(_CHUNK)
        self._held = self._held[self._start :] + chunk
        self._forgotten += self._start
        self._end -= self._start
        self._start = 0
        return bool(chunk)
