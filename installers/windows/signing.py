"""Authenticode on programs and MSI: sign, time-stamp, verify.

Tests sign with a key of their own through osslsigncode. A release signs on the pipeline with a
key that never leaves Azure (Trusted Signing); what verifies is the same.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIGEST: Final = "sha256"


class SigningError(Exception):
    """A file could not be signed; the text is the tool's."""


@dataclass(frozen=True, slots=True)
class Signer:
    """PEM files of one signing key. chain: certificates above `certificate`, or None."""

    certificate: Path
    key: Path
    chain: Path | None = None


@dataclass(frozen=True, slots=True)
class TimeStamper:
    """Whoever says when: a server, or here a key of our own (tests, no network).

    Without a time stamp a signature ends with its certificate.
    """

    server: str = ""
    certificate: Path | None = None
    key: Path | None = None


def sign(file: Path, signer: Signer, stamp: TimeStamper, moment: int | None = None) -> None:
    """Sign `file` in place. moment: Unix seconds to stamp with a key of our own.

    Raises:
        SigningError: the tool refused; the file is as it was.
    """
    signed = file.with_name(f"{file.name}.signed")
    signed.unlink(missing_ok=True)
    command = ["osslsigncode", "sign", "-h", DIGEST, "-certs", str(signer.certificate)]
    command += ["-key", str(signer.key), "-n", "Vereda"]
    command += ["-ac", str(signer.chain)] if signer.chain else []
    if stamp.server:
        command += ["-ts", stamp.server]
    elif stamp.certificate and stamp.key:
        command += ["-TSA-certs", str(stamp.certificate), "-TSA-key", str(stamp.key)]
        command += ["-TSA-time", str(moment)] if moment is not None else []
    _run([*command, "-in", str(file), "-out", str(signed)])
    signed.replace(file)


def verifies(file: Path, authorities: Path, stampers: Path) -> bool:
    """Whether `file` carries a signature and time stamp that lead to these roots (PEM)."""
    command = ["osslsigncode", "verify", "-CAfile", str(authorities), "-TSA-CAfile", str(stampers)]
    done = subprocess.run([*command, "-in", str(file)], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "Timestamp Server Signature verification: ok" in done.stdout


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SigningError(done.stdout + done.stderr)
