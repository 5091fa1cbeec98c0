"""`vereda clinic`: set up a clinic and keep it, from a terminal.

    vereda clinic create --name CENTRE --user NAME
    vereda clinic people
    vereda clinic add --new NAME --role ROLE [--user NAME]
    vereda clinic backup [--user NAME]          vereda clinic backups
    vereda clinic restore BACKUP
    vereda clinic patients [WORDS] [--user NAME]
    vereda clinic receipt CODE --out FILE [--user NAME]
    vereda clinic sent [--user NAME]
    vereda clinic due --before YYYY-MM-DD [--user NAME]
    vereda clinic erase PATIENT --yes [--user NAME]

Secrets are asked for without echo and are never arguments: the process list shows arguments.
Exit codes: 0 done; 1 refused; 2 something given cannot be used.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ddx.domain.identifiers import RecordId
from ddx.domain.roles import PermissionDeniedError, Role
from ddx.errors import DdxError
from ddx.terminology.catalogue import Language
from desktop.commands.words import Texts, say
from desktop.services.clinic import Clinic
from desktop.services.errors import SignInRefusedError
from desktop.services.session import Session
from desktop.settings import SettingsError, data_directory
from desktop.terminal.sign_in import AskPassphrase, OpenClinic, named, open_clinic, sign_in

DONE, REFUSED, BAD_INPUT = 0, 1, 2
SENT_SHOWN: Final = 200

WORDS: Final[Texts] = MappingProxyType(
    {
        "who": (
            "Diga quién es con --user. Pueden entrar: {names}",
            "Say who you are, with --user. These may sign in: {names}",
        ),
        "none": (
            "En {path} no hay ningún centro. Créelo con: vereda clinic create",
            "There is no clinic in {path}. Create one with: vereda clinic create",
        ),
        "passphrase": ("Frase de paso de {name}: ", "Passphrase of {name}: "),
        "new_passphrase": ("Frase de paso nueva para {name}: ", "New passphrase for {name}: "),
        "again": ("Otra vez: ", "Again: "),
        "differs": (
            "Las dos frases no coinciden. No se ha cambiado nada.",
            "The two passphrases differ. Nothing was changed.",
        ),
        "secret": (
            "Frase de paso o clave de recuperación del día de la copia: ",
            "Passphrase or recovery key of the day of the backup: ",
        ),
        "sign_in_refused": (
            "No es correcta, o hay que esperar {wait} s. No se ha hecho nada.",
            "Not right, or {wait} s must pass. Nothing was done.",
        ),
        "denied": (
            "Su función no lo permite. Pídaselo al médico responsable.",
            "Your role does not allow it. Ask the physician in charge.",
        ),
        "created": (
            "Centro creado en {path}. Clave de recuperación, solo se muestra ahora:\n\n  {key}\n\n"
            "Anótela y guárdela fuera de este equipo: sin ella, una frase olvidada no se recupera.",
            "Clinic created in {path}. Recovery key, shown only this once:\n\n  {key}\n\n"
            "Write it down and keep it away from this computer: without it a forgotten passphrase "
            "cannot be recovered.",
        ),
        "added": ("{name} ya puede entrar.", "{name} may sign in now."),
        "backed_up": (
            "Copia cifrada, releída y comprobada: {path}",
            "Encrypted backup, read back and checked: {path}",
        ),
        "no_backups": (
            "No hay copias todavía. Haga una con: vereda clinic backup",
            "There are no backups yet. Make one with: vereda clinic backup",
        ),
        "restored": (
            "Restaurada la copia del {made_at} (vida {epoch} de este equipo).",
            "Restored the backup of {made_at} (life {epoch} of this device).",
        ),
        "aside": ("Lo de antes queda, entero, en {path}", "What was there is, whole, in {path}"),
        "no_patients": ("Nadie se llama así.", "Nobody is called that."),
        "receipt": (
            "Comprobante en {path}. Repítalo con: vereda replay {path}",
            "Receipt in {path}. Run it again with: vereda replay {path}",
        ),
        "sure": (
            "Borrar a un paciente no se deshace. Repita la orden con --yes.",
            "Erasing a patient cannot be undone. Run the command again with --yes.",
        ),
        "erased": (
            "Borrado. Seudónimo {pseudonym}\nConsultas: {diagnoses}\nPrueba: {proof}\n"
            "Las copias de antes lo contienen hasta que roten; al restaurarlas se borra otra vez.",
            "Erased. Pseudonym {pseudonym}\nVisits: {diagnoses}\nProof: {proof}\n"
            "Earlier backups hold them until rotated out; restoring one erases again.",
        ),
        "nobody_due": (
            "Todos han venido desde ese día.",
            "Everybody has been seen since that day.",
        ),
        "nothing_sent": ("No ha salido nada.", "Nothing has left."),
        "cannot_write": (
            "No se puede escribir {path} ({reason}). Elija otra ruta con --out.",
            "Cannot write {path} ({reason}). Choose another path with --out.",
        ),
        "settings": ("vereda.toml no se puede usar: {why}", "vereda.toml cannot be used: {why}"),
        "failed": ("No se ha hecho nada ({code}).", "Nothing was done ({code})."),
        "store.exists": (
            "Ahí ya hay un centro. No se ha tocado.",
            "There is a clinic there already. It was not touched.",
        ),
        "passphrase.too_short": (
            "Use al menos 8 caracteres. No se ha hecho nada.",
            "Use at least 8 characters. Nothing was done.",
        ),
        "backup.unusable": (
            "Esa copia está incompleta o alterada y no se ha usado. Elija otra: vereda clinic "
            "backups",
            "That backup is incomplete or altered and was not used. Choose another: vereda clinic "
            "backups",
        ),
        "recovery.mistyped": (
            "La clave de recuperación está mal copiada. Revísela grupo a grupo.",
            "The recovery key is mistyped. Check it group by group.",
        ),
        "explanation.other_bundle": ("Nadie se llama así.", "Nobody is called that."),
        "record.missing": (
            "No hay tal registro en este centro.",
            "There is no such record in this clinic.",
        ),
        "receipt.short_code": (
            "Ese código está mal copiado: la letra de control no encaja.",
            "That code is mistyped: its check letter does not fit.",
        ),
        "store.corrupt": (
            "Los datos están dañados; nada se ha borrado. Apártelos y restaure una copia desde la "
            "ventana.",
            "The data are damaged; nothing was deleted. Set them aside and restore a backup from "
            "the window.",
        ),
    }
)


class _StopError(Exception):
    """The command ends here; the text says what to do next."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.text, self.code = text, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One command at work."""

    clinic: Clinic
    given: argparse.Namespace
    ask: AskPassphrase
    folder: Path

    def say(self, key: str, /, **params: object) -> str:
        """Return a text in the language asked for."""
        return say(key, Language(self.given.lang), WORDS, **params)

    def stop(self, key: str, code: int, /, **params: object) -> _StopError:
        """Return what ends the command."""
        return _StopError(self.say(key, **params), code)

    def who(self) -> tuple[RecordId, str]:
        """Return who works here. Raises _StopError while that is not clear."""
        if not self.clinic.is_set_up():
            raise self.stop("none", BAD_INPUT, path=self.folder)
        person = named(self.clinic, self.given.user)
        if person is None:
            names = ", ".join(card.display_name for card in self.clinic.clinicians())
            raise self.stop("who", BAD_INPUT, names=names or "-")
        return person

    def secret(self) -> str:
        """Return the passphrase of who works here."""
        return self.ask(self.say("passphrase", name=self.who()[1]))

    def new_secret(self, name: str) -> str:
        """Return a new passphrase, typed twice. Raises _StopError when the two differ."""
        first = self.ask(self.say("new_passphrase", name=name))
        if self.ask(self.say("again")) != first:
            raise self.stop("differs", BAD_INPUT)
        return first

    def signed_in(self, work: Callable[[Session], Iterable[str]]) -> list[str]:
        """Return what `work` tells, in a session that is closed whatever happens."""
        person, name = self.who()
        session = sign_in(self.clinic, person, self.say("passphrase", name=name), self.ask)
        try:
            return list(work(session))
        finally:
            session.close()


def main(
    argv: Sequence[str] | None = None,
    *,
    ask: AskPassphrase = getpass.getpass,
    clinic_of: OpenClinic | None = None,
) -> int:
    """Run the command and return its exit code.

    ask: asks for a secret without echo. clinic_of: opens a data directory.
    """
    given = _parser().parse_args(argv)
    folder = given.data or data_directory()
    words = Language(given.lang)
    try:
        desk = Desk(clinic=(clinic_of or open_clinic)(folder), given=given, ask=ask, folder=folder)
        lines = list(_COMMANDS[given.command](desk))
    except _StopError as stopped:
        return _complain(stopped.text, stopped.code)
    except SettingsError as error:
        return _complain(say("settings", words, WORDS, why=error), BAD_INPUT)
    except SignInRefusedError as error:
        wait = round(error.retry_after_s)
        return _complain(say("sign_in_refused", words, WORDS, wait=wait), REFUSED)
    except PermissionDeniedError:
        return _complain(say("denied", words, WORDS), REFUSED)
    except DdxError as error:
        key = error.code if error.code in WORDS else "failed"
        return _complain(say(key, words, WORDS, code=error.code), BAD_INPUT)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return DONE


def _create(desk: Desk) -> Iterable[str]:
    name = desk.given.user
    key = desk.clinic.create(
        clinic_name=desk.given.name, display_name=name, passphrase=desk.new_secret(name)
    )
    return [desk.say("created", path=desk.folder, key=key)]


def _people(desk: Desk) -> Iterable[str]:
    return [f"{card.id}  {card.role}  {card.display_name}" for card in desk.clinic.clinicians()]


def _add(desk: Desk) -> Iterable[str]:
    person, _ = desk.who()
    own, new = desk.secret(), desk.given.new
    passphrase = desk.new_secret(new)
    session = desk.clinic.sign_in(person, own)
    try:
        session.staff.add(own, new, Role(desk.given.role), passphrase)
    finally:
        session.close()
    return [desk.say("added", name=new)]


def _backup(desk: Desk) -> Iterable[str]:
    return desk.signed_in(
        lambda session: [desk.say("backed_up", path=session.keeping.back_up().folder)]
    )


def _backups(desk: Desk) -> Iterable[str]:
    made = desk.clinic.backups()
    return [
        f"{b.made_at:%Y-%m-%d %H:%M}Z  {b.size} bytes  {b.clinic}  {b.folder}" for b in made
    ] or [desk.say("no_backups")]


def _restore(desk: Desk) -> Iterable[str]:
    done = desk.clinic.restore(desk.given.backup, desk.ask(desk.say("secret")))
    yield desk.say("restored", made_at=f"{done.made_at:%Y-%m-%d %H:%M}Z", epoch=done.epoch)
    if done.aside is not None:
        yield desk.say("aside", path=done.aside)


def _patients(desk: Desk) -> Iterable[str]:
    def listed(session: Session) -> list[str]:
        found = session.patients.search(" ".join(desk.given.words))
        return [
            f"{p.id}  {p.birth_date}  {p.visits}  {p.family_name}, {p.given_name}" for p in found
        ]

    return desk.signed_in(listed) or [desk.say("no_patients")]


def _receipt(desk: Desk) -> Iterable[str]:
    def written(session: Session) -> list[str]:
        found = session.visits.find_receipt(desk.given.code)
        _write(desk, session.visits.export_receipt(found.id))
        return [desk.say("receipt", path=desk.given.out)]

    return desk.signed_in(written)


def _sent(desk: Desk) -> Iterable[str]:
    def listed(session: Session) -> list[str]:
        return [
            json.dumps(
                {
                    "id": one.id,
                    "kind": one.kind,
                    "at": one.created_at.isoformat(),
                    "state": one.state,
                    "sha256": one.payload_sha256,
                    "payload": json.loads(one.payload_json),
                },
                ensure_ascii=False,
            )
            for one in session.privacy.sent(SENT_SHOWN)
        ]

    return desk.signed_in(listed) or [desk.say("nothing_sent")]


def _due(desk: Desk) -> Iterable[str]:
    before = datetime.combine(desk.given.before, time.min).astimezone()
    return desk.signed_in(lambda session: session.privacy.due(before)) or [desk.say("nobody_due")]


def _erase(desk: Desk) -> Iterable[str]:
    if not desk.given.yes:
        raise desk.stop("sure", BAD_INPUT)

    def erased(session: Session) -> list[str]:
        proof = session.privacy.erase(RecordId(desk.given.patient))
        told = {"pseudonym": proof.pseudonym, "diagnoses": proof.diagnoses, "proof": proof.proof}
        return [desk.say("erased", **told)]

    return desk.signed_in(erased)


def _write(desk: Desk, content: bytes) -> None:
    try:
        desk.given.out.write_bytes(content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise desk.stop("cannot_write", BAD_INPUT, path=desk.given.out, reason=reason) from error


_COMMANDS: Final = MappingProxyType(
    {
        "create": _create,
        "people": _people,
        "add": _add,
        "backup": _backup,
        "backups": _backups,
        "restore": _restore,
        "patients": _patients,
        "receipt": _receipt,
        "sent": _sent,
        "due": _due,
        "erase": _erase,
    }
)


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lang", choices=[lang.value for lang in Language], default="es")
    shared.add_argument("--data", type=Path, help="data directory of the clinic")
    user = argparse.ArgumentParser(add_help=False)
    user.add_argument("--user", help="your display name or id; not needed while you are alone")
    parser = argparse.ArgumentParser(prog="vereda clinic", description="Set up and keep a clinic.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, does: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[shared, *parents], help=does, description=does)

    create = command("create", "create the encrypted clinic and its first clinician")
    create.add_argument("--name", required=True, help="name of the centre")
    create.add_argument("--user", required=True, help="name of the first clinician")
    command("people", "list who may sign in")
    add = command("add", "add a clinician", user)
    add.add_argument("--new", required=True, help="name of the new clinician")
    add.add_argument(
        "--role", choices=[role.value for role in Role], default=Role.MEDICO_GENERAL.value
    )
    command("backup", "write an encrypted backup and read it back", user)
    command("backups", "list the backups")
    restore = command("restore", "put a backup in the place of the store, which is kept aside")
    restore.add_argument("backup", type=Path, help="folder of the backup")
    patients = command("patients", "list patients: id, birth date, visits, name", user)
    patients.add_argument("words", nargs="*", help="parts of the name or document")
    receipt = command("receipt", "write the receipt of a visit for vereda replay", user)
    receipt.add_argument("code", help="code printed on the referral letter")
    receipt.add_argument("--out", type=Path, required=True, help="file to write")
    command("sent", "print every record that left or waits to, exactly as it leaves", user)
    due = command("due", "list the ids of patients not seen since a day: retention is over", user)
    due.add_argument("--before", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    erase = command("erase", "erase a patient for good, with a proof", user)
    erase.add_argument("patient", help="id of the patient, from vereda clinic patients")
    erase.add_argument("--yes", action="store_true", help="it cannot be undone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
