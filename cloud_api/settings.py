"""Settings of the cloud service: environment `VEREDA_CLOUD_*`, overridden by the command line."""

from pathlib import Path
from typing import Any, Final, Literal

from platformdirs import user_data_path
from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud_api.db.scoped import DEFAULT_TENANT
from cloud_api.limits.rates import ADDRESS_PER_MINUTE, SUBJECT_PER_MINUTE
from sync_service.protocol.versions import MAX_BODY_BYTES

_LOOPBACK: Final[Any] = ("127.0.0.0/8", "::1/128")


class CloudSettings(BaseSettings):
    """Everything the service may be told.

    data: folder of the embedded database. database_url: SQLAlchemy async address; empty for
    the embedded database in `data`. repository: TUF repository folder (`metadata/`,
    `targets/`); the one that ships with the application when None. root: the root.json it must
    verify against; the one that ships with the application when None. statement_key: file with
    the 32 raw bytes of the Ed25519 key that signs checkpoints; made in `data` when None.
    seal_key: the same for the X25519 key that files from sticks are sealed to.
    oidc_issuer, oidc_audience, oidc_keys: issuer, client id and https address of the key set of
    the identities that are lent roles; no roles are lent while one is empty. oidc_ca: PEM of a
    private authority for that address. oidc_api_audience, oidc_clients: audience of access tokens
    for this API, and the applications they may come through; nobody calls it while one is empty.
    oidc_scope: what those tokens must allow. tenant: the organisation that runs the service, and
    everybody's while oidc_tenant_claim, the claim that names the organisation, is empty.
    dev_issuer: believe tokens of the issuer in `data` instead, on one's own machine only.
    kafka_servers: `host:port` list of a broker that the event log is carried on to; empty for none.
    kafka_connection: connection string of an Event Hubs namespace, which turns on TLS and its
    sign-in. redis_url: `redis://`, `rediss://` or `unix://` address of what several workers share
    (counts, answers, signed requests seen); empty when there is one worker, which keeps them
    itself. cosmos_endpoint: https address of a Cosmos DB account that keeps predictions, feedback
    and audit; empty for the database. cosmos_ca: PEM of a private authority for it.
    subject_per_minute, address_per_minute: requests of one person or device, and of one network
    address. allowed_networks: who may call at all, everybody when empty; scrape_networks: who may
    read /metrics. body_limit_bytes: longest request, as sent. drain_s: how long a service told to
    stop goes on serving while it says that it is not ready. log_format: `json` for machines,
    `text` for a terminal. monitor_connection: connection string of Application Insights, which
    turns traces on; traces_ratio: share of requests traced.
    """

    model_config = SettingsConfigDict(env_prefix="VEREDA_CLOUD_", frozen=True)

    data: Path = Field(default_factory=lambda: user_data_path("vereda-cloud", False))
    database_url: str = ""
    repository: Path | None = None
    root: Path | None = None
    channel: str = "stable"
    enrolment_code_hours: int = Field(default=72, ge=1)
    statement_key: Path | None = None
    seal_key: Path | None = None
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_keys: str = ""
    oidc_ca: Path | None = None
    oidc_api_audience: str = ""
    oidc_clients: tuple[str, ...] = ()
    oidc_scope: str = "access"
    oidc_tenant_claim: str = ""
    tenant: str = Field(default=DEFAULT_TENANT, pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    dev_issuer: bool = False
    kafka_servers: str = ""
    kafka_topic: str = "vereda-events"
    kafka_connection: SecretStr = SecretStr("")
    redis_url: str = ""
    cosmos_endpoint: str = ""
    cosmos_key: SecretStr = SecretStr("")
    cosmos_database: str = "vereda"
    cosmos_ca: str = ""
    subject_per_minute: int = Field(default=SUBJECT_PER_MINUTE, ge=1)
    address_per_minute: int = Field(default=ADDRESS_PER_MINUTE, ge=1)
    allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    scrape_networks: tuple[IPvAnyNetwork, ...] = Field(default=_LOOPBACK, validate_default=True)
    body_limit_bytes: int = Field(default=MAX_BODY_BYTES, ge=1024)
    drain_s: float = Field(default=0.0, ge=0.0, le=300.0)
    log_format: Literal["text", "json"] = "text"
    monitor_connection: SecretStr = SecretStr("")
    traces_ratio: float = Field(default=0.05, ge=0.0, le=1.0)

    def statement_key_file(self) -> Path:
        """Return the file of the key that signs checkpoints and leases."""
        return self.statement_key or self.data / "statement.key"

    def seal_key_file(self) -> Path:
        """Return the file of the X25519 key that files from sticks are sealed to."""
        return self.seal_key or self.data / "seal.key"

    def database_address(self) -> str:
        """Return the database address to open; the embedded one lives in `data`."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data / 'cloud.db'}"
