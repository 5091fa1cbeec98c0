"""Ed25519 over statements of `ddx.domain.statements`; keys and signatures as lower-case hex."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def ed25519_check(public_key: str, signature: str, statement: bytes) -> bool:
    """Implement `ddx.domain.statements.SignatureCheck`; malformed keys and signatures are False."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return public_key == public_key.lower() and signature == signature.lower()


def fingerprint(public_key: str) -> str:
    """Return a public key (64 hex digits) in groups of eight, for comparing by eye."""
    return " ".join(public_key[i : i + 8] for i in range(0, len(public_key), 8))
