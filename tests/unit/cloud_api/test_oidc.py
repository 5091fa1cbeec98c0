"""Identity tokens: every claim is required, and a refusal does not say which one failed."""

import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from joserfc.jwk import OctKey, RSAKey
from support.oidc_issuer import CLIENT, Issuer, issuer_on_loopback

from cloud_api.auth.keys import PinnedKeys, fetch_over_https
from cloud_api.auth.oidc import OidcIdentities, Organisations
from ddx.domain.roles import Role
from sync_service.gateway.devices import Device
from sync_service.gateway.leases import lend
from sync_service.protocol.errors import IdentityRefusedError
from sync_service.protocol.leases import LeaseRequest

DEVICE_ID = "0198a000-0000-7000-8000-000000000002"
OURS = Organisations(only="default")


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def issuer():
    issuer = Issuer(None)
    issuer.url = "https://issuer.example/11111111-2222/v2.0"
    return issuer


class StatementKey:
    """Signs with a letter."""

    public_key = "a" * 64

    def sign(self, statement):
        return "5" * 128


def reader(issuer, keys):
    return OidcIdentities(issuer=issuer.url, audience=CLIENT, keys=keys, organisations=OURS)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def identities(issuer, asked):
    def fetch():
        asked.append(1)
        return {"keys": [issuer.key.as_dict(private=False)]}

    return reader(issuer, PinnedKeys(fetch))


async def test_a_sound_token_names_the_person_and_one_role(identities, issuer):
    person = await identities.identify(issuer.id_token(), now())
    assert (person.subject, person.role) == ("oid-ana", Role.MEDICO_ADMIN)


async def test_a_role_is_lent_only_to_a_device_of_the_persons_organisation(identities, issuer):
    asked = LeaseRequest(device_id=DEVICE_ID, clinician_id=DEVICE_ID, id_token=issuer.id_token())

    async def lent_to(tenant_id):
        device = Device(id=DEVICE_ID, public_key=b"k" * 32, tenant_id=tenant_id)
        return await lend(asked, device, identities=identities, key=StatementKey(), now=now())

    assert (await lent_to("default")).role == "MedicoAdmin"
    with pytest.raises(IdentityRefusedError):
        await lent_to("el-alto")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"aud": None},
        {"roles": None},
        {"sub": None, "oid": None},
        {"iss": "https://issuer.example/other/v2.0"},
        {"aud": "another-application"},
        {"aud": [CLIENT, "another-application"]},
        {"tid": None},
        {"tid": "9999"},
        {"tid": "1"},
        {"tid": ""},
        {"exp": int(time.time()) - 3600},
        {"exp": int(time.time()) + 90_000},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
        {"nbf": int(time.time()) + 3600},
        {"roles": []},
        {"roles": ["Superuser"]},
        {"roles": ["Auditor", "MedicoGeneral"]},
    ],
)
async def test_a_token_without_everything_in_order_is_refused(identities, issuer, changes):
    with pytest.raises(IdentityRefusedError):
        await identities.identify(issuer.id_token(**changes), now())


async def test_another_key_algorithm_or_shape_is_refused(identities, issuer):
    stranger = RSAKey.generate_key(2048, {"kid": "k1"})
    shared = OctKey.import_key("0" * 64, {"kid": "k1"})
    forged = (
        issuer.id_token(key=stranger),
        issuer.id_token(key=shared, alg="HS256"),
        issuer.id_token(alg="PS256"),
        issuer.id_token()[:-8] + "AAAAAAAA",
        "a.b.c",
        "",
    )
    for token in forged:
        with pytest.raises(IdentityRefusedError):
            await identities.identify(token, now())


async def test_unknown_keys_do_not_make_us_ask_again_and_again(issuer, asked):
    seconds = [1000.0]

    def fetch():
        asked.append(1)
        return {"keys": []}

    identities = reader(issuer, PinnedKeys(fetch, monotonic_s=lambda: seconds[0]))
    for _ in range(5):
        with pytest.raises(IdentityRefusedError):
            await identities.identify(issuer.id_token(), now())
    assert len(asked) == 1
    seconds[0] += 31
    with pytest.raises(IdentityRefusedError):
        await identities.identify(issuer.id_token(), now())
    assert len(asked) == 2


async def test_short_keys_are_not_believed(issuer):
    short = RSAKey.generate_key(1024, {"kid": "k1"})
    weak = reader(issuer, PinnedKeys(lambda: {"keys": [short.as_dict(private=False)]}))
    with pytest.raises(IdentityRefusedError):
        await weak.identify(issuer.id_token(key=short), now())


def test_keys_come_from_the_address_itself_and_no_other(tmp_path):
    with issuer_on_loopback(tmp_path) as running:
        assert fetch_over_https(running.keys_url, running.ca)()["keys"]
        elsewhere = quote(running.keys_url)
        running.decision = "denied"  # answered with a redirect
        moved = f"{running.url}/authorize?state=1&redirect_uri={elsewhere}"
        with pytest.raises(OSError, match="302"):
            fetch_over_https(moved, running.ca)()


def test_keys_come_over_https_only():
    with pytest.raises(ValueError, match="https"):
        fetch_over_https("http://issuer.example/keys")
