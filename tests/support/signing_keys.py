"""A certificate authority, a code-signing key and a time-stamping key, made for one test run."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from installers.windows.signing import Signer, TimeStamper

NOW = datetime.now(UTC)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, key, issuer, issuer_key, *, usage=None, authority=False):
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


class SigningKeys:
    """PEM files in one folder: `root.pem`, `code.pem`, `time.pem` and their keys."""

    def __init__(self, folder):
        self.root = folder / "root.pem"
        ca = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._put(self.root, _certificate("Test root", ca, "Test root", ca, authority=True))
        for name, usage in (
            ("code", ExtendedKeyUsageOID.CODE_SIGNING),
            ("time", ExtendedKeyUsageOID.TIME_STAMPING),
        ):
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            made = _certificate(f"Test {name}", key, "Test root", ca, usage=usage)
            self._put(folder / f"{name}.pem", made)
            (folder / f"{name}.key").write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        self.signer = Signer(folder / "code.pem", folder / "code.key")
        self.stamper = TimeStamper(certificate=folder / "time.pem", key=folder / "time.key")

    def _put(self, path, certificate):
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
