"""A running cloud with the issuer for one's own machine, and people of two organisations."""

from dataclasses import dataclass

import httpx
import pytest
from support.bundle_workshop import BundleWorkshop
from support.cloud_server import Clinic, SmallEngine, cloud_in_thread, wait_until

from cloud_api.app import utc_now
from cloud_api.auth.dev_issuer import DevIssuer
from ddx.domain.roles import Role

OPERATOR, OURS, THEIRS = "operator", "san-juan", "el-alto"


@dataclass
class Person:
    """Somebody with a token."""

    web: httpx.Client
    token: str
    language: str = "es"

    def ask(self, method, path, content=None, **headers):
        sent = {"authorization": f"Bearer {self.token}", "accept-language": self.language}
        return self.web.request(method, path, json=content, headers=sent | headers)

    def get(self, path, **query):
        sent = {"authorization": f"Bearer {self.token}", "accept-language": self.language}
        return self.web.get(path, params=query, headers=sent)

    def post(self, path, content):
        return self.ask("POST", path, content)

    def put(self, path, content):
        return self.ask("PUT", path, content)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = BundleWorkshop(tmp_path_factory.mktemp("publisher"))
    shop.publish("2026.11.1")
    return shop


@pytest.fixture(scope="module")
def cloud(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    root = folder / "root.json"
    root.write_bytes(shop.trust.root)
    chosen = {"repository": shop.repository, "root": root, "dev_issuer": True, "tenant": OPERATOR}
    engine = lambda artifacts: SmallEngine(artifacts.version, artifacts.digest)  # noqa: E731
    with cloud_in_thread(folder / "data", open_engine=engine, **chosen) as running:
        wait_until(lambda: running.app.state.diagnosis.state == "ready")
        yield running


@pytest.fixture(scope="module")
def person(cloud):
    issuer = DevIssuer(cloud.settings.data)
    with httpx.Client(base_url=cloud.url) as web:

        def of(role, organisation=OURS, subject="", language="es"):
            token = issuer.token(
                Role(role), organisation=organisation, now=utc_now(), subject=subject
            )
            return Person(web, token, language)

        yield of


@pytest.fixture
def joined(cloud, person):
    """Return a clinic that enrols in an organisation with a code its administrator asked for."""

    def joined(organisation=OURS):
        issued = person("MedicoAdmin", organisation).post("/devices/codes", {"hours": 1})
        assert issued.status_code == 201
        return Clinic(cloud.url).enrol(issued.json()["code"])

    return joined
