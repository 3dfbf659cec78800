"""The records of decisions: why a version was put into service or refused, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from custom_labels.core.codec import from_json, to_json
from custom_labels.evaluation.answers import ChampionAnswer
from custom_labels.evaluation.comparison import Compared
from custom_labels.s3.errors import MISSING
from custom_labels.s3.line_files import list_keys, read_files, read_lines, write_lines
from custom_labels.s3.store import S3Store

DECISIONS = "registry/decisions/"


class Decisions:
    """What is kept of the decision about one version.

    :param version_name: the version that was judged.
    """

    def __init__(self, store: S3Store, version_name: str) -> None:
        self.store = store
        self.version_name = version_name
        self.record_key = f"{DECISIONS}{version_name}.json"
        self.page_key = f"{DECISIONS}{version_name}.html"
        self._folder = f"{DECISIONS}{version_name}/"

    def record(self) -> dict[str, Any] | None:
        """Read the record, ``None`` if there is none."""
        value, _ = self.store.read_json(self.record_key)
        return dict(value) if value else None

    def save(self, record: Mapping[str, Any], page: str) -> None:
        """Write the page for people, then the record; one that is there has its page."""
        self.store.call(
            "put_object",
            self.page_key,
            Body=page.encode(),
            ContentType="text/html; charset=utf-8",
            CacheControl="no-store",
        )
        self.store.write_json(self.record_key, record)

    def page(self) -> bytes | None:
        """Read the page for people, ``None`` if there is none."""
        from botocore.exceptions import ClientError

        try:
            body, _ = self.store.read_bytes(self.page_key, expect=MISSING)
        except ClientError:
            return None
        return body

    # -- what the decision rests on ----------------------------------------------------------------

    def comparison(self) -> Compared:
        """Read what came of comparing the version; empty when there is nothing."""
        value, _ = self.store.read_json(f"{self._folder}comparison.json")
        return from_json(Compared, value or {})

    def save_comparison(self, compared: Compared) -> None:
        """Write what came of comparing the version."""
        self.store.write_json(f"{self._folder}comparison.json", to_json(compared))

    def answers(self, champion: str, number: int) -> list[ChampionAnswer]:
        """Read what the champion predicted of some of the images; nothing while it was not asked.

        :param champion: its version's name.
        :param number: of the images' batch, from 0.
        """
        file = read_lines(self.store, self._answers_key(champion, number))
        return [from_json(ChampionAnswer, record) for record in file.records] if file else []

    def all_answers(self) -> Iterator[tuple[str, ChampionAnswer]]:
        """Give what champions predicted of the version's test images, each with the champion's name.

        One that was judged again was compared with several, one after the other.
        """
        for file in read_files(self.store, self._answers_keys()):
            champion = file.key.removeprefix(self._folder).partition("/")[0]
            yield from ((champion, from_json(ChampionAnswer, record)) for record in file.records)

    def _answers_keys(self) -> Iterator[str]:
        for keys in list_keys(self.store, self._folder):
            yield from (key for key in keys if key.endswith(".jsonl"))

    def save_answers(self, champion: str, number: int, answers: Iterable[ChampionAnswer]) -> None:
        """Write what the champion predicted of some of the images, so that it is asked once."""
        write_lines(self.store, self._answers_key(champion, number), map(to_json, answers))

    def _answers_key(self, champion: str, number: int) -> str:
        return f"{self._folder}{champion}/{number:05}.jsonl"
