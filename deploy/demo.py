"""`make demo`: the cloud and a clinic on this machine; one case goes up, one bundle comes down.

Everything is real and thrown away afterwards: a server process on loopback, an encrypted clinic,
keys made for this run, the default bundle signed anew with them. It stands outside the packages
because clinic and cloud never import each other; here they only meet over HTTP.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ddx.domain.feedback import Verb
from ddx.engine import Engine
from desktop.services.clinic import Clinic
from desktop.services.demo import create_demo_clinic
from desktop.services.records import PatientRow
from desktop.services.session import Session
from desktop.services.shelf import DeviceShelf
from model_bundles import layout
from model_bundles.authoring.build import build_bundle
from model_bundles.authoring.keys import KeyRing
from model_bundles.authoring.repository import Repository
from model_bundles.embedded import open_embedded_bundle
from model_bundles.verify import open_verified

UNUSED_BY_ENGINE = frozenset({layout.HPO_ONTOLOGY, layout.HPO_ANNOTATIONS})
"""Left out of the demonstration's bundles: signing them takes longer than everything else."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running server: where it listens and the code for one device."""

    address: str
    code: str


def main() -> int:
    """Run the demonstration; return 0 when the case arrived and the newer bundle serves."""
    with tempfile.TemporaryDirectory(prefix="vereda-demo-") as name:
        folder = Path(name)
        say("1. Signing the default bundle anew, with keys made for this run")
        repository, members = sign_current(folder)
        clinic = open_clinic(folder, repository)
        with cloud(folder, repository) as server:
            say(f"2. Cloud listens on {server.address} (its own process)")
            session = sign_in(clinic)
            diagnose_first_patient(clinic, session)
            say("4. Link appears: the clinic enrols and pushes what waits")
            session.sync.link(server.address, server.code)
            before = session.sync.status()
            after = session.sync.run_once()
            say(f"   {before.pending} records waited, {after.pending} wait now:")
            say(f"   {after.acknowledged} acknowledged one by one, {after.quarantined} refused")
            newer = sign_newer(repository, members)
            say(f"5. Cloud offers bundle {newer}")
            outcome = session.models.update()
            say(f"   device says: {outcome.result}, bundle {outcome.version} serves")
            session.close()
    arrived = after.pending == 0 and after.acknowledged > 0
    updated = outcome.result == "activated" and outcome.version == newer
    say("Done: the case is in the cloud, the bundle on the device." if arrived and updated else "")
    return 0 if arrived and updated else 1


def sign_current(folder: Path) -> tuple[Repository, dict[str, bytes]]:
    """Return a repository that offers the shipped members as its first release."""
    shipped = open_embedded_bundle()
    members = {n: shipped.read(n) for n in shipped.members if n not in UNUSED_BY_ENGINE}
    repository = Repository(folder / "repository", KeyRing.generate(folder / "keys"))
    repository.initialise()
    repository.publish(build_bundle(members, shipped.version, shipped.created_at))
    return repository, members


def sign_newer(repository: Repository, members: dict[str, bytes]) -> str:
    """Publish the next version, with another model card, and return its number."""
    year, month, number = layout.version_key(
        open_verified(repository.directory, repository.trust).version
    )
    version = f"{year}.{month}.{number + 1}"
    card = members[layout.MODEL_CARD].replace(b'"limits"', b'"demonstration": true,\n "limits"', 1)
    changed = {**members, layout.MODEL_CARD: card}
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    repository.publish(build_bundle(changed, version, at))
    return version


def open_clinic(folder: Path, repository: Repository) -> Clinic:
    """Return a clinic whose device trusts this run's keys, and nothing else."""
    installed = shutil.copytree(repository.directory, folder / "installed")
    shelf = DeviceShelf(
        folder / "clinic",
        Engine.from_artifacts,
        trust=repository.trust,
        open_embedded=lambda: open_verified(installed, repository.trust),
    )
    return Clinic(folder / "clinic", shelf)


def sign_in(clinic: Clinic) -> Session:
    """Create the encrypted demonstration clinic and return its session."""
    made = create_demo_clinic(clinic)
    say(f"3. {made.clinician.display_name} signs in; no network so far")
    return clinic.sign_in(made.clinician.id, made.passphrase)


def diagnose_first_patient(clinic: Clinic, session: Session) -> None:
    """Diagnose the first demonstration patient, print the differential, record a decision."""
    patient: PatientRow = session.patients.search()[0]
    record = session.visits.diagnose(session.visits.open_draft(patient.id).id)
    for candidate in record.differential.candidates[:5]:
        label = clinic.catalogue.disease_label(candidate.disease)
        say(f"   {candidate.rank}. {label} ({candidate.band.value}, {candidate.world.value})")
    say(f"   receipt {record.short_code}; decision: agree with the first")
    session.decisions.record(record.id, Verb.AGREE, record.differential.candidates[0].disease)


@contextmanager
def cloud(folder: Path, repository: Repository) -> Iterator[Cloud]:
    """Run `vereda-cloud` in a process of its own on a free loopback port."""
    root = folder / "root.json"
    root.write_bytes(repository.trust.root)
    command = [sys.executable, "-m", "cloud_api", "--port", "0", "--data", str(folder / "cloud")]
    command += ["--repository", str(repository.directory), "--root", str(root)]
    process = subprocess.Popen(  # noqa: S603 -- our own module, our own arguments
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield _announced(process)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _announced(process: "subprocess.Popen[str]") -> Cloud:
    """Read what the server prints when it starts."""
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if "Ctrl+C" in line:
            break
    text = "".join(lines)
    address = re.search(r"http://\S+", text)
    code = re.search(r"enrolment code\s+(\S+)", text)
    if address is None or code is None:
        raise SystemExit(f"the cloud did not start: {text or 'it printed nothing'}")
    return Cloud(address.group(), code.group(1))


def say(line: str) -> None:
    """Print one line now."""
    print(line, flush=True)  # noqa: T201 -- what the demonstration is for


if __name__ == "__main__":
    sys.exit(main())
