"""States of the account that are kept under a name and come back, for tests that begin at the same state many times."""

from __future__ import annotations

import _thread
import io
import pickle
import threading
from typing import Any

from include.local_aws.calls import Calls
from include.local_aws.human_review.state import Region as ReviewRegion
from include.local_aws.regions import Regions
from include.local_aws.rekognition.state import Region
from include.local_aws.settings import SettingError

_UNKEPT = (TypeError, AttributeError, pickle.PicklingError)
"""What pickle raises for a value that it cannot keep, such as the keys of a Cognito user pool."""


class SavedStates:
    """Keeps what Rekognition, moto's services and the counts of calls hold; human review is not among it."""

    def __init__(self, regions: Regions[Region], reviews: Regions[ReviewRegion], calls: Calls) -> None:
        self._regions = regions
        self._reviews = reviews
        self._calls = calls
        self._states: dict[str, bytes] = {}

    def save(self, name: str) -> None:
        """Keep the state under a name; raises SettingError for one that cannot be kept."""
        reviews = [self._reviews.get(region) for region in self._reviews.names()]
        if any(region.flows or region.jobs for region in reviews):
            raise SettingError(
                "A state with flow definitions or labeling jobs cannot be kept: save before they are made."
            )
        regions = {region: self._regions.get(region) for region in self._regions.names()}
        if any(region.transitions.pending for region in regions.values()):
            raise SettingError("Something is being created, trained, started or stopped: save when that is done.")
        contents = {region: state.contents() for region, state in regions.items()}
        backends = _moto_backends()
        try:
            self._states[name] = _pickled((contents, backends, self._calls.to_json()))
        except _UNKEPT as error:
            services = [service for service, state in backends.items() if not _can_be_kept(state)]
            text = f"A state with {', '.join(services)} in it cannot be kept: {error}. Save before they are used."
            raise SettingError(text) from None

    def restore(self, name: str) -> None:
        """Bring a state back into an account that was reset; raises SettingError for an unknown name."""
        if name not in self._states:
            raise SettingError(f"No state is kept as {name!r}: there are {self.to_json()}.")
        contents, backends, calls = pickle.loads(self._states[name])  # noqa: S301 - written by save
        for region, content in contents.items():
            self._regions.get(region).put_back(content)
        _set_moto_backends(backends)
        self._calls.put_back(calls)

    def to_json(self) -> list[str]:
        """Return the names."""
        return sorted(self._states)


def _pickled(state: object) -> bytes:
    stream = io.BytesIO()
    _Keeper(stream).dump(state)
    return stream.getvalue()


def _can_be_kept(state: object) -> bool:
    try:
        _pickled(state)
    except _UNKEPT:
        return False
    return True


class _Keeper(pickle.Pickler):
    """Pickles a state, with a new lock for every lock in it."""

    def reducer_override(self, value: Any) -> Any:
        """Say how to make a lock."""
        if isinstance(value, _thread.RLock):
            return threading.RLock, ()
        if isinstance(value, _thread.LockType):
            return threading.Lock, ()
        return NotImplemented


def _moto_backends() -> dict[str, dict[str, dict[str, Any]]]:
    """Give moto's backends by service, account and region."""
    from moto.core.base_backend import BackendDict

    in_use: list[Any] = BackendDict._instances  # type: ignore[misc]  # noqa: SLF001 - moto has no other list of them
    return {
        found.service_name: {account: dict(regions) for account, regions in found.items()}
        for found in in_use
        if found.service_name != "moto_api"
    }


def _set_moto_backends(backends: dict[str, dict[str, dict[str, Any]]]) -> None:
    from moto.backends import get_backend

    for service, accounts in backends.items():
        found: Any = get_backend(service)  # type: ignore[call-overload]
        for account, regions in accounts.items():
            found[account].update(regions)
            if service == "s3":
                # Beside its buckets moto has a list of their names, without which each would be made anew.
                for backend in regions.values():
                    found.bucket_accounts.update(dict.fromkeys(backend.buckets, (backend.partition, account)))
