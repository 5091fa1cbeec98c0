"""Every known way to forge, borrow or outlive an access token is answered alike: 401, no reason.

The table follows RFC 8725 and the attacks on real libraries it came from. Each line spoils one
thing of a token that is otherwise good; the first test shows that the good one does serve.
"""

import asyncio
import hmac
import json
import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, OKPKey, RSAKey
from support.callers import API, CLIENT, ISSUER, ORGANISATION, SCOPE, TokenForge, b64
from support.callers import signed_by_library as by_library

from cloud_api.auth.keys import REFRESH_AFTER_S, REFRESH_EVERY_S, PinnedKeys
from cloud_api.auth.oidc import Organisations, People, TokenRefusedError
from ddx.domain.roles import Role

NOW = int(time.time())
FORGE = TokenForge(NOW)
SHORT = RSAKey.generate_key(1024, {"kid": "short", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "k1"})
GOOD = FORGE.claims()


def people(forge=FORGE, clock=time.monotonic, claim=ORGANISATION):
    return People(
        issuer=ISSUER,
        audience=API,
        clients=[CLIENT],
        scope=SCOPE,
        keys=PinnedKeys(forge.key_set, monotonic_s=clock),
        organisations=Organisations(only="default", claim=claim),
        now=lambda: datetime.fromtimestamp(NOW, UTC),
    )


def public_pem():
    return FORGE.key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def shared_secret(secret, hashed):
    covered = f"{b64({'alg': 'HS' + hashed[-3:], 'kid': 'k1'})}.{b64(GOOD)}"
    return f"{covered}.{b64(hmac.digest(secret, covered.encode(), hashed))}"


def with_claims(claims):
    head, _, signature = FORGE.token().split(".")
    return f"{head}.{b64(claims)}.{signature}"


def unsigned(alg):
    return f"{b64({'alg': alg, 'kid': 'k1'})}.{b64(GOOD)}."


def twice(name, value, claims=GOOD):
    """Return a payload in which `name` stands once more, with `value`, before the true one."""
    text = json.dumps(claims)
    return ("{" + json.dumps(name) + ":" + json.dumps(value) + "," + text[1:]).encode()


HEADERS = {
    "jku": "https://evil.example/keys",
    "x5u": "https://evil.example/chain.pem",
    "x5c": ["MIIB"],
    "jwk": STRANGER.as_dict(private=False),
    "crit": ["exp"],
    "b64": False,
    "zip": "DEF",
    "cty": "JWT",
    "enc": "A256GCM",
}
CLAIMS = {
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no iss": {"iss": None},
    "no aud": {"aud": None},
    "no azp": {"azp": None},
    "no ver": {"ver": None},
    "no tid": {"tid": None},
    "no scp": {"scp": None},
    "no roles": {"roles": None},
    "no subject": {"oid": None, "sub": None},
    "no organisation": {ORGANISATION: None},
    "another issuer": {"iss": "https://issuer.example/99999999/v2.0"},
    "issuer with a slash more": {"iss": ISSUER + "/"},
    "issuer that begins with ours": {"iss": ISSUER + ".evil.example"},
    "another audience": {"aud": "api://other"},
    "a list of audiences": {"aud": [API]},
    "an audience that begins with ours": {"aud": API + "2"},
    "another tenant": {"tid": "99999999-2222-4333-8444-555555555555"},
    "part of our tenant": {"tid": "11111111"},
    "no tenant at all": {"tid": ""},
    "version 1": {"ver": "1.0"},
    "a version that is a number": {"ver": 2.0},
    "another application": {"azp": "evil-client"},
    "another scope": {"scp": "openid profile"},
    "a scope that holds ours": {"scp": "no-access"},
    "scopes as a list": {"scp": [SCOPE]},
    "an application for itself": {"scp": None, "idtyp": "app"},
    "no role of ours": {"roles": ["Superuser"]},
    "no role at all": {"roles": []},
    "two roles": {"roles": ["Auditor", "MedicoGeneral"]},
    "a role as text": {"roles": "Auditor"},
    "roles that are no text": {"roles": [{"name": "Auditor"}]},
    "expired": {"iat": NOW - 7200, "nbf": NOW - 7200, "exp": NOW - 3600},
    "not yet": {"nbf": NOW + 3600},
    "issued in the future": {"iat": NOW + 1800},
    "too long a life": {"exp": NOW + 90_000},
    "a life that never ends": {"exp": 10**300},
    "exp as text": {"exp": str(NOW + 3600)},
    "exp as truth": {"exp": True},
    "expires before it is issued": {"exp": NOW - 10, "iat": NOW, "nbf": NOW - 20},
    "a subject with a line break": {"oid": "ana\nrole=Auditor"},
    "a subject that is a number": {"oid": 7},
    "an organisation of the service": {ORGANISATION: "_service"},
    "an organisation that is no text": {ORGANISATION: ["san-juan"]},
}
FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg nOnE": unsigned("nOnE"),
    "alg none with a signature": unsigned("none") + "c2ln",
    "no alg": FORGE.token(header={"alg": None}),
    "no kid": FORGE.token(header={"kid": None}),
    "an empty kid": FORGE.token(header={"kid": ""}),
    "a kid that is a number": FORGE.token(header={"kid": 1}),
    "a kid that is a path": FORGE.token(header={"kid": "../../../../dev/null"}),
    "a kid that is SQL": FORGE.token(header={"kid": "' UNION SELECT 'k' --"}),
    "a kid that is an address": FORGE.token(header={"kid": "https://evil.example/key"}),
    "a kid nobody published": FORGE.token(header={"kid": "k9"}),
    "HS256 with our public key": shared_secret(public_pem(), "sha256"),
    "HS512 with our public key": shared_secret(public_pem(), "sha512"),
    "HS256 with our modulus": shared_secret(FORGE.key.as_dict()["n"].encode(), "sha256"),
    "HS256 with no key": shared_secret(b"", "sha256"),
    "PS256 with our own key": by_library(FORGE.key, "PS256", GOOD),
    "RS512 with our own key": by_library(FORGE.key, "RS512", GOOD),
    "ES256": by_library(ECKey.generate_key("P-256", {"kid": "k1"}), "ES256", GOOD),
    "Ed25519": by_library(OKPKey.generate_key("Ed25519", {"kid": "k1"}), "Ed25519", GOOD),
    "a stranger's key under our kid": FORGE.token(key=STRANGER),
    "another key type in typ": FORGE.token(header={"typ": "dpop+jwt"}),
    "an id token's typ": FORGE.token(header={"typ": "id_token"}),
    "an unknown header": FORGE.token(header={"nonce": "1"}),
    "alg twice": FORGE.signed(
        b'{"alg":"none","alg":"RS256","kid":"k1"}', json.dumps(GOOD).encode(), FORGE.key
    ),
    "kid twice": FORGE.signed(
        b'{"kid":"evil","alg":"RS256","kid":"k1"}', json.dumps(GOOD).encode(), FORGE.key
    ),
    "roles twice": FORGE.signed(
        {"alg": "RS256", "kid": "k1"}, twice("roles", ["MLOpsEngineer"]), FORGE.key
    ),
    "exp twice": FORGE.signed({"alg": "RS256", "kid": "k1"}, twice("exp", NOW + 9), FORGE.key),
    "exp that is no number": FORGE.signed(
        {"alg": "RS256", "kid": "k1"},
        json.dumps(GOOD | {"exp": float("nan")}).encode(),
        FORGE.key,
    ),
    "exp that is infinite": FORGE.signed(
        {"alg": "RS256", "kid": "k1"},
        json.dumps(GOOD | {"exp": float("inf")}).encode(),
        FORGE.key,
    ),
    "claims that are a list": FORGE.signed({"alg": "RS256", "kid": "k1"}, b"[]", FORGE.key),
    "claims that are no JSON": FORGE.signed({"alg": "RS256", "kid": "k1"}, b"ana", FORGE.key),
    "claims nested past reason": FORGE.signed(
        {"alg": "RS256", "kid": "k1"}, b"[" * 5_000 + b"]" * 5_000, FORGE.key
    ),
    "a header that is a list": FORGE.signed(b"[]", json.dumps(GOOD).encode(), FORGE.key),
    "a token inside a token": FORGE.signed(
        {"alg": "RS256", "kid": "k1"}, FORGE.token().encode(), FORGE.key
    ),
    "changed claims": with_claims(GOOD | {"roles": ["MLOpsEngineer"]}),
    "a shortened signature": FORGE.token()[:-8],
    "no signature": FORGE.token().rsplit(".", 1)[0] + ".",
    "two parts": FORGE.token().rsplit(".", 1)[0],
    "four parts": FORGE.token() + ".c2ln",
    "five parts, as if encrypted": FORGE.token() + ".c2ln.c2ln",
    "a JSON serialisation": json.dumps({"payload": b64(GOOD), "signatures": []}),
    "padding": FORGE.token() + "=",
    "a blank inside": FORGE.token()[:40] + " " + FORGE.token()[40:],
    "a line break at the end": FORGE.token() + "\n",
    "a token of 20 KB": FORGE.token(groups=["g" * 20_000]),
    "letters outside ASCII": FORGE.token()[:-1] + "ñ",
    "nothing": "",
    "dots": "..",
}


@pytest.fixture(scope="module")
def readers():
    return people()


async def test_the_sound_token_names_person_role_and_organisation(readers):
    person = await readers.person_of(FORGE.token())
    assert (person.subject, person.tenant_id) == ("oid-ana", "san-juan")
    assert person.role is Role.MEDICO_GENERAL
    typed = await readers.person_of(FORGE.token(header={"typ": "at+jwt", "x5t": "abc"}))
    assert typed == person


@pytest.mark.parametrize("name", HEADERS)
async def test_nothing_in_a_header_may_ask_for_more(readers, name):
    token = FORGE.token(header={name: HEADERS[name]})
    with pytest.raises(TokenRefusedError):
        await readers.person_of(token)


@pytest.mark.parametrize("name", CLAIMS)
async def test_every_claim_is_required_and_exact(readers, name):
    with pytest.raises(TokenRefusedError):
        await readers.person_of(FORGE.token(**CLAIMS[name]))


@pytest.mark.parametrize("name", FORGED)
async def test_no_forgery_serves(readers, name):
    with pytest.raises(TokenRefusedError):
        await readers.person_of(FORGED[name])


async def test_a_published_key_of_1024_bits_is_no_key():
    forge = TokenForge(NOW)
    forge.published = [SHORT]
    with pytest.raises(TokenRefusedError):
        await people(forge).person_of(forge.token(key=SHORT))


async def test_a_key_published_for_something_else_is_no_key():
    forge = TokenForge(NOW)
    other = RSAKey.generate_key(2048, {"kid": "k1", "use": "enc"})
    forge.published = [other]
    with pytest.raises(TokenRefusedError):
        await people(forge).person_of(forge.token(key=other))


async def test_a_new_key_is_learned_and_the_old_one_no_longer_serves():
    forge, seconds = TokenForge(NOW), [0.0]
    readers, old = people(forge, lambda: seconds[0]), forge.token()
    await readers.person_of(old)
    forge.rotate()
    seconds[0] += REFRESH_EVERY_S + 1
    assert (await readers.person_of(forge.token())).subject == "oid-ana"
    with pytest.raises(TokenRefusedError):
        await readers.person_of(old)


async def test_a_key_taken_back_is_trusted_an_hour_at_most():
    forge, seconds = TokenForge(NOW), [0.0]
    readers, old = people(forge, lambda: seconds[0]), forge.token()
    await readers.person_of(old)
    forge.rotate()
    seconds[0] += REFRESH_AFTER_S + 1
    await readers.person_of(old)  # goes on while the keys are asked for
    await readers._keys._renewal
    with pytest.raises(TokenRefusedError):
        await readers.person_of(old)


async def test_an_issuer_that_is_away_takes_no_key_back():
    forge, seconds = TokenForge(NOW), [0.0]
    readers = people(forge, lambda: seconds[0])
    await readers.person_of(forge.token())
    seconds[0] += REFRESH_AFTER_S + 1

    def away():
        raise OSError("no route")

    readers._keys._fetch = away
    await readers.person_of(forge.token())
    await readers._keys._renewal
    assert (await readers.person_of(forge.token())).subject == "oid-ana"


async def test_made_up_key_ids_make_us_ask_once_in_thirty_seconds():
    forge, seconds = TokenForge(NOW), [0.0]
    readers = people(forge, lambda: seconds[0])
    for number in range(20):
        with pytest.raises(TokenRefusedError):
            await readers.person_of(forge.token(header={"kid": f"made-up-{number}"}))
    assert forge.asked == 1
    seconds[0] += REFRESH_EVERY_S + 1
    with pytest.raises(TokenRefusedError):
        await readers.person_of(forge.token(header={"kid": "made-up"}))
    assert forge.asked == 2


async def test_who_comes_while_the_keys_are_fetched_waits_for_them():
    forge = TokenForge(NOW)
    readers = people(forge)
    found = await asyncio.gather(*[readers.person_of(forge.token()) for _ in range(5)])
    assert len(found) == 5
    assert forge.asked == 1


async def test_without_a_claim_everybody_belongs_to_the_one_organisation():
    person = await people(claim="").person_of(FORGE.token(**{ORGANISATION: None}))
    assert person.tenant_id == "default"
