"""kill -9 in the middle of work: what was acknowledged is there, the file is sound."""

import signal
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.records import NOON, a_patient

from ddx.domain.identifiers import new_record_id
from desktop.store.keys import new_data_key
from desktop.store.records import StoredDraft
from desktop.store.store import ClinicStore

TYPIST = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ddx.domain.audit import AuditAction
from desktop.store.store import ClinicStore

path, key, draft = Path(sys.argv[1]), bytes.fromhex(sys.stdin.readline()), sys.argv[2]
store = ClinicStore.open(path, key)
for number in range(1_000_000):
    with store.write() as unit:
        unit.drafts.replace(draft, {"typed": number}, datetime.now(UTC))
        unit.audit.append(
            at=datetime.now(UTC), actor="a", action=AuditAction.PATIENT_VIEWED, subject=str(number)
        )
    print(number, flush=True)
"""


@pytest.mark.parametrize("keystrokes", [1, 7, 40])
def test_a_draft_survives_kill_9_with_every_acknowledged_keystroke(tmp_path, keystrokes):
    path, key, draft = tmp_path / "clinic.db", new_data_key(), new_record_id()
    patient = a_patient()
    store = ClinicStore.create(path, key)
    with store.write() as unit:
        unit.device.enrol(new_record_id(), Ed25519PrivateKey.generate(), NOON)
        unit.patients.add(patient)
        unit.drafts.add(StoredDraft(id=draft, patient_id=patient.id, content={}, updated_at=NOON))
    store.close()
    with subprocess.Popen(
        [sys.executable, "-c", TYPIST, str(path), draft],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as typist:
        typist.stdin.write(key.hex() + "\n")
        typist.stdin.flush()
        for _ in range(keystrokes):
            acknowledged = int(typist.stdout.readline())
        typist.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, typist.stdout.read().split())])
    again = ClinicStore.open(path, key)
    with again.read() as unit:
        typed = unit.drafts.get(draft).content["typed"]
        assert typed in {acknowledged, acknowledged + 1}
        assert unit.audit.verify() == typed + 1
    again.check()
    again.close()
