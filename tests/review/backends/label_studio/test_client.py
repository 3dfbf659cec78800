"""Label Studio's REST API: both kinds of token, certificates, and what is repeated when a call fails."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_labels.core.connections import HttpConnection
from custom_labels.review.backends.base import ReviewBackendError, ReviewBackendNotReady
from custom_labels.review.backends.label_studio.client import LabelStudioClient
from tests.kit.faulty_proxy import Fault, FaultyProxy

if TYPE_CHECKING:
    from include.label_studio.server import LabelStudio

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("label_studio")]
WHO = "/api/current-user/whoami"


def client_of(url: str, token: str, *, ca_file: str | None = None, patience: float = 5.0) -> LabelStudioClient:
    return LabelStudioClient(HttpConnection("studio", url, token, ca_file), patience_seconds=patience)


@contextmanager
def faulty(server: LabelStudio, *faults: Fault) -> Iterator[tuple[FaultyProxy, LabelStudioClient]]:
    """Give a client whose first calls fail."""
    left = list(faults)
    with FaultyProxy(server.url, lambda *_: left.pop(0) if left else None) as proxy:
        yield proxy, client_of(proxy.url, server.account.token)


@pytest.fixture
def personal(label_studio: LabelStudio) -> str:
    """A personal access token."""
    made = client_of(label_studio.url, label_studio.account.token).post("/api/token/", {})
    return str(made["token"])


def test_a_personal_access_token_is_renewed_when_the_short_lived_one_has_expired(
    label_studio: LabelStudio, personal: str
) -> None:
    client = client_of(label_studio.url, personal)

    assert client.get(WHO)["email"] == label_studio.account.email
    client._access = f"{client._access[:-4]}AAAA"
    assert client.get(WHO)["email"] == label_studio.account.email


@pytest.mark.parametrize("token", ["not-a-token", "eyJh.eyJh.c2ln"], ids=["legacy", "personal"])
def test_a_token_that_is_not_accepted_is_no_matter_of_trying_again(label_studio: LabelStudio, token: str) -> None:
    with pytest.raises(ReviewBackendNotReady, match="'studio' has to be a token") as caught:
        client_of(label_studio.url, token).get(WHO)

    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [(429, {"Retry-After": "1"}), (503, {}), (500, {}), "lost"],
    ids=["throttled", "unavailable", "broken", "lost"],
)
def test_reading_is_repeated(label_studio: LabelStudio, fault: Fault) -> None:
    with faulty(label_studio, fault, fault) as (proxy, client):
        assert client.get(WHO)["id"] == 1

    assert len(proxy.calls) == 3


@pytest.mark.parametrize(
    ("fault", "calls"),
    [((429, {"Retry-After": "1"}), 2), ((503, {}), 2), ((500, {}), 1), ("lost", 1)],
    ids=["throttled", "unavailable", "broken", "lost"],
)
def test_making_is_repeated_only_where_nothing_was_made(label_studio: LabelStudio, fault: Fault, calls: int) -> None:
    body = {"title": "made by a test"}
    with faulty(label_studio, fault) as (proxy, client):
        if calls == 1:
            with pytest.raises(ReviewBackendError) as caught:
                client.post("/api/projects/", body)
            assert caught.value.is_passing
        else:
            client.post("/api/projects/", body)

    assert len(proxy.calls) == calls


def test_a_refusal_has_label_studios_own_words_and_the_way_out(label_studio: LabelStudio) -> None:
    client = client_of(label_studio.url, label_studio.account.token)

    with pytest.raises(
        ReviewBackendError, match=r"HTTP 400: Validation error .*at least 3 characters.*'studio'"
    ) as one:
        client.post("/api/projects/", {"title": "x"})
    with pytest.raises(ReviewBackendError, match="HTTP 404") as other:
        client.get("/api/projects/999999/")

    assert not one.value.is_passing
    assert label_studio.account.token not in f"{one.value}{other.value}"


def test_a_server_that_is_not_there_is_given_up_in_time() -> None:
    with pytest.raises(ReviewBackendError, match="ConnectError") as caught:
        client_of("http://127.0.0.1:9", "token", patience=0.5).get(WHO)

    assert caught.value.is_passing


def test_certificates_are_verified(label_studio: LabelStudio, certificate: Path) -> None:
    token = label_studio.account.token
    with FaultyProxy(label_studio.url, lambda *_: None, str(certificate)) as proxy:
        with pytest.raises(ReviewBackendError, match=r"CERTIFICATE_VERIFY_FAILED.*'ca_file'"):
            client_of(proxy.url, token).get(WHO)
        assert client_of(proxy.url, token, ca_file=str(certificate)).get(WHO)["id"] == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine that nobody trusts, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
