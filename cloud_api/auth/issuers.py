"""From the settings to those who read tokens."""

from collections.abc import Callable
from datetime import datetime

from cloud_api.auth import dev_issuer
from cloud_api.auth.dev_issuer import DevIssuer
from cloud_api.auth.guard import ReadsTokens
from cloud_api.auth.keys import PinnedKeys, fetch_over_https
from cloud_api.auth.oidc import NoIdentities, NoPeople, OidcIdentities, Organisations, People
from cloud_api.settings import CloudSettings
from sync_service.gateway.leases import Identities


def identities_of(
    settings: CloudSettings, now: Callable[[], datetime]
) -> tuple[Identities, ReadsTokens]:
    """Return who reads identity tokens of clinics and who reads access tokens for this API."""
    if settings.dev_issuer:
        return NoIdentities(), _dev_people(settings, now)
    if not (settings.oidc_issuer and settings.oidc_keys):
        return NoIdentities(), NoPeople()
    keys = PinnedKeys(fetch_over_https(settings.oidc_keys, settings.oidc_ca))
    organisations = Organisations(only=settings.tenant, claim=settings.oidc_tenant_claim)
    identities: Identities = NoIdentities()
    if settings.oidc_audience:
        identities = OidcIdentities(
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            keys=keys,
            organisations=organisations,
        )
    if not (settings.oidc_api_audience and settings.oidc_clients):
        return identities, NoPeople()
    return identities, People(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_api_audience,
        clients=settings.oidc_clients,
        scope=settings.oidc_scope,
        keys=keys,
        organisations=organisations,
        now=now,
    )


def _dev_people(settings: CloudSettings, now: Callable[[], datetime]) -> People:
    return People(
        issuer=dev_issuer.ISSUER,
        audience=dev_issuer.API,
        clients=(dev_issuer.CLIENT,),
        scope=dev_issuer.SCOPE,
        keys=PinnedKeys(DevIssuer(settings.data).key_set),
        organisations=Organisations(only=settings.tenant, claim=dev_issuer.ORGANISATION),
        now=now,
    )
