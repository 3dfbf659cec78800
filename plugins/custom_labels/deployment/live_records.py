"""The pointer to the version that serves, moved by compare-and-set."""

from __future__ import annotations

from custom_labels.core.codec import from_json, to_json
from custom_labels.core.live_version import Candidate, LiveVersion
from custom_labels.core.records import Record
from custom_labels.core.registry import LIVE, Registry
from custom_labels.deployment.deployment import why_not_replaced
from custom_labels.errors import LiveVersionChanged
from custom_labels.s3.store import ObjectChanged, ObjectExists


def move_live(registry: Registry, challenger: Candidate, now: str) -> LiveVersion:
    """Point to the challenger, if the pointer still names the version that it was compared with.

    Moving it again to where it is changes nothing, so that a retry is safe.

    :param now: the present moment, ISO 8601 in UTC.
    :return: the pointer as written, with its predecessor.
    :raises LiveVersionChanged: the pointer names another version than expected, or one that a person put back in
        place of the challenger.
    :raises BelongsToAnother: the registry is another project's than the challenger.
    """
    registry.require_owner(challenger.project_arn.split("/")[1])
    value, etag = registry.store.read_json(LIVE)
    champion = from_json(LiveVersion, value) if value else None
    if champion is not None and champion.version_arn == challenger.version_arn:
        return champion
    if reason := why_not_replaced(champion, challenger):
        raise LiveVersionChanged(reason)
    successor = LiveVersion.of(challenger, now).replacing(champion)
    try:
        registry.store.write_if_unchanged(LIVE, to_json(successor), etag)
    except (ObjectExists, ObjectChanged) as error:
        raise LiveVersionChanged(
            f"{registry.store.uri(LIVE)} was changed while {challenger.version_name} was put into service: another run "
            "deployed at the same moment. Theirs stays; trigger the DAG again."
        ) from error
    return successor


def set_live_aside(registry: Registry) -> str | None:
    """Let the pointer name no version, whichever it names; which one that was stays in the records of versions.

    :return: the version that it named, ``None`` where it named none.
    """
    live = registry.live()
    if live is not None:
        Record(LIVE, LiveVersion).change(registry.store, lambda _: None)
    return live.version_name if live else None
