"""Records the requests of this version's client, for the contract with later servers.

    PYTHONPATH=.:tests python tests/support/record_messages.py > DAY-WHAT.json

Run it once before a change to what the client sends, keep the file in tests/contract/recorded,
and never edit it.
"""

import base64
import json
import random
import sys

import httpx
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.memory_outbox import MemoryOutbox
from support.sync_records import SOFTWARE, a_visit

from sync_service.client import outgoing
from sync_service.client.enrol import enrol
from sync_service.client.identity import DeviceIdentity
from sync_service.client.outbox import EventKind
from sync_service.client.runner import Runner
from sync_service.client.transport import HttpTransport
from sync_service.protocol.versions import SCHEMA_VERSION

NOW_S = 1_795_460_400
DEVICE = "019c0f5e-0000-7000-8000-00000000a11c"
CODE = "ABCD-EFGH-JKMN-PQRS"
KEY = bytes([7]) * 32

requests = []


def answer(request: httpx.Request) -> httpx.Response:
    """Keep the request as it left; answer what the client needs to go on."""
    body = request.read()
    kept = {
        k: v
        for k, v in request.headers.items()
        if k.startswith("x-vereda") or k == "content-encoding"
    }
    requests.append(
        {
            "method": request.method,
            "target": request.url.raw_path.decode(),
            "headers": kept,
            "body": base64.b64encode(body).decode(),
        }
    )
    told = {
        "schema_version": SCHEMA_VERSION,
        "server_time": "2026-11-23T18:00:00Z",
        "device_id": DEVICE,
    }
    if request.url.path.endswith("batches"):
        batch = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(body))
        results = [
            {"id": event["id"], "status": "stored", "server_sequence": event["sequence"]}
            for event in batch["events"]
        ]
        told = {**told, "batch_id": batch["batch_id"], "results": results}
    elif request.url.path.endswith("devices"):
        told = {**told, "accepted_versions": [SCHEMA_VERSION], "max_events_per_batch": 500}
    else:
        told = {**told, "stored": 6}
    return httpx.Response(200, stream=httpx.ByteStream(json.dumps(told).encode()))


def main() -> None:
    """Enrol, push two visits and whatever else this version sends, ask for the status."""
    identity = DeviceIdentity.from_private_key(DEVICE, 1, Ed25519PrivateKey.from_private_bytes(KEY))
    http = httpx.Client(base_url="https://cloud.example", transport=httpx.MockTransport(answer))
    transport = HttpTransport(http, identity, now_s=lambda: float(NOW_S))
    enrol(transport, code=CODE, app_version="0.1.0")
    outbox, dice, last = MemoryOutbox(), random.Random(1), None
    for _ in range(2):
        events, last = a_visit(dice, last)
        for kind, payload in events:
            outbox.add(payload, kind)
    if hasattr(outgoing, "erasure_payload"):
        from support.sync_records import NOON, PSEUDONYM

        payload = outgoing.erasure_payload(
            patient_pseudonym=PSEUDONYM, diagnoses=2, erased_at=NOON, proof="a" * 64
        )
        outbox.add(payload, EventKind.ERASURE)
    Runner(outbox, transport, identity, software=lambda: SOFTWARE).run_once()
    transport.status()
    assert not outbox.pending(1)
    written = {
        "schema_version": SCHEMA_VERSION,
        "now_s": NOW_S,
        "device_id": DEVICE,
        "public_key": base64.b64encode(identity.public_key).decode(),
        "code": CODE,
        "records": len(outbox.events),
        "requests": requests,
    }
    json.dump(written, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
