"""Pseudonyms: what stands for a patient outside this clinic.

The payloads themselves are built by `sync_service.client.outgoing`; what they may carry is
held by the allow-list of `sync_service.protocol`.
"""

import hashlib
import hmac

from ddx.domain.identifiers import RecordId


def patient_pseudonym(clinic_key: bytes, patient: RecordId) -> str:
    """Return the keyed hash of a patient's id, 64 hex digits.

    HMAC-SHA256 under a key that never leaves the store: without it nobody can tell whose
    records belong together across clinics, nor test a guessed id.
    """
    return hmac.new(clinic_key, patient.encode(), hashlib.sha256).hexdigest()
